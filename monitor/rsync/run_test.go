package rsync

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

// everywhere runs a test with all kinds of endpoints that differ to rsync; with -short,
// with those two that differ most.
func everywhere(t *testing.T, test func(t *testing.T, endpoint func(dst string) Endpoint)) {
	for name, endpoint := range map[string]func(t *testing.T, dst string) Endpoint{
		"local":        func(_ *testing.T, dst string) Endpoint { return local(dst, modern) },
		"remote shell": func(t *testing.T, dst string) Endpoint { return remote(t, dst, "", modern) },
		"without delete-missing-args": func(t *testing.T, dst string) Endpoint {
			return remote(t, dst, stub(t, "1", "--delete-missing-args"), Strategy{Nanoseconds: true, Mkpath: true})
		},
		"basic": func(t *testing.T, dst string) Endpoint {
			refused := []string{"--force", "--max-delete", "--mkpath", "-@", "--modify-window", "--delete-missing-args"}
			return remote(t, dst, stub(t, "1", refused...), Strategy{Basic: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "remote shell" && name != "basic" {
				remotetest.Long(t, testing.Short())
			}
			test(t, func(dst string) Endpoint { return endpoint(t, dst) })
		})
	}
}

// odd are entries with odd names, in the root and below.
func odd() map[string]string {
	entries := map[string]string{"link": "-> nowhere", "empty/": "", "dir/deep/er/file": "deep"}
	for _, name := range oddNames {
		entries[name] = "content"
		entries["dir/"+name+"/f"] = "below"
	}
	return entries
}

func TestFullPass(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, endpoint func(string) Endpoint) {
		src, dst := dir(t, 0), dir(t, 0)
		tree(t, src, odd())
		tree(t, dst, map[string]string{"extra/a/b": "x", "dir/extra": "x", "failing/there": "x", "link": "a file", "empty": "a file"})
		tree(t, src, map[string]string{"failing/here": "x"})
		e := endpoint(dst)

		var progress []Progress
		r, err := Run(t.Context(), src, Environment(""), fullPass(e, []string{"failing"}, 0), func(p Progress) { progress = append(progress, p) })
		check(t, err)
		verdict, _ := Classify(r.Code)
		if want := PartialDeletion; verdict != want && !(e.Strategy.Basic && verdict == Done) {
			t.Errorf("the first pass ended with %d:\n%s", r.Code, r.Stderr)
		}
		if r.Deleted != 0 {
			t.Errorf("it deleted %q", r.DeletedSample)
		}
		for _, name := range []string{"extra/a/b", "dir/extra", "failing/there"} {
			if _, err := os.Stat(filepath.Join(dst, name)); err != nil {
				t.Errorf("it deleted: %v", err)
			}
		}
		files := 1 + 2*len(oddNames) // "deep" and the odd ones
		if r.Files != files || len(progress) == 0 || progress[len(progress)-1] != r.Progress {
			t.Errorf("it sent %d of %d files, and last reported %v of %v", r.Files, files, progress, r.Progress)
		}
		if want := len(listing(t, src)) + 1 - 2; r.Entries != want { // with the root, without what fails
			t.Errorf("%d entries, expected %d", r.Entries, want)
		}

		deletions := run(t, src, ListDeletions(e, []string{"failing"}))
		if want := 4; deletions.Deleted != want { // extra/a/b and its parents, dir/extra
			t.Errorf("%d deletions: %q, expected %d", deletions.Deleted, deletions.DeletedSample, want)
		}
		slices.Sort(deletions.DeletedSample)
		if want := []string{"dir/extra", "extra/", "extra/a/", "extra/a/b"}; !slices.Equal(deletions.DeletedSample, want) {
			t.Errorf("deletions %q, expected %q", deletions.DeletedSample, want)
		}
		if _, err := os.Stat(filepath.Join(dst, "extra/a/b")); err != nil {
			t.Fatalf("to list deletions deletes: %v", err)
		}
		if r := run(t, src, fullPass(e, []string{"failing"}, deletions.Deleted)); r.Deleted != 4 || r.Files != 0 {
			t.Errorf("the second pass deleted %d and sent %d", r.Deleted, r.Files)
		}
		check(t, os.RemoveAll(filepath.Join(src, "failing")))
		age(t, src)
		if got := listing(t, filepath.Join(dst, "failing")); !slices.Equal(got, []string{"there"}) {
			t.Errorf("what is left alone became %q", got)
		}
		if r := run(t, src, fullPass(e, nil, 100)); r.Deleted != 2 {
			t.Errorf("the last pass deleted %d", r.Deleted)
		}
		same(t, src, dst)
		if r := run(t, src, fullPass(e, nil, 0)); r.Changed != 0 {
			t.Errorf("a pass over equal trees found %d changes", r.Changed)
		}
	})
}

