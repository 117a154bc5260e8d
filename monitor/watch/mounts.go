package watch

import (
	"os"
	"slices"
	"strings"

	"wsync/config/filesystem"
)

// mounts follows what is mounted below a directory: that is no event of the
// directories. It belongs to the goroutine in Run.
type mounts struct {
	// table is nil where the system does not tell.
	table *filesystem.Table
	dir   string
	below []filesystem.Mount
	// over are the directories in which something is mounted over a file, so that
	// what happens to it is no event of the directory; overBefore those of the
	// look before.
	over, overBefore map[string]bool
}

// open begins to follow the system's table. Without one, full passes find what
// was mounted.
func (m *mounts) open() {
	if table, err := filesystem.OpenTable(); err == nil {
		m.table = table
	}
}

func (m *mounts) close() {
	if m.table != nil {
		m.table.Close()
		m.table = nil
	}
}

// follow takes note of what is mounted below dir now, a path without symbolic
// links.
func (m *mounts) follow(dir string) {
	m.dir, m.below = dir, nil
	m.changes()
}

// changes returns the paths at which something else is mounted than at the last
// call, or nothing any more.
func (m *mounts) changes() []string {
	if m.table == nil {
		return nil
	}
	all, err := m.table.Mounts()
	if err != nil {
		return nil // it stays changed
	}
	before := m.below
	m.below = filesystem.Below(all, m.dir)
	m.over, m.overBefore = make(map[string]bool), m.over
	for _, mount := range m.below {
		if info, err := os.Lstat(m.dir + "/" + mount.Path); err == nil && !info.IsDir() {
			m.over[parentPath(mount.Path)] = true
		}
	}
	return differing(before, m.below)
}

// moved takes in that a directory was renamed, and what is mounted in it with it.
func (m *mounts) moved(from, to string) {
	for i := range m.below {
		if rest, ok := strings.CutPrefix(m.below[i].Path, from+"/"); ok {
			m.below[i].Path = to + "/" + rest
		}
	}
}

// changed tells that it may be worth while to look.
func (m *mounts) changed() bool { return m.table != nil && m.table.Changed() }

// differing returns the paths of the mounts that only one of a and b has, each
// once, a directory before what is in it.
func differing(a, b []filesystem.Mount) []string {
	var paths []string
	for _, m := range a {
		if !slices.Contains(b, m) {
			paths = append(paths, m.Path)
		}
	}
	for _, m := range b {
		if !slices.Contains(a, m) {
			paths = append(paths, m.Path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
