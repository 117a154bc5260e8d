package remotetest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxDifferences is how many differences CompareTrees lists.
const maxDifferences = 20

// CompareTrees returns the differences between two directories, nil if they
// are equal: entries that only one has, and differences in type, mode, time of
// last change to the nanosecond, content, and target of symbolic links. The
// directories themselves are compared too, as ".". Names are raw bytes. Only
// OwnDirectory is passed over.
func CompareTrees(a, b string) []string { return Comparison{}.Trees(a, b) }

// CompareSent is like CompareTrees for what is not confirmed yet: sftp has no
// fractions of a second, so that an entry of b may lack that of its time.
func CompareSent(a, b string) []string { return Comparison{SameTime: SameSent}.Trees(a, b) }

// CompareSeconds is like CompareTrees for remotes at which times within a second
// count as equal.
func CompareSeconds(a, b string) []string {
	return Comparison{SameTime: func(a, b time.Time) bool { return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) }}.Trees(a, b)
}

// SameSent is Comparison.SameTime of CompareSent.
func SameSent(a, b time.Time) bool { return a.Equal(b) || a.Truncate(time.Second).Equal(b) }

// Comparison is how directories are compared, as by CompareTrees where it says nothing.
type Comparison struct {
	SameTime func(a, b time.Time) bool
	// Excluded reports whether an entry is not to be compared, nor what is below it. A
	// directory of the second tree that the first one lacks is not, either, where it
	// holds nothing but such entries, and directories of that kind.
	Excluded func(path string, dir bool) bool
}

// Trees returns the differences between two directories; see CompareTrees.
func (c Comparison) Trees(a, b string) []string {
	if c.SameTime == nil {
		c.SameTime = time.Time.Equal
	}
	inA, errA := entries(a)
	inB, errB := entries(b)
	if err := errors.Join(errA, errB); err != nil {
		return []string{err.Error()}
	}
	if c.Excluded != nil {
		c.leaveOut(inA)
		leading := c.leaveOut(inB)
		for dir := range leading {
			if inA[dir] == nil {
				delete(inB, dir)
			}
		}
	}
	var differences []string
	more := 0
	for _, path := range union(inA, inB) {
		differs := compare(a, b, path, inA[path], inB[path], c.SameTime)
		if differs == "" {
			continue
		}
		if len(differences) == maxDifferences {
			more++
			continue
		}
		differences = append(differences, fmt.Sprintf("%q: %s", path, differs))
	}
	if more > 0 {
		differences = append(differences, fmt.Sprintf("and %d more", more))
	}
	return differences
}

// leaveOut takes out what is excluded, and returns the directories that lead to it.
func (c Comparison) leaveOut(all map[string]fs.FileInfo) (leading map[string]bool) {
	leading = make(map[string]bool)
	for path, info := range all {
		if path == "." || !c.Excluded(filepath.ToSlash(path), info.IsDir()) {
			continue
		}
		delete(all, path)
		for dir := filepath.Dir(path); dir != "."; dir = filepath.Dir(dir) {
			leading[dir] = true
		}
	}
	return leading
}

// OwnDirectory is what wsync keeps at a destination while it is connected.
const OwnDirectory = ".wsync-tmp"

// entries returns everything below dir and dir itself, by its relative path.
func entries(dir string) (map[string]fs.FileInfo, error) {
	found := make(map[string]fs.FileInfo)
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		relative, relErr := filepath.Rel(dir, path)
		if relative == OwnDirectory {
			return filepath.SkipDir
		}
		if err := errors.Join(err, relErr); err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		found[relative] = info
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot list a tree: %w", err)
	}
	return found, nil
}

func union(a, b map[string]fs.FileInfo) []string {
	var paths []string
	for path := range a {
		paths = append(paths, path)
	}
	for path := range b {
		if a[path] == nil {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// compare says in a few words how an entry of two trees differs, "" if it does
// not.
func compare(dirA, dirB, path string, a, b fs.FileInfo, sameTime func(a, b time.Time) bool) string {
	switch {
	case b == nil:
		return fmt.Sprintf("only in %s", dirA)
	case a == nil:
		return fmt.Sprintf("only in %s", dirB)
	case a.Mode() != b.Mode(): // types are bits of the mode
		return fmt.Sprintf("mode %v, %v", a.Mode(), b.Mode())
	}
	switch a.Mode().Type() {
	case fs.ModeSymlink:
		targetA, errA := os.Readlink(filepath.Join(dirA, path))
		targetB, errB := os.Readlink(filepath.Join(dirB, path))
		if err := errors.Join(errA, errB); err != nil {
			return err.Error()
		}
		if targetA != targetB {
			return fmt.Sprintf("target %q, %q", targetA, targetB)
		}
	case 0:
		if a.Size() != b.Size() {
			return fmt.Sprintf("size %d, %d", a.Size(), b.Size())
		}
		contentA, errA := os.ReadFile(filepath.Join(dirA, path))
		contentB, errB := os.ReadFile(filepath.Join(dirB, path))
		if err := errors.Join(errA, errB); err != nil {
			return err.Error()
		}
		if !bytes.Equal(contentA, contentB) {
			return "content"
		}
	}
	if !sameTime(a.ModTime(), b.ModTime()) {
		return fmt.Sprintf("modified %s, %s", a.ModTime().Format(time.RFC3339Nano), b.ModTime().Format(time.RFC3339Nano))
	}
	return ""
}

// maxGoFile bounds the size of a file of GoTree, in bytes: many files are what
// it is for, not many bytes.
const maxGoFile = 64 << 10

// GoTree fills a directory with a few thousand real files in a few hundred
// directories, those of Go's library, and returns how many. What is in dir
// stays.
func GoTree(dir string) (int, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return 0, fmt.Errorf("cannot find Go's library: %w", err)
	}
	// GOROOT is a symbolic link on some systems, which WalkDir would not follow.
	source, err := filepath.EvalSymlinks(filepath.Join(strings.TrimSpace(string(root)), "src"))
	if err != nil {
		return 0, fmt.Errorf("cannot find Go's library: %w", err)
	}
	files := 0
	err = filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case relative == "cmd" || relative == "crypto" || relative == "runtime":
			return fs.SkipDir // enough is enough
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(dir, relative), 0o755)
		case !info.Mode().IsRegular() || info.Size() > maxGoFile:
			return nil
		}
		files++
		return copyFile(path, filepath.Join(dir, relative), info)
	})
	if err != nil {
		return files, fmt.Errorf("cannot copy Go's library: %w", err)
	}
	return files, nil
}

// copyFile copies a file with its mode and time.
func copyFile(from, to string, info fs.FileInfo) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		return err
	}
	if err := os.Chmod(to, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}