// More may have to go than was counted: the limit holds.
func TestFullPassStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	src, dst := dir(t, 0), dir(t, 0)
	tree(t, dst, map[string]string{"a": "", "b": "", "c": "", "d": ""})
	if r := run(t, src, fullPass(local(dst, modern), nil, 3), 25); r.Deleted != 3 {
		t.Errorf("deleted %d", r.Deleted)
	}
	if left := listing(t, dst); len(left) != 1 {
		t.Errorf("left %q", left)
	}
}

// A change within the same second is found where fractions are kept.
func TestFullPassSeesFractions(t *testing.T) {
	t.Parallel()
	src, dst := dir(t, 0), dir(t, 0)
	tree(t, src, map[string]string{"f": "one"})
	age(t, src)
	e := local(dst, modern)
	run(t, src, fullPass(e, nil, 0))
	check(t, os.WriteFile(filepath.Join(src, "f"), []byte("two"), 0o644))
	stamp := time.Unix(1_500_000_000, 123456790)
	check(t, os.Chtimes(filepath.Join(src, "f"), stamp, stamp))
	if r := run(t, src, fullPass(e, nil, 0)); r.Files != 1 {
		t.Errorf("sent %d files", r.Files)
	}
	same(t, src, dst)
}

func TestMkpath(t *testing.T) {
	t.Parallel()
	src, dst := dir(t, 0), filepath.Join(dir(t, 0), "no", "such dir")
	tree(t, src, map[string]string{"f": "x"})
	r := run(t, src, fullPass(local(dst, Strategy{}), nil, 0), 11)
	if !ParseStderr(r.Stderr, src, dst).MissingDestination {
		t.Errorf("a missing destination is not found in:\n%s", r.Stderr)
	}
	run(t, src, fullPass(local(dst, modern), nil, 0))
	same(t, src, dst)
}

func TestListDeletionsWithoutDestination(t *testing.T) {
	t.Parallel()
	src := dir(t, 0)
	dst := filepath.Join(src+"-no", "such dir")
	for _, e := range []Endpoint{local(dst, modern), remote(t, dst, "", modern)} {
		r := run(t, src, ListDeletions(e, nil), 0, 11)
		if r.Deleted != 0 || r.Code != 0 && !ParseStderr(r.Stderr, src, dst).MissingDestination {
			t.Errorf("%d deletions, code %d\n%s", r.Deleted, r.Code, r.Stderr)
		}
	}
	if _, err := os.Stat(src + "-no"); err == nil {
		t.Error("to list deletions makes the destination")
	}
}

