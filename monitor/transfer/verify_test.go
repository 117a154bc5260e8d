package transfer

import (
	"context"
	"io/fs"
	"testing"

	"wsync/monitor/walk"
)

// TestIsBehind: wherever a comparison goes on, it comes to what a walk visits later, also
// where the file it was at is gone.
func TestIsBehind(t *testing.T) {
	root := newDir(t)
	for _, name := range []string{"a/b/c", "a/b.txt", "a.txt", "a-b/x", "a0", "b/a", "z"} {
		write(t, root, name, "x")
	}
	var all []string
	walk.Tree{Root: root}.Files(context.Background(), "", func(name string, _ fs.DirEntry) bool {
		all = append(all, name)
		return true
	})
	for i, after := range all {
		for _, at := range []string{after, after + "+gone"} {
			p := parts{after: at}
			for j, name := range all {
				if got := p.isBehind(name); got != (j > i) {
					t.Errorf("after %s: %s is to be compared: %v", at, name, got)
				}
			}
		}
	}
}
