package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// writeAtomically replaces the file at path by one with data, mode 0600, in
// such a way that after a crash at any moment either the old or the new content is
// there in full. path must not be a symbolic link, which it would replace.
func writeAtomically(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("cannot make a temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			temp.Close()
			os.Remove(temp.Name())
		}
	}()
	if _, err := temp.Write(data); err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	if err := temp.Sync(); err != nil {
		return fmt.Errorf("cannot write to disk: %w", err)
	}
	if err := temp.Close(); err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("cannot put the new file in place: %w", err)
	}
	return syncDirectory(dir)
}

// syncDirectory makes a rename in dir survive a loss of power.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("cannot write to disk: %w", err)
	}
	defer d.Close()
	// Some network and FUSE file systems do not know this call for directories,
	// and there is nothing better on them.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("cannot write the directory to disk: %w", err)
	}
	return nil
}
