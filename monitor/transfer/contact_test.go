package transfer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/remotetest"
)

// contactBench is a bench with some files at a destination that is used for the first
// time.
func contactBench(b *bench) *bench {
	b.remote.AdoptionPending = true
	b.ignoring("*.o")
	b.here("same", "older", "shorter", "content", "kind", "dir/a", "x.o")
	b.remotely("same", "older", "shorter", "content", "kind/in", "dir", "x.o")
	long := time.Now().Add(-time.Hour).Truncate(time.Second)
	text := func(root, name, text string, at time.Time) {
		check(b.t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
		check(b.t, os.Chtimes(filepath.Join(root, name), at, at))
	}
	text(b.dst, "same", "here", long) // equal, but for the time
	text(b.dst, "older", "hers", long)
	text(b.dst, "content", "her3", time.Now().Add(time.Hour)) // newer
	text(b.dst, "shorter", "he", long)
	check(b.t, os.Symlink("one", filepath.Join(b.src, "link")))
	check(b.t, os.Symlink("another", filepath.Join(b.dst, "link")))
	check(b.t, os.Symlink("one", filepath.Join(b.src, "equal")))
	check(b.t, os.Symlink("one", filepath.Join(b.dst, "equal")))
	return b
}

// What is at a destination with other contents is neither deleted nor overwritten before
// somebody has allowed it.
func TestFirstContact(t *testing.T) {
	t.Parallel()
	const different = "content dir link older shorter"
	for name, newBench := range map[string]func(t *testing.T) *bench{
		"local":  func(t *testing.T) *bench { return newBench(t) },
		"daemon": func(t *testing.T) *bench { return newDaemonBench(t).bench },
	} {
		for _, test := range []struct {
			deletes, overwrites bool
			held                string
		}{
			{false, false, "5 files with other contents"}, {true, false, "5 files with other contents"}, {false, true, "1 entry that"}, {true, true, ""},
		} {
			t.Run(name+"/"+test.held, func(t *testing.T) {
				if name == "daemon" {
					remotetest.Long(t, testing.Short())
				}
				t.Parallel()
				b := contactBench(newBench(t))
				b.remote.AdoptDelete, b.remote.AdoptOverwrite = test.deletes, test.overwrites
				b.pass()
				b.transfer()
				held := b.Status(b.now).Held
				if test.held == "" {
					b.drain()
					b.pass()
					if held != nil || !exists(filepath.Join(b.dst, "dir/a")) || exists(filepath.Join(b.dst, "kind/in")) {
						t.Errorf("held: %+v", held)
					}
					return
				}
				if held == nil || !strings.Contains(held.Reason, test.held) {
					t.Fatalf("held: %+v", held)
				}
				var paths []string
				for _, o := range held.Overwrites {
					paths = append(paths, o.Path)
				}
				if slices.Sort(paths); strings.Join(paths, " ") != different || held.Count != 1 || held.Sample[0] != "kind/in" {
					t.Errorf("%q, and %d of %q", paths, held.Count, held.Sample)
				}
				if text, _ := os.ReadFile(filepath.Join(b.dst, "older")); string(text) != "hers" || exists(filepath.Join(b.dst, "dir/a")) {
					t.Error("something was sent")
				}
				b.approve()
				b.drain()
				b.pass()
				b.drain()
				if text, _ := os.ReadFile(filepath.Join(b.dst, "older")); string(text) != "here" || b.Account().Hold != nil {
					t.Errorf("approved, and %q is there", text)
				}
				if text, _ := os.ReadFile(filepath.Join(b.dst, "x.o")); string(text) != "there" {
					t.Error("what is ignored was overwritten")
				}
			})
		}
	}
}

// A look sends nothing, whatever it finds.
func TestLookOnly(t *testing.T) {
	t.Parallel()
	for name, there := range map[string]bool{"nothing there": false, "a directory": true} {
		b := newBench(t)
		b.remote = config.Remote{Name: "r", RemotePath: filepath.Join(b.dst, "new"), Connection: b.remote.Connection, AdoptionPending: true, LookOnly: true}
		if there {
			check(t, os.Mkdir(filepath.Join(b.dst, "new"), 0o755))
		}
		b.here("a", "d/b")
		b.pass()
		b.transfer()
		held := b.Status(b.now).Held
		if held == nil || held.Missing != 3 || held.Count+held.Overwritten > 0 {
			t.Errorf("%s: held: %+v", name, held)
		}
		if exists(filepath.Join(b.dst, "new")) != there || exists(filepath.Join(b.dst, "new/a")) {
			t.Errorf("%s: something was made", name)
		}
	}
}