func TestTrees(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, endpoint func(string) Endpoint) {
		src, dst := dir(t, 0), dir(t, 0)
		tree(t, src, map[string]string{"t/same": "one", "t/new/deep": "x", "t/ex/here": "x", "other/new": "x", "new": "x", "nest/ed/t/f": "x", "nest/ed/other": "x", "nest/other": "x"})
		tree(t, dst, map[string]string{"t/same": "two", "t/extra/x": "x", "t/new": "a file", "t/ex/there": "x", "other/extra": "x", "extra": "x", "nest/extra": "x", "nest/ed/extra": "x"})
		for _, name := range oddNames {
			tree(t, src, map[string]string{name + "/new": "x"})
			tree(t, dst, map[string]string{name + "/extra": "x"})
		}
		// Equal size and time: only the bytes tell.
		age(t, src)
		age(t, filepath.Join(dst, "t"))
		paths := append([]string{"t", "nest/ed/t"}, oddNames...)
		run(t, src, compareTrees(endpoint(dst), paths, []string{"t/ex"}))

		if got, want := listing(t, filepath.Join(dst, "t")), []string{"ex/", "ex/there", "new/", "new/deep", "same"}; !slices.Equal(got, want) {
			t.Errorf("the tree is %q, expected %q", got, want)
		}
		check(t, os.RemoveAll(filepath.Join(src, "t/ex")))
		check(t, os.RemoveAll(filepath.Join(dst, "t/ex")))
		age(t, filepath.Join(src, "t"))
		age(t, filepath.Join(dst, "t"))
		for _, p := range paths {
			same(t, filepath.Join(src, p), filepath.Join(dst, p))
		}
		outside := listing(t, dst)
		outside = slices.DeleteFunc(outside, func(p string) bool {
			return slices.ContainsFunc(paths, func(q string) bool { return strings.HasPrefix(p, q+"/") })
		})
		if want := []string{"extra", "nest/", "nest/ed/", "nest/ed/extra", "nest/extra", "other/", "other/extra"}; !slices.Equal(outside, want) {
			t.Errorf("outside is %q, expected %q", outside, want)
		}
	})
}

// A tree that failed before is tried again, although it and what is above it
// are left out of others: rsync would send nothing, and call that a success.
func TestTreesThatAreExceptions(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, endpoint func(string) Endpoint) {
		src, dst := dir(t, 0), dir(t, 0)
		tree(t, src, map[string]string{"a/t/new": "x", "a/new": "x", "a/t/no/x": "x"})
		tree(t, dst, map[string]string{"a/t/extra": "x", "a/extra": "x"})
		run(t, src, compareTrees(endpoint(dst), []string{"a/t"}, []string{"a/t/no", "b"}))
		if got, want := listing(t, dst), []string{"a/", "a/extra", "a/t/", "a/t/new"}; !slices.Equal(got, want) {
			t.Errorf("became %q, expected %q", got, want)
		}
	})
}

// What is too long for arguments goes as a list.
func TestLongLists(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	src, dst := dir(t, 0), dir(t, 0)
	long := strings.Repeat("l", 200)
	files := map[string]string{"other": "x"}
	var trees, paths []string
	for i := range listRoom/len(long)/2 + 1 {
		name := fmt.Sprint(i, long)
		files["t"+name+"/f"], files["p"+name] = "x", "x"
		trees, paths = append(trees, "t"+name), append(paths, "p"+name)
	}
	tree(t, src, files)
	run(t, src, compareTrees(local(dst, modern), append(trees, paths...), nil))
	if n := len(listing(t, dst)); n != 2*len(trees)+len(paths) {
		t.Errorf("%d are there, of %d trees", n, len(trees))
	}
	check(t, os.RemoveAll(dst))
	check(t, os.Mkdir(dst, 0o755))
	run(t, src, Paths(local(dst, modern), append(paths, trees...), true))
	if n := len(listing(t, dst)); n != len(paths)+len(trees) {
		t.Errorf("%d are there, of %d paths", n, len(paths)+len(trees))
	}
}

// littleRoom is set for the run of the test program that has little room.
const littleRoom = "WSYNC_LITTLE_ROOM"

