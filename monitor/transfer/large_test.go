package transfer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// testRate is a bandwidth at which a file of 40 KiB is large.
const testRate = config.Rate(64 << 10)

// unhurried is a lane to a remote with a bandwidth, where rsync is not slowed down. The
// file runs has the arguments of its runs that send.
func unhurried(t *testing.T, open func(t testing.TB) (*Lane, config.Remote)) (l *Lane, r config.Remote, runs string) {
	t.Helper()
	l, r = open(t)
	r.Bandwidth = testRate
	runs = filepath.Join(newDir(t), "runs")
	scriptedRsync(t, `case " $* " in *" --server "* | *" --dry-run "*) ;; *) echo "$*" >>'`+runs+`'; esac
for a; do shift; case $a in --bwlimit=*) ;; *) set -- "$@" "$a" ;; esac; done; exec rsync "$@"`)
	return l, r, runs
}

func putLarge(t *testing.T, root string, size int, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(root, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(strings.Repeat(name, size/len(name))), 0o644))
	}
}

// With a bandwidth a transfer sends one large file, after all else. The others are left for
// transfers of their own, and all by a full pass or with a directory.
func TestLargeIsLast(t *testing.T) {
	for name, open := range map[string]func(t testing.TB) (*Lane, config.Remote){"local": localLane, "ssh": sshLane} {
		t.Run(name, func(t *testing.T) {
			if name == "ssh" {
				remotetest.Long(t, testing.Short())
			}
			l, r, runs := unhurried(t, open)
			has := func(what, want string) {
				t.Helper()
				var there []string
				for _, name := range []string{"a", "b", "c", "z", "d/a", "d/z"} {
					if exists(filepath.Join(r.RemotePath, name)) {
						there = append(there, name)
					}
				}
				if got := strings.Join(there, " "); got != want {
					t.Errorf("%s: %q is there, expected %q", what, got, want)
				}
			}
			putLarge(t, l.root, 70<<10, "a")
			putLarge(t, l.root, 40<<10, "b", "d/a")
			putLarge(t, l.root, 50<<10, "c")
			put(t, l.root, "z", "d/z")
			l.closeDirect() // all goes by rsync
			l.known.Store(probed(t))
			batch := []*dirty.Entry{entryOf("a"), entryOf("b"), entryOf("c"), entryOf("z"), {Path: "d", Change: madeDir, Seq: 1}}
			order := orderOf(r, batch...)
			out := l.Transfer(t.Context(), order, new(asker))
			succeed(t, out)
			has("a batch", "b z d/z")
			if got := pathsOf(out.Large.Entries); got != "a c d/a" {
				t.Errorf("%q is left", got)
			}
			sent, err := os.ReadFile(runs)
			check(t, err)
			lines := strings.Split(strings.TrimSpace(string(sent)), "\n")
			if last := lines[len(lines)-1]; !strings.Contains(last, " ./b ") || strings.Contains(last, "./z") || !strings.Contains(last, "--bwlimit=56 ") {
				t.Errorf("the last run is %q", last)
			}
			out = l.Transfer(t.Context(), orderOf(r, out.Large.Entries...), new(asker))
			succeed(t, out)
			has("then", "b z d/a d/z")
			if got := pathsOf(out.Large.Entries); got != "a c" || out.Causes != 0 {
				t.Errorf("then %q is left, causes %d", got, out.Causes)
			}

			put(t, l.root, "z")
			order = orderOf(r)
			order.Batch = dirty.Batch{Everything: &dirty.Entry{Change: watch.Tree, Seq: 7}}
			check(t, os.Remove(filepath.Join(r.RemotePath, "z")))
			out = l.Transfer(t.Context(), order, new(asker))
			succeed(t, out)
			has("a pass", "b z d/a d/z")
			if got := pathsOf(out.Large.Entries); got != "a c" || out.Large.Entries[0].Seq != 7 || out.Drift != 3 {
				t.Errorf("a pass leaves %q, and has repaired %d", got, out.Drift)
			}

			// What is dirty beside a pass is not sent with it either, and what only has
			// to be compared is.
			order.Batch.Entries = []*dirty.Entry{entryOf("a"), entryOf("z")}
			order.Since = time.Unix(1, 0)
			out = l.Transfer(t.Context(), order, new(asker))
			succeed(t, out)
			has("a pass and changes", "b z d/a d/z")
			if got := pathsOf(out.Large.Entries); got != "a c" || out.Large.Len() != 3 {
				t.Errorf("a pass and changes leave %q", got)
			}

			order.Batch.Entries, order.Since = nil, time.Time{}
			order.Remote.Bandwidth = 0
			out = l.Transfer(t.Context(), order, new(asker))
			succeed(t, out)
			if has("without a bandwidth", "a b c z d/a d/z"); out.Large.Len() != 0 {
				t.Errorf("without a bandwidth %q is left", pathsOf(out.Large.Entries))
			}
		})
	}
}

