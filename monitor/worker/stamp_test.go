package worker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/walk"

	"go.uber.org/zap"
)

func TestStamp(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	path := StampPath(dir, config.Remote{Name: "r", RemotePath: "/there", Connection: config.Connection{Local: &config.Local{}}})
	if other := StampPath(dir, config.Remote{Name: "r", RemotePath: "/elsewhere", Connection: config.Connection{Local: &config.Local{}}}); other == path {
		t.Error("two destinations have one stamp")
	}
	renamed := config.Remote{Name: "r", RemotePath: "/there", Connection: config.Connection{Local: &config.Local{}}}
	renamed.Rename("s")
	if other := StampPath(dir, renamed); other != path {
		t.Error("a remote with another name has another stamp")
	}
	if got := readStamp(System{}, path, nil, now); !got.IsZero() {
		t.Errorf("no stamp is %v", got)
	}
	check(t, writeStamp(System{}, path, nil, now))
	if got := readStamp(System{}, path, nil, now.Add(time.Second)); !got.Equal(now) {
		t.Errorf("%v came back as %v", now, got)
	}
	// Everything is in doubt when the clock was set back, or the stamp is damaged.
	early := time.Unix(0, 0)
	if got := readStamp(System{}, path, nil, now.Add(-time.Second)); !got.Equal(early) {
		t.Errorf("a stamp of the future is %v", got)
	}
	check(t, os.WriteFile(path, []byte("2026-"), 0o600))
	if got := readStamp(System{}, path, nil, now); !got.Equal(early) {
		t.Errorf("a damaged stamp is %v", got)
	}
}

// TestStampOfAnotherRoot: what is in another directory may have been there, unchanged and
// other than on the remote, for long.
func TestStampOfAnotherRoot(t *testing.T) {
	path, now := filepath.Join(t.TempDir(), "clean"), time.Now()
	root, other := &config.RootIdentity{Device: 1, Inode: 2, FileSystem: "ab"}, &config.RootIdentity{Device: 1, Inode: 3, FileSystem: "ab"}
	rebooted := &config.RootIdentity{Device: 7, Inode: 2, FileSystem: "ab"}
	early := time.Unix(0, 0)
	for _, test := range []struct {
		name           string
		written, asked *config.RootIdentity
		want           time.Time
	}{
		{"the same", root, root, now}, {"with another number", root, rebooted, now}, {"another", root, other, early},
		{"not known before", nil, root, now}, {"not known now", root, nil, now},
	} {
		check(t, writeStamp(System{}, path, test.written, now))
		if got := readStamp(System{}, path, test.asked, now.Add(time.Second)); !got.Equal(test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// The time of the inode tells of a change whose modification time was set back.
func TestChangedSince(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b", "d/c"} {
		check(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		check(t, os.WriteFile(filepath.Join(root, name), []byte("x"), 0o644))
	}
	check(t, os.Symlink("a", filepath.Join(root, "link")))
	long := time.Now().Add(-24 * time.Hour)
	check(t, os.Chtimes(filepath.Join(root, "d/c"), long, long))
	tree := walk.Tree{Root: root}
	paths, all := tree.ChangedSince(t.Context(), long, 10)
	slices.Sort(paths)
	if want := []string{"a", "b", "d/c"}; !all || !slices.Equal(paths, want) {
		t.Errorf("%q, %v", paths, all)
	}
	if paths, all := tree.ChangedSince(t.Context(), time.Now().Add(time.Hour), 10); !all || len(paths) > 0 {
		t.Errorf("%q changed in the future", paths)
	}
	if paths, all := tree.ChangedSince(t.Context(), long, 2); all || len(paths) != 2 {
		t.Errorf("%q, %v with a limit of 2", paths, all)
	}
}

// A monitor that is killed during the first pass has sent files that changed
// meanwhile.
func TestStampOfTheFirstPass(t *testing.T) {
	stamp, began := filepath.Join(t.TempDir(), "clean"), time.Now()
	o := Options{Log: zap.NewNop(), Stamp: stamp}
	New(o, config.Remote{Name: "r"})
	first := readStamp(System{}, stamp, nil, time.Now())
	if first.IsZero() || first.After(began) || began.Sub(first) > time.Minute {
		t.Errorf("begun at %v, the stamp is %v", began, first)
	}
	New(o, config.Remote{Name: "r"})
	if later := readStamp(System{}, stamp, nil, time.Now()); !later.Equal(first) {
		t.Errorf("the next one makes %v of it", later)
	}
}