// Where there is less room for arguments than usual, the list goes as a list.
func TestLittleRoomForArguments(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	if os.Getenv(littleRoom) == "" {
		// The limit is a quarter of the stack's, which is the test program's own.
		cmd := exec.Command("sh", "-c", `ulimit -s 1024 && exec timeout 60 "$0" -test.run '^TestLittleRoomForArguments$'`, os.Args[0])
		cmd.Env = append(os.Environ(), littleRoom+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	src, dst := dir(t, 0), dir(t, 0)
	tree(t, src, map[string]string{"f": "x"})
	paths := []string{"f"}
	for i := range listRoom / 250 {
		paths = append(paths, fmt.Sprint("gone", i, strings.Repeat("l", 200)))
	}
	run(t, src, Paths(local(dst, modern), paths, true))
	if got := listing(t, dst); !slices.Equal(got, []string{"f"}) {
		t.Errorf("%q are there", got)
	}
}

func TestTreesThatAreGone(t *testing.T) {
	t.Parallel()
	src, dst := dir(t, 0), dir(t, 0)
	tree(t, src, map[string]string{"a/": ""})
	tree(t, dst, map[string]string{"a/gone/x": "x", "a/extra": "x"})
	run(t, src, compareTrees(local(dst, modern), []string{"a/gone"}, nil))
	if got, want := listing(t, dst), []string{"a/", "a/extra"}; !slices.Equal(got, want) {
		t.Errorf("became %q, expected %q", got, want)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, endpoint func(string) Endpoint) {
		src, dst := dir(t, 0), dir(t, 0)
		e := endpoint(dst)
		tree(t, src, map[string]string{"f": "one", "d/f": "x", "d/other": "x", "l": "-> f", "was-dir": "file", "was-file/": "", "new/deep/f": "x"})
		tree(t, dst, map[string]string{"f": "two", "d/extra": "x", "l": "file", "was-file": "x"})
		wanted := []string{"f", "d", "d/f", "l", "new/deep/f"}
		if !e.Strategy.Basic { // which has no way to clear a directory
			tree(t, dst, map[string]string{"was-dir/with/content": "x"})
		}
		wanted = append(wanted, "was-dir", "was-file")
		for _, name := range oddNames {
			tree(t, src, map[string]string{name: "new"})
			wanted = append(wanted, name)
		}
		age(t, src)
		stamp := time.Unix(1_500_000_000, 123456789)
		check(t, os.Chtimes(filepath.Join(dst, "f"), stamp, stamp))
		check(t, os.Chtimes(filepath.Join(dst, "d"), stamp, stamp))
		run(t, src, Paths(e, wanted, true))
		for _, p := range wanted {
			if p != "d" {
				same(t, filepath.Join(src, p), filepath.Join(dst, p))
			}
		}
		if got, want := listing(t, filepath.Join(dst, "d")), []string{"extra", "f"}; !slices.Equal(got, want) {
			t.Errorf("the directory is %q, expected %q", got, want)
		}
		// What is of the same size and second is not read if nobody asks for it.
		check(t, os.WriteFile(filepath.Join(dst, "f"), []byte("two"), 0o644))
		check(t, os.Chtimes(filepath.Join(dst, "f"), stamp, stamp))
		if r := run(t, src, Paths(e, []string{"f"}, false)); r.Files != 0 {
			t.Error("a quick comparison read a file")
		}
		if r := run(t, src, Paths(e, []string{"f"}, true)); r.Files != 1 || r.Bytes != 3 {
			t.Errorf("a comparison of contents sent %v", r.Progress)
		}
		same(t, filepath.Join(src, "f"), filepath.Join(dst, "f"))
	})
}

func TestRoot(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, endpoint func(string) Endpoint) {
		src, dst := dir(t, 0), dir(t, 0)
		tree(t, src, map[string]string{"f": "x", "d/f": "x"})
		tree(t, dst, map[string]string{"e": "x"})
		check(t, os.Chmod(src, 0o751))
		age(t, src)
		run(t, src, Root(endpoint(dst)))
		info, err := os.Stat(dst)
		check(t, err)
		if info.Mode().Perm() != 0o751 || !info.ModTime().Equal(time.Unix(1_500_000_000, 123456789)) {
			t.Errorf("the root is %v of %v", info.Mode(), info.ModTime())
		}
		if got := listing(t, dst); !slices.Equal(got, []string{"e"}) {
			t.Errorf("the root holds %q", got)
		}
	})
}

func TestRunEndsEarly(t *testing.T) {
	t.Parallel()
	e := remote(t, "/x", "", modern)
	d := dir(t, 0)
	e.SSH = []string{"/bin/sh", "-c", "echo > " + d + "/began; exec sleep 60"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := Run(ctx, d, Environment(""), Root(e), nil)
		done <- err
	}()
	poll(t, "the beginning", func() bool { _, err := os.Stat(d + "/began"); return err == nil })
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
}

func TestRunWithoutRsync(t *testing.T) {
	t.Setenv("PATH", dir(t, 0))
	if _, err := Run(t.Context(), "/", nil, Root(local("/x", modern)), nil); !errors.Is(err, exec.ErrNotFound) {
		t.Error(err)
	}
	if _, err := LocalVersion(t.Context()); !errors.Is(err, exec.ErrNotFound) {
		t.Error(err)
	}
}

