package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// moveIn renames a tree into the workspace: one that was moved out before and
// changed since, or a new one.
func (c *churn) moveIn() ([]string, error) {
	to := c.newPath()
	entries, err := os.ReadDir(c.outside)
	if err != nil {
		return nil, err
	}
	from := ""
	if one, ok := pickOne(c.rng, entries); ok && c.rng.IntN(2) == 0 {
		from = filepath.Join(c.outside, one.Name())
	} else {
		c.fresh++
		from = filepath.Join(c.outside, fmt.Sprintf("t%d", c.fresh))
		if err := os.Mkdir(from, 0o755); err != nil {
			return nil, err
		}
	}
	for range 1 + c.rng.IntN(6) {
		dir := from
		if c.rng.IntN(2) == 0 {
			dir = filepath.Join(from, c.newName())
			if err := c.ignore(os.MkdirAll(dir, 0o755)); err != nil {
				return nil, err
			}
		}
		if err := c.ignore(os.WriteFile(filepath.Join(dir, c.newName()), c.content(), 0o644)); err != nil {
			return nil, err
		}
	}
	return one(to, os.Rename(from, c.at(to)))
}

// spend reports whether a directory may go now, and counts what is in it: the guard
// against mass deletion must not be met, and the tree must not become empty.
func (c *churn) spend(dir string, gone bool) bool {
	n := 1
	for _, p := range c.tree.all {
		if strings.HasPrefix(p, dir+"/") {
			n++
		}
	}
	if gone && len(c.tree.mirrored)-n < churnLeast || n > len(c.tree.mirrored)/3 {
		return false
	}
	if c.guarded && c.gone+n > churnMaxGone {
		return false
	}
	c.gone += n
	return true
}

// spendable draws a directory that may go.
func (c *churn) spendable(gone bool) (string, bool) {
	for range 4 {
		if p, ok := pickOne(c.rng, c.tree.dirs); ok && c.spend(p, gone) {
			return p, true
		}
	}
	return "", false
}

func (c *churn) moveOut() ([]string, error) {
	p, ok := c.spendable(true)
	if !ok {
		return nil, nil
	}
	c.fresh++
	return one(p, os.Rename(c.at(p), filepath.Join(c.outside, fmt.Sprintf("m%d", c.fresh))))
}

func (c *churn) renameFile() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	if !ok || !c.spend(p, false) {
		return nil, nil
	}
	to := c.newPath()
	if other, ok := pickOne(c.rng, c.tree.files); ok && c.rng.IntN(3) == 0 {
		to = other
	}
	return []string{p, to}, os.Rename(c.at(p), c.at(to))
}

func (c *churn) renameDir() ([]string, error) {
	p, ok := c.spendable(false)
	if !ok {
		return nil, nil
	}
	to := c.newPath()
	return []string{p, to}, os.Rename(c.at(p), c.at(to))
}

func (c *churn) renameAndRemake() ([]string, error) {
	p, ok := c.spendable(false)
	if !ok {
		return nil, nil
	}
	to := c.newPath()
	if err := os.Rename(c.at(p), c.at(to)); err != nil {
		return []string{p, to}, err
	}
	err := os.Mkdir(c.at(p), 0o755)
	for range c.rng.IntN(3) {
		err = errors.Join(err, c.ignore(os.WriteFile(filepath.Join(c.at(p), c.newName()), c.content(), 0o644)))
	}
	return []string{p, to}, err
}

// swap makes two directories change places, in one step or in three.
func (c *churn) swap() ([]string, error) {
	a, okA := c.spendable(false)
	b, okB := c.spendable(false)
	if !okA || !okB || a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/") {
		return nil, nil
	}
	paths := []string{a, b}
	if c.rng.IntN(2) == 0 {
		if err := churnExchange(c.at(a), c.at(b)); !errors.Is(err, errors.ErrUnsupported) {
			return paths, err
		}
	}
	aside := c.at(filepath.Join(filepath.Dir(a), ".swap"))
	if err := os.Rename(c.at(a), aside); err != nil {
		return paths, err
	}
	if err := os.Rename(c.at(b), c.at(a)); err != nil {
		return paths, errors.Join(err, os.Rename(aside, c.at(a)))
	}
	return paths, os.Rename(aside, c.at(b))
}

func (c *churn) fileToDir() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	if !ok || p == "big" || !c.spend(p, false) {
		return nil, nil
	}
	if err := os.Remove(c.at(p)); err != nil {
		return one(p, err)
	}
	err := os.Mkdir(c.at(p), 0o755)
	for range c.rng.IntN(3) {
		err = errors.Join(err, c.ignore(os.WriteFile(filepath.Join(c.at(p), c.newName()), c.content(), 0o644)))
	}
	return one(p, err)
}

func (c *churn) dirToFile() ([]string, error) {
	p, ok := c.spendable(true)
	if !ok {
		return nil, nil
	}
	if err := os.RemoveAll(c.at(p)); err != nil {
		return one(p, err)
	}
	return one(p, os.WriteFile(c.at(p), c.content(), 0o644))
}
