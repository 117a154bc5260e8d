package marks

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"wsync/config"
)

// Marks in directories of this machine need no rsync.

// pullLocalMarks copies the marks in directories to those of the same path below
// dir, as rsync would.
func pullLocalMarks(levels []string, dir string) {
	for _, level := range levels {
		from := filepath.Join(level, config.TempDirectory)
		entries, err := os.ReadDir(from)
		if err != nil {
			continue // most have none
		}
		to := filepath.Join(dir, level, config.TempDirectory)
		for _, e := range entries {
			if info, err := e.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > maxLocalMark {
				continue
			}
			if data, err := os.ReadFile(filepath.Join(from, e.Name())); err == nil && os.MkdirAll(to, 0o700) == nil {
				_ = os.WriteFile(filepath.Join(to, e.Name()), data, 0o600) // what is not there is not seen
			}
		}
	}
}

// maxLocalMark is the size above which something is no mark.
const maxLocalMark = 4096

// leaveLocalMark writes a mark to a directory, which is made if it is not there. The
// directory around it must be.
func leaveLocalMark(level, name string, data []byte) error {
	file := filepath.Join(level, name)
	for _, dir := range []string{level, filepath.Dir(file)} {
		if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	_ = os.Chmod(filepath.Dir(file), 0o755) // unless it is somebody else's, who has done so
	temp, err := os.CreateTemp(filepath.Dir(file), "new-")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	// Others who write to the destination must be able to read it.
	return errors.Join(err, temp.Chmod(0o644), temp.Close(), os.Rename(temp.Name(), file))
}

// removeLocalMark removes a mark, and the directory that it is in unless there is more.
func removeLocalMark(level, name string) bool {
	err := os.Remove(filepath.Join(level, name))
	_ = os.Remove(filepath.Join(level, config.TempDirectory)) // unless there is more
	return err == nil
}
