package mounts

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"wsync/config"
	"wsync/config/filesystem"
)

// mountsOf reads "ID type path, ..."; the type may end with a source behind "=".
func mountsOf(text string) (mounts []filesystem.Mount) {
	for part := range strings.SplitSeq(text, ", ") {
		var m filesystem.Mount
		if n, _ := fmt.Sscan(part, &m.ID, &m.Type, &m.Path); n == 3 {
			m.Type, m.Source, _ = strings.Cut(m.Type, "=")
			mounts = append(mounts, m)
		}
	}
	return mounts
}

func TestCompareMounts(t *testing.T) {
	for _, test := range []struct {
		name, known, now, kept, away string
	}{
		{"nothing", "", "", "", ""},
		{"a new one", "", "1 ext4 m", "1 ext4 m", ""},
		{"the same", "1 ext4 m", "1 ext4 m", "1 ext4 m", ""},
		{"mounted again", "1 ext4 m", "2 ext4 m", "2 ext4 m", ""},
		{"unmounted", "1 ext4 m, 2 ext4 n", "2 ext4 n", "1 ext4 m, 2 ext4 n", "m"},
		{"both", "1 ext4 m, 2 ext4 m/n", "", "1 ext4 m, 2 ext4 m/n", "m m/n"},
		{"another in its place", "1 ext4 m", "2 tmpfs m", "1 ext4 m", "m"},
		{"another with its ID", "1 ext4=a m", "1 ext4=b m", "1 ext4=a m", "m"},
		{"along with a directory", "1 ext4 a/m", "1 ext4 b/m", "1 ext4 b/m", ""},
		{"the same elsewhere, too", "1 ext4 a", "2 ext4 b", "1 ext4 a, 2 ext4 b", "a"},
		{"onto the place of another", "1 ext4=a a, 2 ext4=b b", "1 ext4=a b", "1 ext4=a a, 2 ext4=b b", "a b"},
		{"gone, and its ID given away", "1 ext4=a a", "1 ext4=b b", "1 ext4=a a, 1 ext4=b b", "a"},
	} {
		known := make(map[string]filesystem.Mount)
		for _, m := range mountsOf(test.known) {
			known[m.Path] = m
		}
		want := make(map[string]filesystem.Mount)
		for _, m := range mountsOf(test.kept) {
			want[m.Path] = m
		}
		kept, away := compareMounts(known, mountsOf(test.now))
		if !maps.Equal(kept, want) || strings.Join(away, " ") != test.away {
			t.Errorf("%s: %v, away %q", test.name, kept, away)
		}
	}
}

func TestMountMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mounts")
	r := config.Remote{Name: "r"}
	m := Read(file, r)
	if err := m.Compare(mountsOf("1 ext4 m, 2 ext4 n"), 1); err != nil || len(m.Away) > 0 {
		t.Fatal(m.Away, err)
	}
	// the next monitor
	m = Read(file, r)
	if err := m.Compare(mountsOf("7 ext4 n"), 0); err != nil || !slices.Equal(m.Away, []string{"m"}) {
		t.Fatal(m.Away, err)
	}
	if err := m.Forget(m.Away); err != nil {
		t.Fatal(err)
	}
	m = Read(file, r)
	if err := m.Compare(mountsOf("7 ext4 n"), 0); err != nil || len(m.Away) > 0 {
		t.Fatal(m.Away, err)
	}
	// the same remote attached anew, or a file that is broken
	r.AdoptionPending = true
	if m = Read(file, r); len(m.known) > 0 {
		t.Error(m.known)
	}
	r.AdoptionPending = false
	if err := os.WriteFile(file, []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if m = Read(file, r); len(m.known) > 0 {
		t.Error(m.known)
	}
}

func TestUnreachablePlaces(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"d/m", "d/n"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "f"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	lstat := func(name string) (fs.FileInfo, error) {
		if strings.HasPrefix(name, "broken") {
			return nil, &fs.PathError{Op: "lstat", Path: name, Err: syscall.EIO}
		}
		return os.Lstat(filepath.Join(root, name))
	}
	for away, want := range map[string]string{
		"d/m":               "d/m",
		"d/gone":            "d/gone",
		"gone/m":            "gone",
		"gone/a/b gone":     "gone",
		"f/m":               "f",
		"f/m/n":             "f",
		"d/m d/m/n":         "d/m",
		"d/m d/m2":          "d/m d/m2",
		"gone/m gone/n d/n": "d/n gone",
		"broken/a/m":        "broken/a/m",
	} {
		if got := strings.Join(Places(strings.Fields(away), lstat), " "); got != want {
			t.Errorf("%q: %q, expected %q", away, got, want)
		}
	}
	if _, err := lstat("broken"); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
}
