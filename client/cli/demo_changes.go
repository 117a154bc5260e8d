package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"wsync/config"
)

// demoChange is one thing that people do to files.
type demoChange struct {
	name  string
	do    func(root string) error
	paths []string // where it shows
}

// demoChanges are changes of all kinds, for the tree of demo.prepare.
func demoChanges() []demoChange {
	at := filepath.Join
	return []demoChange{
		{"create a file", func(root string) error {
			return os.WriteFile(at(root, "new.txt"), []byte("hello\n"), 0o644)
		}, []string{"new.txt"}},
		{"replace its content", func(root string) error {
			return os.WriteFile(at(root, "new.txt"), []byte("HELLO\n"), 0o644)
		}, []string{"new.txt"}},
		{"append to a file", func(root string) error {
			file, err := os.OpenFile(at(root, "notes.txt"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer file.Close()
			_, err = file.WriteString("second line\n")
			return err
		}, []string{"notes.txt"}},
		{"save as editors do, by renaming", func(root string) error {
			if err := os.WriteFile(at(root, ".todo.swp"), []byte("buy milk\n"), 0o644); err != nil {
				return err
			}
			return os.Rename(at(root, ".todo.swp"), at(root, "todo.txt"))
		}, []string{"todo.txt", ".todo.swp"}},
		{"make a file executable", func(root string) error {
			return os.Chmod(at(root, "src/main.c"), 0o755)
		}, []string{"src/main.c"}},
		{"rename a file", func(root string) error {
			return os.Rename(at(root, "new.txt"), at(root, "docs/moved.txt"))
		}, []string{"new.txt", "docs/moved.txt"}},
		{"make a directory with a file", func(root string) error {
			if err := os.MkdirAll(at(root, "deep/er"), 0o755); err != nil {
				return err
			}
			return os.WriteFile(at(root, "deep/er/file"), make([]byte, 100_000), 0o600)
		}, []string{"deep", "deep/er", "deep/er/file"}},
		{"rename a directory", func(root string) error {
			return os.Rename(at(root, "docs"), at(root, "manual"))
		}, []string{"docs", "manual", "manual/guide.md", "manual/api/v1.md", "manual/moved.txt"}},
		{"make a symbolic link", func(root string) error {
			return os.Symlink("manual/guide.md", at(root, "README"))
		}, []string{"README"}},
		{"remove a file", func(root string) error {
			return os.Remove(at(root, "manual/moved.txt"))
		}, []string{"manual/moved.txt"}},
		{"remove a directory with all in it", func(root string) error {
			return os.RemoveAll(at(root, "src/old"))
		}, []string{"src/old"}},
	}
}

// samePaths says whether paths are the same below both roots, but for the
// times: what a file holds is there before its time is set.
func samePaths(source, remote string, paths []string) error {
	for _, path := range paths {
		if err := sameEntry(filepath.Join(source, path), filepath.Join(remote, path), path, false); err != nil {
			return err
		}
	}
	return nil
}

// sameTrees says whether the trees are the same, times of files included, but for
// what wsync keeps at the destination.
func sameTrees(source, remote string) error {
	// Either way round: what only one of them holds must be noticed.
	for _, root := range []string{source, remote} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			if relative == config.TempDirectory {
				return filepath.SkipDir
			}
			return sameEntry(filepath.Join(source, relative), filepath.Join(remote, relative), relative, true)
		})
		if err != nil {
			return fmt.Errorf("%s is not like the workspace: %w", remote, err)
		}
	}
	return nil
}

// entry is what there is to compare about a file, the zero value one that is
// not there.
type entry struct {
	mode    fs.FileMode
	content string // of a file; the target of a symbolic link
	changed time.Time
}

func sameEntry(source, remote, name string, times bool) error {
	here, err := entryAt(source, times)
	if err != nil {
		return err
	}
	there, err := entryAt(remote, times)
	switch {
	case err != nil:
		return err
	case here == there:
		return nil
	case here.mode == 0:
		return fmt.Errorf("%s is still there", name)
	case there.mode == 0:
		return fmt.Errorf("%s is missing", name)
	case here.mode != there.mode:
		return fmt.Errorf("%s has the mode %v instead of %v", name, there.mode, here.mode)
	case here.content != there.content:
		return fmt.Errorf("%s has another content", name)
	}
	return fmt.Errorf("%s has the time %v instead of %v", name, there.changed, here.changed)
}

// missing says that there is nothing at a path, not even the directory.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// entryAt looks at a path. The time is left out of it unless times is set and
// it is a file.
func entryAt(path string, times bool) (entry, error) {
	info, err := os.Lstat(path)
	if missing(err) {
		return entry{}, nil
	}
	if err != nil {
		return entry{}, err
	}
	e := entry{mode: info.Mode()}
	switch {
	case info.Mode().IsRegular():
		var content []byte
		content, err = os.ReadFile(path)
		e.content = string(content)
		if times {
			e.changed = info.ModTime()
		}
	case info.Mode()&fs.ModeSymlink != 0:
		e.content, err = os.Readlink(path)
	}
	if missing(err) {
		return entry{}, nil // removed meanwhile
	}
	return e, err
}
