package monitor

import (
	"testing"

	"wsync/monitor/dirty"
)

// What is below a path that fails is not for the direct lane: the path may be a
// link on the remote.
func TestBelowFailing(t *testing.T) {
	transfer := &transfer{request: request{except: []string{"d"}}}
	others, below := transfer.belowFailing([]*dirty.Entry{{Path: "d"}, {Path: "d/e/f"}, {Path: "d-"}, {Path: "c"}})
	if len(others) != 2 || others[0].Path != "d-" || others[1].Path != "c" || len(below) != 2 {
		t.Errorf("%d others, %d below", len(others), len(below))
	}
}
