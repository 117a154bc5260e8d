package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// target draws what a symbolic link points to: something, nothing, anything.
func (c *churn) target() string {
	kind := c.rng.IntN(5)
	if c.tame && (kind == 1 || kind == 2) {
		kind = 0
	}
	switch kind {
	case 0:
		return "nothing/" + c.newName()
	case 1:
		return c.at(c.parent())
	case 2:
		return "../" + c.newName()
	case 3:
		return strings.Repeat("t", 1+c.rng.IntN(3000))
	default:
		return c.newName()
	}
}

func (c *churn) symlink() ([]string, error) {
	p := c.newPath()
	return one(p, os.Symlink(c.target(), c.at(p)))
}

// symlinkForDir moves a directory away and leaves a link with its name, to it
// or to something else.
func (c *churn) symlinkForDir() ([]string, error) {
	p, ok := c.spendable(false)
	if !ok {
		return nil, nil
	}
	to := c.newPath()
	if err := os.Rename(c.at(p), c.at(to)); err != nil {
		return []string{p, to}, err
	}
	target := c.target()
	if c.rng.IntN(2) == 0 && !c.tame {
		target = c.at(to)
	}
	return []string{p, to}, os.Symlink(target, c.at(p))
}

func (c *churn) retarget() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.links)
	if !ok {
		return nil, nil
	}
	target := c.target()
	if c.rng.IntN(2) == 0 {
		return one(p, errors.Join(os.Remove(c.at(p)), os.Symlink(target, c.at(p))))
	}
	temporary := c.at(filepath.Join(filepath.Dir(p), ".link"))
	if err := os.Symlink(target, temporary); err != nil {
		return one(p, err)
	}
	return one(p, os.Rename(temporary, c.at(p)))
}

func (c *churn) hardLink() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	if !ok {
		return nil, nil
	}
	to := c.newPath()
	return []string{p, to}, os.Link(c.at(p), c.at(to))
}

// fileLinks is how many names a file has.
func fileLinks(info os.FileInfo) uint64 {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(st.Nlink)
}
