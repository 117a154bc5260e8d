package mounts

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"wsync/config"
	"wsync/monitor/watch/watchtest"
)

// Another file system in the place of one that is gone has the same line in the
// table, numbers and all, and is another one.
func TestAnotherInItsPlace(t *testing.T) {
	if !watchtest.InChild() {
		watchtest.RunChild(t, watchtest.Child{Mounts: true})
		return
	}
	root := t.TempDir()
	path := filepath.Join(root, "m")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	mount := func() { t.Helper(); must(syscall.Mount("none", path, "tmpfs", 0, "size=1m")) }
	must(os.Mkdir(path, 0o755))
	table := New(root)
	defer table.Close()
	memory := Read(filepath.Join(t.TempDir(), "memory"), config.Remote{})

	mount()
	before, turn := table.Now()
	must(memory.Compare(before, turn))
	if len(before) != 1 || len(memory.Away) > 0 {
		t.Fatalf("%+v, away: %q", before, memory.Away)
	}
	must(syscall.Unmount(path, 0))
	mount()
	defer syscall.Unmount(path, syscall.MNT_DETACH)
	after, turn := table.Now()
	must(memory.Compare(after, turn))
	if before[0].FSID == "" || before[0].ID != after[0].ID {
		t.Skipf("this kernel tells them apart anyway, or not at all: %+v, %+v", before, after)
	}
	if !slices.Equal(memory.Away, []string{"m"}) {
		t.Errorf("not noticed: %+v, %+v", before, after)
	}
}
