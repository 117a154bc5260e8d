package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"wsync/config/filesystem"
)

func TestSince(t *testing.T) {
	file := func(id, rest uint64) print { return print{id: id, rest: rest} }
	dir := print{id: 9, rest: 1, dir: true}
	eio, estale := unknown(syscall.EIO), unknown(syscall.ESTALE)
	for _, test := range []struct {
		name        string
		before, now Snapshot
		want        []Difference
	}{
		{"nothing", Snapshot{"a": file(1, 1)}, Snapshot{"a": file(1, 1)}, nil},
		{"empty", Snapshot{}, Snapshot{}, nil},
		{"new", Snapshot{}, Snapshot{"a": file(1, 1)}, []Difference{{Name: "a", Is: true, Replaced: true}}},
		{"gone", Snapshot{"a": file(1, 1)}, Snapshot{}, []Difference{{Name: "a", Was: true}}},
		{"a directory is gone", Snapshot{"a": dir}, Snapshot{}, []Difference{{Name: "a", Was: true, WasDir: true}}},
		{"changed", Snapshot{"a": file(1, 1)}, Snapshot{"a": file(1, 2)}, []Difference{{Name: "a", Was: true, Is: true}}},
		{"replaced", Snapshot{"a": file(1, 1)}, Snapshot{"a": file(2, 1)}, []Difference{{Name: "a", Was: true, Is: true, Replaced: true}}},
		{"a directory now", Snapshot{"a": file(1, 1)}, Snapshot{"a": dir}, []Difference{{Name: "a", Was: true, Is: true, IsDir: true, Replaced: true}}},
		// Whatever cannot be looked at is there.
		{"out of reach", Snapshot{"a": dir}, Snapshot{"a": eio}, []Difference{{Name: "a", Was: true, Is: true, WasDir: true, Replaced: true}}},
		{"still out of reach", Snapshot{"a": eio}, Snapshot{"a": eio}, nil},
		{"in another way", Snapshot{"a": eio}, Snapshot{"a": estale}, []Difference{{Name: "a", Was: true, Is: true}}},
		{"back", Snapshot{"a": eio}, Snapshot{"a": file(1, 1)}, []Difference{{Name: "a", Was: true, Is: true, Replaced: true}}},
	} {
		if got := test.now.Since(test.before); !slices.Equal(got, test.want) {
			t.Errorf("%s: %+v, not %+v", test.name, got, test.want)
		}
	}
}

func TestTake(t *testing.T) {
	dir := t.TempDir()
	id, err := Identify(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "d"), 0o755), os.WriteFile(filepath.Join(dir, "f"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	entries, dirs, err := Take(dir, id, filesystem.Type{})
	if err != nil || len(entries) != 2 || !slices.Equal(dirs, []string{"d"}) {
		t.Errorf("%v, %q, %v", entries, dirs, err)
	}
	if _, _, err := Take(filepath.Join(dir, "d"), id, filesystem.Type{}); !errors.Is(err, errReplaced) {
		t.Errorf("another directory: %v", err)
	}
	if _, _, err := Take(filepath.Join(dir, "none"), id, filesystem.Type{}); !Gone(err) {
		t.Errorf("none: %v", err)
	}
}

// No error but those that say so means that a directory is gone, and those of file
// systems that do not work are explained.
func TestErrors(t *testing.T) {
	for _, test := range []struct {
		err  error
		gone bool
		want string
	}{
		{syscall.ENOENT, true, "no such file"},
		{syscall.ENOTDIR, true, "not a directory"},
		{syscall.EACCES, false, "permission denied"},
		{syscall.EIO, false, "does not work (input/output error)"},
		{syscall.ENOTCONN, false, "does not answer ("},
		{syscall.ESTALE, false, "does not answer ("},
		{&fs.PathError{Op: "lstat", Path: "/x", Err: syscall.EIO}, false, "does not work (lstat /x: "},
		{fmt.Errorf("x: %w", syscall.ETIMEDOUT), false, "does not answer (x: "},
	} {
		if Gone(test.err) != test.gone {
			t.Errorf("%v: gone is not %v", test.err, test.gone)
		}
		got := Explain(test.err)
		if !strings.Contains(got.Error(), test.want) || !errors.Is(got, test.err) {
			t.Errorf("%v: %q", test.err, got)
		}
	}
}

func TestRoot(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "up", "root")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(path, 0o755))
	r := NewRoot(path)
	must(r.Find())
	watched, err := Identify(path)
	must(err)
	look := func(want Finding, says string) {
		t.Helper()
		got, why := r.Look(func(id Identity) bool { return id == watched })
		if got != want || !strings.Contains(why, says) {
			t.Fatalf("%v, %q", got, why)
		}
	}
	look(Same, "")
	must(os.Rename(path, path+"2"))
	look(Lost, "it is gone")
	if text := r.Lose("x"); text != "cannot watch "+path+": x" || !r.Away || r.MayLook() {
		t.Errorf("%q, %+v", text, r)
	}
	look(Same, "")
	must(os.Mkdir(path, 0o755))
	look(Back, "")
	r.Away = false
	look(Lost, "it was replaced")
	must(os.Remove(path))
	must(os.Symlink("root2", path))
	look(Lost, "its path leads to "+path+"2 now")
	must(os.Remove(path))
	must(os.WriteFile(path, nil, 0o644))
	look(Lost, "not a directory")
}