func TestRunKilledBySignal(t *testing.T) {
	d := dir(t, 0)
	remotetest.WriteScript(t, filepath.Join(d, "rsync"), "kill -9 $$")
	t.Setenv("PATH", d)
	if r := run(t, d, Root(local("/x", modern)), 20); r.Code != 20 {
		t.Errorf("code %d", r.Code)
	}
}

// rsync says on standard output that it deletes nothing.
func TestReadErrorsSkipDeletions(t *testing.T) {
	t.Parallel()
	src, dst := dir(t, nobody), dir(t, nobody)
	tree(t, src, map[string]string{"secret/x": "x"})
	tree(t, dst, map[string]string{"secret/there": "x"})
	for _, d := range []string{src, dst} {
		if os.Geteuid() == 0 {
			check(t, os.Chown(filepath.Join(d, "secret"), nobody, nobody))
		}
	}
	check(t, os.Chmod(filepath.Join(src, "secret"), 0))
	code, out, errs := runAsNobody(t, src, fullPass(local(dst, modern), nil, 5))
	var r Result
	for line := range strings.Lines(out) {
		r.readLine(strings.TrimSuffix(line, "\n"))
	}
	c := ParseStderr(errs+r.reported.String(), src, dst)
	if code != 23 || !c.DeletionsSkipped || r.Deleted != 0 {
		t.Errorf("code %d, %d deleted, %+v\n%s", code, r.Deleted, c, out)
	}
	check(t, os.Chmod(filepath.Join(dst, "secret"), 0o700))
	if got := listing(t, dst); !slices.Equal(got, []string{"secret/", "secret/there"}) {
		t.Errorf("what could not be read was deleted: %q is left", got)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	t.Setenv("SSH_AUTH_SOCK", "/old")
	for sock, want := range map[string]string{"": "/old", "/new": "/new"} {
		cmd := exec.Command("/bin/sh", "-c", "echo $LC_ALL $SSH_AUTH_SOCK")
		cmd.Env = Environment(sock)
		out, err := cmd.Output()
		check(t, err)
		if got := strings.TrimSpace(string(out)); got != "C "+want {
			t.Errorf("%q: %s", sock, got)
		}
	}
}

// The daemon of rsync: the same jobs arrive there.
func TestDaemon(t *testing.T) {
	t.Parallel()
	src, dst := dir(t, 0), dir(t, 0)
	d := remotetest.StartRsyncDaemon(t, map[string]string{"mod": dst}, remotetest.RsyncDaemonOptions{Users: map[string]string{"u": "secret"}})
	password := filepath.Join(dir(t, 0), "password")
	check(t, os.WriteFile(password, []byte("secret\n"), 0o600))
	tree(t, src, odd())
	delete := "gone"
	tree(t, dst, map[string]string{"sub/" + delete: "x", "sub/extra": "x"})
	e := daemonEndpoint(d, "mod/sub", password)
	run(t, src, Paths(e, []string{delete, "#hash"}, true))
	if got := listing(t, filepath.Join(dst, "sub")); !slices.Equal(got, []string{"#hash", "extra"}) {
		t.Errorf("became %q", got)
	}
	// A daemon that does not use chroot changes symbolic links on its disk.
	check(t, os.Remove(filepath.Join(src, "link")))
	run(t, src, fullPass(e, nil, 10))
	same(t, src, filepath.Join(dst, "sub"))

	check(t, os.WriteFile(password, []byte("wrong\n"), 0o600))
	r := run(t, src, fullPass(e, nil, 0), 5)
	if message, hint := Words(r.Code, ParseStderr(r.Stderr, src, "mod/sub")); !strings.Contains(message, "refused the user") || hint == "" {
		t.Errorf("%s (%s)", message, hint)
	}
	d.Stop()
	r = run(t, src, fullPass(e, nil, 0), 10)
	if message, hint := Words(r.Code, ParseStderr(r.Stderr, src, "mod/sub")); !strings.Contains(message, "Connection refused") || hint == "" {
		t.Errorf("%s (%s)", message, hint)
	}
}
