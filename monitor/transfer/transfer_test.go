package transfer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// What was renamed is no deletion, where it is now; and what is gone from there is.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	root := newDir(t)
	write(t, root, "e/1", "e/sub/2", "f")
	transfer := &transfer{lane: &Lane{root: root, exclude: noRules(t, root)}}
	transfer.setMoved([]*dirty.Entry{{Path: "d", MovedTo: "e"}, {Path: "d/was", MovedTo: "f"}, {Path: "x", MovedTo: "gone"}, {Path: "y"}})
	for name, want := range map[string]bool{
		"d": true, "d/1": true, "d/sub/2": true, "d/3": false, "d/was": true, "d/sub": true, "dd": false, "x": false, "y": false, "e": false,
	} {
		if got := transfer.isElsewhere(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What a dirty path lies below, and is no directory, may be one on the remote.
func TestObstacles(t *testing.T) {
	t.Parallel()
	root := newDir(t)
	write(t, root, "d/f", "file")
	check(t, os.Symlink("d", filepath.Join(root, "link")))
	transfer := &transfer{lane: &Lane{root: root, tools: guard.NewTools(root), exclude: noRules(t, root)}}
	transfer.findObstacles([]*dirty.Entry{{Path: "d/f"}, {Path: "file/x"}, {Path: "link/f"}, {Path: "d/gone/f"}, {Path: "d/gone/g"}, {Path: "nothing"}, {}})
	var found []string
	for _, e := range transfer.out.Obstacles {
		found = append(found, e.Path)
	}
	if want := []string{"file", "link", "d/gone"}; !slices.Equal(found, want) {
		t.Errorf("%q, expected %q", found, want)
	}
}

// A transfer that saw a link has put it there before its mark came. What is in the
// directory that is here again does not go through that.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		asker    *asker
		beside   bool
		again    int
		directly bool
	}{
		{"the directory is marked by now", &asker{announced: "d"}, false, 1, false},
		{"it alone is marked by now", &asker{announced: "d", alone: true}, false, 1, false},
		{"the watcher does not answer", &asker{silent: true}, false, 0, false},
		{"it was a directory then, too", new(asker), false, 0, true},
		{"beside another", new(asker), true, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, r := localLane(t)
			elsewhere := newDir(t)
			write(t, l.root, "d/f")
			if !test.directly {
				check(t, os.Symlink(elsewhere, filepath.Join(r.RemotePath, "d")))
			} else {
				check(t, os.Mkdir(filepath.Join(r.RemotePath, "d"), 0o755))
			}
			order := orderOf(r, entryOf("d/f"))
			order.Overtaken, order.Beside = true, test.beside
			out := l.Transfer(t.Context(), order, test.asker)
			succeed(t, out)
			if exists(filepath.Join(elsewhere, "f")) {
				t.Error("it went through the link")
			}
			if n := len(out.Again.Entries); n != test.again || exists(filepath.Join(r.RemotePath, "d/f")) != (n == 0) {
				t.Errorf("%d are to be sent again; it is there: %v", n, exists(filepath.Join(r.RemotePath, "d/f")))
			}
			if directly := len(out.Unconfirmed) > 0; directly != test.directly {
				t.Errorf("it went directly: %v", directly)
			}
		})
	}
}

// After a full pass that failed nobody knows what is above a path.
func TestUncompared(t *testing.T) {
	for name, lane := range map[string]func(testing.TB) (*Lane, config.Remote){"local": localLane, "ssh": sshLane} {
		for _, beside := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, beside another: %v", name, beside), func(t *testing.T) {
				l, r := lane(t)
				elsewhere := newDir(t)
				write(t, l.root, "d/f")
				check(t, os.Symlink(elsewhere, filepath.Join(r.RemotePath, "d")))
				order := orderOf(r, entryOf("d/f"))
				order.Uncompared, order.Beside, order.Room = true, beside, 10
				out := l.Transfer(t.Context(), order, new(asker))
				succeed(t, out)
				if exists(filepath.Join(elsewhere, "f")) {
					t.Error("it went through the link")
				}
				if !exists(filepath.Join(r.RemotePath, "d/f")) {
					t.Errorf("it is not there, and to be sent again are %+v", out.Again)
				}
			})
		}
	}
}

// What comes of nobody wanting the outcome is no failure of the remote's, whatever
// it was taken for.
func TestFailed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		kind remote.FailureKind
	}{
		{errors.New("no"), remote.Attention},
		{context.DeadlineExceeded, remote.Attention},
		{context.Canceled, remote.Canceled},
		{fmt.Errorf("cannot run rsync: %w", context.Canceled), remote.Canceled},
	} {
		f := failed(remote.Attention, test.err, "hint")
		if f.Kind != test.kind || f.Message != test.err.Error() || f.Hint != "hint" {
			t.Errorf("%v: %+v", test.err, *f)
		}
	}
}

// What a monitor that was killed has left is gone, whatever modes it has.
func TestScratchIsCleared(t *testing.T) {
	t.Parallel()
	run := newDir(t)
	for range 2 {
		dir, err := NewScratch(run)
		check(t, err)
		entries, err := os.ReadDir(dir)
		check(t, err)
		if len(entries) > 0 {
			t.Errorf("%v is left", entries)
		}
		check(t, os.MkdirAll(filepath.Join(dir, "d/e"), 0o700))
		check(t, os.Chmod(filepath.Join(dir, "d"), 0))
	}
}

// What was to go with a file above it is to be looked at again when that is a directory.
func TestBackAsDirectory(t *testing.T) {
	t.Parallel()
	l, r := localLane(t)
	write(t, l.root, "back/new", "file")
	tr := &transfer{lane: l, Order: orderOf(r)}
	entries := []*dirty.Entry{entryOf("back"), entryOf("back/gone"), entryOf("file/gone")}
	tr.sendBack(rsync.Plan{Replaced: []string{"back", "file"}}, entries)
	if again := tr.out.Again.Entries; len(again) != 2 || again[0].Path != "back" || again[1].Path != "back/gone" {
		t.Errorf("%+v", again)
	}
}
