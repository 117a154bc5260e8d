package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// What hampers a remote is said once, and nothing of those that are well.
func TestWaitingTells(t *testing.T) {
	now := time.Now()
	out := new(bytes.Buffer)
	p := &printer{err: out, now: func() time.Time { return now }}
	w := &waiting{command: &command{printer: p}, line: p.progressLine(), told: make(map[string]bool)}
	retry := now.Add(7500 * time.Millisecond)
	remotes := []report.RemoteStatus{
		{Name: "away", State: report.Offline, Error: "Connection refused", NextRetry: &retry},
		{Name: "mute", State: report.Unknown, Error: "the monitor does not answer"},
		{Name: "busy", State: report.Syncing},
		{Name: "fine", State: report.InSync},
		{Name: "exfat", State: report.Retrying, Unsupported: 1, Pending: 1, Error: "name not possible there"},
	}
	status := []api.WorkspaceStatus{{Workspace: config.Workspace{Name: "docs"}, Remotes: remotes}}
	w.tell(status)
	w.tell(status)
	const want = "wsync: waiting for docs/away: offline, retrying in 8s: Connection refused\n" +
		"wsync: waiting for docs/mute: unknown: the monitor does not answer\n"
	if got := out.String(); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	remotes[2].State, remotes[2].Error = report.Retrying, "no room"
	w.tell(status)
	if got := strings.TrimPrefix(out.String(), want); got != "wsync: waiting for docs/busy: retrying now: no room\n" {
		t.Errorf("got: %q", got)
	}
}