// What is to appear together is not parted.
func TestLargeAndDelayed(t *testing.T) {
	l, r, _ := unhurried(t, localLane)
	r.DelayUpdates = true
	l.closeDirect()
	putLarge(t, l.root, 70<<10, "a", "b")
	out := l.Transfer(t.Context(), orderOf(r, entryOf("a"), entryOf("b")), new(asker))
	succeed(t, out)
	if out.Large.Len() != 0 || !exists(filepath.Join(r.RemotePath, "a")) || !exists(filepath.Join(r.RemotePath, "b")) {
		t.Errorf("%q is left", pathsOf(out.Large.Entries))
	}
}

// Where there is no direct lane, a run of its own sends small changes while another one is
// under way, if the remote has room for it, and removes nothing.
func TestBesideByRsync(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for name, arrives := range map[string]bool{"room for two": true, "room for one": false} {
		t.Run(name, func(t *testing.T) {
			b := newDaemonBench(t)
			l, r := b.lane, b.remote
			write(t, b.src, "gone", "old", "d/f", "d/way/x")
			b.pass()
			b.drain()
			b.equal()
			if !l.Beside() || l.Direct() {
				t.Fatal("the remote is another one than it should be")
			}
			r.Bandwidth = 1 << 20
			run := startSlowRun(t, l, r, 0)
			if !arrives {
				scriptedRsync(t, `case " $* " in *" --ignore-missing-args "*) echo '@ERROR: max connections (1) reached -- try again later' >&2; exit 5; esac; exec rsync "$@"`)
			}
			put(t, b.src, "small", "new/f", "away/f", "d/f")
			check(t, os.WriteFile(filepath.Join(b.src, "large"), make([]byte, directLimits.FileSize), 0o644))
			check(t, os.Remove(filepath.Join(b.src, "gone")))
			check(t, os.RemoveAll(filepath.Join(b.src, "d/way")))
			put(t, b.src, "d/way")
			check(t, os.Symlink("small", filepath.Join(b.src, "link")))
			order := orderOf(r, entryOf("small"), entryOf("gone"), entryOf("large"), entryOf("away/f"), entryOf("link"), entryOf("new/f"),
				&dirty.Entry{Path: "d/f", Change: watch.Content, Seq: 1}, &dirty.Entry{Path: "new", Change: madeDir, Seq: 1}, &dirty.Entry{Path: "d/way", Change: madeDir, Seq: 1})
			order.Beside, order.Away = true, []string{"away"}
			out := l.Transfer(t.Context(), order, new(asker))
			succeed(t, out)
			for name, want := range map[string]bool{"small": arrives, "link": arrives, "new": false, "gone": true, "d/way/x": true, "large": false, "away": false, "big": false} {
				if _, err := os.Lstat(filepath.Join(b.dst, name)); (err == nil) != want {
					t.Errorf("%s is there: %v", name, !want)
				}
			}
			again, unconfirmed := "away/f d/way gone large new new/f", "d/f link small"
			if !arrives {
				again, unconfirmed = "away/f d/f d/way gone large link new new/f small", ""
			}
			if got := pathsOf(out.Again.Entries); got != again {
				t.Errorf("to be done again are %q, expected %q", got, again)
			}
			if got := pathsOf(out.Unconfirmed); got != unconfirmed {
				t.Errorf("unconfirmed are %q, expected %q", got, unconfirmed)
			}
			if out = run.end(); out.Failure != nil || out.Causes != 0 || !exists(filepath.Join(b.dst, "big")) {
				t.Errorf("%+v", out)
			}
		})
	}
}

