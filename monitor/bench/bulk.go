//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// bulk brings a large directory in, works on it, and removes it again, beside
// other files, which stay.
func bulk() *scenario {
	return &scenario{
		name: "bulk", title: "many files at once: a directory of 11,500 files comes, changes and goes, beside 16,000 others",
		table: bulkTable, kind: bySSH, byHand: true, heavy: true, reps: 3, quickReps: 1, patience: 3 * time.Minute,
		tree:     func(source string) error { return grow(restTree)(filepath.Join(source, "rest")) },
		template: grow(bulkTree),
		steps: []step{
			{title: "copy in 11,500 files", plan: copyIn},
			{title: "200 scattered files", plan: func(c *contestant, rep int) (change, error) {
				return rewriteSome(c, rep, 200, true), nil
			}},
			{title: "1000 files rewritten", plan: func(c *contestant, rep int) (change, error) {
				return rewriteSome(c, rep, 1000, false), nil
			}},
			{title: "rename 11,500 files", plan: renameTree},
			{title: "remove 11,500 files", plan: removeTree},
		},
	}
}

// The names of the directory, before and after its rename.
func bulkName(rep int) string    { return fmt.Sprint("bulk", rep) }
func bulkRenamed(rep int) string { return fmt.Sprint("renamed", rep) }

// copyIn is the work of cp, whose time counts: who copies and then calls rsync
// has to wait for both.
func copyIn(c *contestant, rep int) (change, error) {
	return change{
		act: func() error {
			out, err := exec.Command("cp", "-r", c.template, filepath.Join(c.source, bulkName(rep))).CombinedOutput()
			if err != nil {
				return fmt.Errorf("cp: %w: %s", err, out)
			}
			return nil
		},
		seen:  allArrived(bulkName(rep), c.templateFiles),
		paths: []string{bulkName(rep)},
	}, nil
}

// rewriteSome changes files, each in its size too: everywhere in the directory,
// or one after the other from its beginning.
func rewriteSome(c *contestant, rep, count int, scattered bool) change {
	order := make([]int, len(c.templateFiles))
	for i := range order {
		order[i] = i
	}
	if scattered {
		order = c.rng.Perm(len(order))
	}
	var files []written
	for _, i := range order[:count] {
		f := c.templateFiles[i]
		path := filepath.Join(bulkName(rep), f.path)
		files = append(files, written{path, prose(c.rng, fmt.Sprint("rewritten ", count), max(f.size, 100)+count/100+1)})
	}
	return rewrite(c, files...)
}

func renameTree(c *contestant, rep int) (change, error) {
	from, to := bulkName(rep), bulkRenamed(rep)
	// Their sizes have changed since the template was copied.
	files, _, err := listing(filepath.Join(c.source, from))
	return change{
		act:  func() error { return os.Rename(filepath.Join(c.source, from), filepath.Join(c.source, to)) },
		seen: movedTree(from, to, files),
	}, err
}

func removeTree(c *contestant, rep int) (change, error) {
	path := bulkRenamed(rep)
	return change{
		act:  func() error { return os.RemoveAll(filepath.Join(c.source, path)) },
		seen: removed(path),
	}, nil
}

// patch overwrites a few bytes in the middle of a large file.
func patch() *scenario {
	const path, size, length = "large-file", 64 << 20, 64
	return &scenario{
		name: "patch", title: "64 bytes in a file of 64 MB", table: bulkTable, kind: bySSH, byHand: true, heavy: true, reps: 8, quickReps: 2,
		tree: func(source string) error {
			if err := grow(smallTree)(source); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(source, path), prose(rand.New(rand.NewPCG(64, 1)), path, size), 0o644)
		},
		steps: []step{{title: "64 bytes of 64 MB", plan: func(c *contestant, rep int) (change, error) {
			file := filepath.Join(c.source, path)
			info, err := os.Lstat(file)
			if err != nil {
				return change{}, err
			}
			// rsync must see by the second of the file that it has changed.
			if wait := time.Until(info.ModTime().Truncate(time.Second).Add(time.Second)); wait > 0 {
				time.Sleep(wait)
			}
			offset := c.rng.Int64N(size - length)
			bytes := prose(c.rng, fmt.Sprint("patch ", rep), length)
			return change{
				act:   func() error { return writeAt(file, bytes, offset) },
				seen:  patched(path, bytes, offset, size),
				paths: []string{path},
			}, nil
		}}},
	}
}

func writeAt(file string, bytes []byte, offset int64) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(bytes, offset); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// patched sees when a file has its size, and some bytes at their place.
func patched(path string, bytes []byte, offset, size int64) func(remote string) func() bool {
	return func(remote string) func() bool {
		got := make([]byte, len(bytes))
		return func() bool {
			f, err := os.Open(filepath.Join(remote, path))
			if err != nil {
				return false
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil || info.Size() != size {
				return false
			}
			_, err = f.ReadAt(got, offset)
			return err == nil && string(got) == string(bytes)
		}
	}
}
