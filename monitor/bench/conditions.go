//go:build linux

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// The conditions are cheap, because they are asked all the time, and each looks
// on only from where it stopped: what was there once stays.

// written is a file with what it must hold.
type written struct {
	path    string
	content []byte
}

// allWritten sees when the last of some files has its content.
func allWritten(files ...written) func(remote string) func() bool {
	return func(remote string) func() bool {
		next := 0
		return func() bool {
			for next < len(files) {
				path := filepath.Join(remote, files[next].path)
				info, err := os.Lstat(path)
				if err != nil || info.Size() != int64(len(files[next].content)) {
					return false
				}
				if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, files[next].content) {
					return false
				}
				next++
			}
			return true
		}
	}
}

// allArrived sees when the last of some files below dir has its size.
func allArrived(dir string, files []entry) func(remote string) func() bool {
	return func(remote string) func() bool {
		next := 0
		return func() bool {
			for next < len(files) {
				info, err := os.Lstat(filepath.Join(remote, dir, files[next].path))
				if err != nil || info.Size() != int64(files[next].size) {
					return false
				}
				next++
			}
			return true
		}
	}
}

// removed sees when a path is gone.
func removed(path string) func(remote string) func() bool {
	return func(remote string) func() bool {
		return func() bool { return isGone(filepath.Join(remote, path)) }
	}
}

func isGone(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// movedTree sees when a directory of some files has got another name: the old
// one is gone, and the new one is the same directory or has all the files.
func movedTree(from, to string, files []entry) func(remote string) func() bool {
	return func(remote string) func() bool {
		before := inode(filepath.Join(remote, from))
		arrived := allArrived(to, files)(remote)
		return func() bool {
			if !isGone(filepath.Join(remote, from)) {
				return false
			}
			return before != 0 && inode(filepath.Join(remote, to)) == before || arrived()
		}
	}
}

// inode is a file's identity, 0 if there is none.
func inode(path string) uint64 {
	info, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	return info.Sys().(*syscall.Stat_t).Ino
}
