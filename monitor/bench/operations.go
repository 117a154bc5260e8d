//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// maxOperations bounds the repetitions of operations: each removes a directory
// that was made beforehand.
const maxOperations = 200

// operations are the kinds of change that a user makes, one at a time in a
// small tree.
func operations() *scenario {
	return &scenario{
		name: "operations", title: "one operation at a time in a tree of 440 files", table: operationsTable, kind: bySSH, byHand: true,
		reps: 10, quickReps: 2, tree: growForOperations,
		steps: []step{
			operation("create", func(c *contestant, rep int) (change, error) {
				return rewrite(c, written{fresh("new", rep), shortText(c.rng, "create", rep)}), nil
			}),
			operation("modify", func(c *contestant, rep int) (change, error) {
				return rewrite(c, written{fresh("new", rep), shortText(c.rng, "modify", rep+1)}), nil
			}),
			operation("atomic save", atomicSave),
			operation("chmod", chmod),
			operation("rename", rename),
			operation("delete", func(c *contestant, rep int) (change, error) {
				path := fresh("renamed", rep)
				return change{
					act:  func() error { return os.Remove(filepath.Join(c.source, path)) },
					seen: removed(path),
				}, nil
			}),
			operation("deep mkdir", deepMkdir),
			operation("rm -r", func(c *contestant, rep int) (change, error) {
				path := doomed(rep)
				return change{
					act:  func() error { return os.RemoveAll(filepath.Join(c.source, path)) },
					seen: removed(path),
				}, nil
			}),
		},
	}
}

func operation(title string, plan func(c *contestant, rep int) (change, error)) step {
	return step{title: title, plan: plan}
}

// fresh is a name that no other repetition has.
func fresh(what string, rep int) string {
	return filepath.Join("d0", "e3", fmt.Sprintf("%s-%d", what, rep))
}

// doomed is the directory that a repetition removes: 8 files in 3 directories.
func doomed(rep int) string { return filepath.Join("doomed", fmt.Sprint(rep)) }

func growForOperations(source string) error {
	if err := grow(smallTree)(source); err != nil {
		return err
	}
	for rep := range maxOperations {
		for i := range 8 {
			path := filepath.Join(source, doomed(rep), fmt.Sprint("sub", i%2), fmt.Sprint("file", i))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(path), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// atomicSave is what most editors do: a new file takes the place of the old.
func atomicSave(c *contestant, rep int) (change, error) {
	path := fresh("new", rep)
	content := shortText(c.rng, "save", rep+2)
	return change{
		act: func() error {
			temp := filepath.Join(c.source, filepath.Dir(path), ".save.tmp")
			if err := os.WriteFile(temp, content, 0o644); err != nil {
				return err
			}
			return os.Rename(temp, filepath.Join(c.source, path))
		},
		seen:  allWritten(written{path, content}),
		paths: []string{path},
	}, nil
}

func chmod(c *contestant, rep int) (change, error) {
	const mode = 0o751
	path := fresh("new", rep)
	return change{
		act: func() error { return os.Chmod(filepath.Join(c.source, path), mode) },
		seen: func(remote string) func() bool {
			return func() bool {
				info, err := os.Lstat(filepath.Join(remote, path))
				return err == nil && info.Mode().Perm() == mode
			}
		},
		paths: []string{path},
	}, nil
}

func rename(c *contestant, rep int) (change, error) {
	from, to := fresh("new", rep), fresh("renamed", rep)
	return change{
		act: func() error { return os.Rename(filepath.Join(c.source, from), filepath.Join(c.source, to)) },
		seen: func(remote string) func() bool {
			return func() bool {
				return !isGone(filepath.Join(remote, to)) && isGone(filepath.Join(remote, from))
			}
		},
	}, nil
}

// deepMkdir makes five directories with a file at their end.
func deepMkdir(c *contestant, rep int) (change, error) {
	dir := filepath.Join("deep", fmt.Sprint(rep), "a", "b", "c", "d")
	file := written{filepath.Join(dir, "file"), shortText(c.rng, "deep", rep)}
	ch := rewrite(c, file)
	write := ch.act
	ch.act = func() error {
		if err := os.MkdirAll(filepath.Join(c.source, dir), 0o755); err != nil {
			return err
		}
		return write()
	}
	return ch, nil
}
