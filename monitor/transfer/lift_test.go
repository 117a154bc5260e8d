package transfer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// againAsNobody runs the test in a process of a user to whom permissions matter, and
// reports whether it did: then there is nothing left to do.
func againAsNobody(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return false
	}
	self, err := os.Executable()
	check(t, err)
	// go test makes the program in a directory that only its owner may enter.
	program, err := os.ReadFile(self)
	check(t, err)
	d := newDir(t)
	copied := filepath.Join(d, "test")
	check(t, os.WriteFile(copied, program, 0o755))
	cmd := exec.Command(copied, "-test.run=^"+t.Name()+"$")
	cmd.Dir = d
	cmd.Env = append(os.Environ(), "HOME="+d)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return true
}

// countRuns makes every run of rsync leave a line, and returns how many there
// are that have text in their arguments.
func countRuns(t *testing.T) func(text string) int {
	t.Helper()
	log := filepath.Join(newDir(t), "runs")
	scriptedRsync(t, `echo "$*" | tr '\n' ' ' >>'`+log+`'; echo >>'`+log+`'; exec rsync "$@"`)
	return func(text string) int {
		runs, err := os.ReadFile(log)
		check(t, err)
		n := 0
		for line := range strings.Lines(string(runs)) {
			if strings.Contains(line, text) {
				n++
			}
		}
		return n
	}
}

// withoutMissingArgs is a way with an rsync of its own in PATH.
const withoutMissingArgs = "without missing args"

// besideOthers lets the subtest of a way run while those of others do. What is alone in
// PATH comes before them.
func besideOthers(t *testing.T, way string) {
	if way != withoutMissingArgs {
		t.Parallel()
	}
}

// ways are the ways in which rsync deletes, and how a remote comes to be served
// by them.
var ways = map[string]func(t *testing.T, b *bench){
	"direct":  func(*testing.T, *bench) {},
	"delayed": func(_ *testing.T, b *bench) { b.remote.DelayUpdates = true },
	"trash":   func(_ *testing.T, b *bench) { b.remote.Trash = config.Age(time.Hour) },
	withoutMissingArgs: func(t *testing.T, b *bench) {
		b.remote.DelayUpdates = true
		scriptedRsync(t, `case "$*" in *--delete-missing-args*) exit 4;; esac; exec rsync "$@"`)
	},
}

// emptyTrash removes what is only at the destination.
func emptyTrash(t *testing.T, b *bench) {
	t.Helper()
	info, err := os.Stat(b.dst)
	check(t, err)
	check(t, removeAll(filepath.Join(b.dst, config.TrashDirectory)))
	check(t, os.Chtimes(b.dst, info.ModTime(), info.ModTime()))
}

// A directory of any mode that we own is removed, emptied, replaced, renamed and
// written into, by whatever way.
func TestDirectoriesOfAnyMode(t *testing.T) {
	remotetest.Long(t, testing.Short())
	if againAsNobody(t) {
		return
	}
	for _, mode := range []os.FileMode{0o555, 0} {
		for name, way := range ways {
			t.Run(fmt.Sprintf("%04o %s", mode, name), func(t *testing.T) {
				besideOthers(t, name)
				b := newBench(t)
				way(t, b)
				kinds := []string{"removed", "removed by a pass", "file", "link", "renamed", "emptied", "written"}
				for _, kind := range kinds {
					write(t, b.src, kind+"/f", kind+"/sub/g")
				}
				write(t, b.src, numbered("kept", 80)...)
				b.pass()
				emptyTrash(t, b)
				b.equal()
				// As it comes to be when the change of the mode here goes unseen
				// before the directory does.
				for _, kind := range kinds {
					check(t, os.Chmod(filepath.Join(b.dst, kind, "sub"), mode))
					check(t, os.Chmod(filepath.Join(b.dst, kind), mode))
				}
				at := func(name string) string { return filepath.Join(b.src, name) }
				for _, kind := range kinds[:4] {
					check(t, os.RemoveAll(at(kind)))
				}
				write(t, b.src, "file")
				check(t, os.Symlink("kept1", at("link")))
				give(t, at("link"))
				check(t, os.Rename(at("renamed"), at("elsewhere")))
				check(t, os.Remove(at("emptied/f")))
				check(t, os.RemoveAll(at("emptied/sub")))
				write(t, b.src, "written/new")
				b.change(watch.Meta, "emptied", "written")
				if mode == 0o555 {
					// One that keeps its mode is made writable for the time being.
					check(t, os.Chmod(at("written"), mode))
				}
				b.change(watch.Entry|watch.Tree, "removed", "removed/sub", "file/sub", "link/sub", "emptied/sub")
				b.change(watch.Entry, "removed/f", "removed/sub/g", "file/f", "link/f", "emptied/f")
				b.change(made, "written/new", "file", "link")
				b.moved("renamed", "elsewhere", madeDir)
				b.drain()
				b.pass()
				b.drain()
				emptyTrash(t, b)
				b.equal()
			})
		}
	}
}

// What a module cache is made of, and how it goes.
func TestManyDirectoriesThatAreReadOnlyGo(t *testing.T) {
	remotetest.Long(t, testing.Short())
	if againAsNobody(t) {
		return
	}
	b := newBench(t)
	b.remote.DelayUpdates = true
	const directories, files = 20, 40
	write(t, b.src, numbered("kept", 2*directories*files)...)
	for i := range directories {
		write(t, b.src, numbered(fmt.Sprintf("d%d/f", i), files)...)
	}
	b.pass()
	b.equal()
	runs := countRuns(t)
	for i := range directories {
		dir := fmt.Sprintf("d%d", i)
		check(t, os.Chmod(filepath.Join(b.dst, dir), 0o555))
		check(t, os.RemoveAll(filepath.Join(b.src, dir)))
		b.change(watch.Entry, numbered(dir+"/f", files)...)
		b.change(watch.Entry|watch.Tree, dir)
	}
	b.drain()
	b.equal()
	// To count, to delete, to lift the modes, and to delete again.
	if n := runs(""); n > 6 {
		t.Errorf("rsync ran %d times", n)
	}
}

// What is in a directory that cannot be read is counted before it is deleted.
func TestUnreadableDirectoryIsCounted(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	if againAsNobody(t) {
		return
	}
	b := newBench(t)
	b.remote.DelayUpdates = true
	write(t, b.src, numbered("big/sub/f", 150)...)
	write(t, b.src, "kept/f")
	b.pass()
	for _, dir := range []string{"big/sub", "big", "kept"} {
		check(t, os.Chmod(filepath.Join(b.dst, dir), 0))
	}
	check(t, os.Chmod(filepath.Join(b.src, "kept"), 0o500))
	check(t, os.RemoveAll(filepath.Join(b.src, "big")))
	b.change(watch.Entry|watch.Tree, "big")
	b.transfer()
	if b.Account().Hold == nil || b.Account().Hold.Names.Len() != 152 {
		t.Fatalf("held: %+v", b.Account().Hold)
	}
	if !exists(filepath.Join(b.dst, "big/sub/f149")) {
		t.Error("something is deleted that is held")
	}
	b.approve()
	b.drain()
	b.pass()
	b.equal()
}