// What is beside by rsync is a run of its own, which neither deletes nor forces anything.
func TestBesideRemovesNothing(t *testing.T) {
	l, r := localLane(t)
	l.closeDirect()
	l.known.Store(probed(t))
	put(t, r.RemotePath, "way/x")
	put(t, l.root, "way", "f")
	out := beside(t, l, r, entryOf("way"), entryOf("f"))
	if succeed(t, out); out.Again.Len() != 2 || !exists(filepath.Join(r.RemotePath, "way/x")) {
		t.Errorf("%+v", out)
	}
	log := filepath.Join(newDir(t), "log")
	remotetest.ScriptedRsync(t, `echo "$*" >>'`+log+`'; exec rsync "$@"`)
	check(t, os.Remove(filepath.Join(l.root, "way")))
	out = beside(t, l, r, entryOf("way"), entryOf("f"))
	args, err := os.ReadFile(log)
	check(t, err)
	if words := strings.Fields(string(args)); slices.Contains(words, "--force") || !slices.Contains(words, "--max-delete=0") || strings.Contains(string(args), "way") {
		t.Errorf("ran rsync %s", args)
	}
	if got := pathsOf(out.Again.Entries); got != "way" || !exists(filepath.Join(r.RemotePath, "f")) {
		t.Errorf("to be done again are %q", got)
	}
}

// While the window is shut, nothing large goes by any way, nor does the old name of what
// was renamed; what is small does.
func TestLargeWaitsForTheWindow(t *testing.T) {
	for name, open := range map[string]func(t testing.TB) (*Lane, config.Remote){"local": localLane, "ssh": sshLane} {
		t.Run(name, func(t *testing.T) {
			if name == "ssh" {
				remotetest.Long(t, testing.Short())
			}
			l, r := open(t)
			put(t, l.root, "old")
			succeed(t, l.Transfer(t.Context(), orderOf(r, entryOf("old")), new(asker)))
			for _, large := range []string{"a", "d/b", "new"} {
				check(t, os.MkdirAll(filepath.Join(l.root, filepath.Dir(large)), 0o755))
				check(t, os.WriteFile(filepath.Join(l.root, large), make([]byte, config.WindowSize+1), 0o644))
			}
			check(t, os.Remove(filepath.Join(l.root, "old")))
			put(t, l.root, "z", "d/z")
			has := func(what, want string) {
				t.Helper()
				var there []string
				for _, name := range []string{"a", "d/b", "d/z", "new", "old", "z"} {
					if exists(filepath.Join(r.RemotePath, name)) {
						there = append(there, name)
					}
				}
				if got := strings.Join(there, " "); got != want {
					t.Errorf("%s: %q is there, expected %q", what, got, want)
				}
			}
			order := orderOf(r, entryOf("a"), entryOf("z"), entryOf("new"), &dirty.Entry{Path: "d", Change: madeDir, Seq: 1}, &dirty.Entry{Path: "old", Change: made, Seq: 1, MovedTo: "new"})
			order.Shut = true
			out := l.Transfer(t.Context(), order, new(asker))
			succeed(t, out)
			has("changes", "d/z old z")
			if got := pathsOf(out.Large.Entries); got != "a d/b new old" {
				t.Errorf("%q waits", got)
			}
			left := out.Large.Entries
			confirm := orderOf(r, &dirty.Entry{Path: "a", Change: watch.Content, Seq: 1})
			confirm.Shut, confirm.Confirm = true, true
			out = l.Transfer(t.Context(), confirm, new(asker))
			if succeed(t, out); pathsOf(out.Large.Entries) != "a" {
				t.Errorf("a confirmation leaves %q", pathsOf(out.Large.Entries))
			}
			has("a confirmation", "d/z old z")
			pass := orderOf(r)
			pass.Shut, pass.Batch = true, dirty.Batch{Everything: &dirty.Entry{Change: watch.Tree, Seq: 7}, Entries: left}
			out = l.Transfer(t.Context(), pass, new(asker))
			if succeed(t, out); pathsOf(out.Large.Entries) != "a d/b new old" || out.Drift > 2 {
				t.Errorf("a pass leaves %q, and has repaired %d", pathsOf(out.Large.Entries), out.Drift)
			}
			has("a pass", "d/z old z")
			out = l.Transfer(t.Context(), orderOf(r, left...), new(asker))
			succeed(t, out)
			has("in the window", "a d/b d/z new z")
			if out.Large.Len() != 0 {
				t.Errorf("in the window %q is left", pathsOf(out.Large.Entries))
			}
		})
	}
}
