package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"wsync/monitor/report"
)

// NewScratch makes an empty directory below run for what is of use for a moment. A
// process that was killed may have left something there.
func NewScratch(run string) (string, error) {
	dir := filepath.Join(run, "scratch")
	if err := errors.Join(removeAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return "", fmt.Errorf("cannot make a scratch directory: %w", err)
	}
	return dir, nil
}

// NewComparisons makes an empty directory below run for what comparisons find.
func NewComparisons(run string) error {
	dir := filepath.Join(run, report.ComparisonDirectory)
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return fmt.Errorf("cannot make a directory for comparisons: %w", err)
	}
	return nil
}

// removeAll is os.RemoveAll for a tree with directories of any mode.
func removeAll(dir string) error {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, lifted) // before it is read
		}
		return nil
	})
	return os.RemoveAll(dir)
}
