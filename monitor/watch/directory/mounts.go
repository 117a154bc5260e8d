package directory

import (
	"os"
	"slices"
	"strings"

	"wsync/config/filesystem"
	"wsync/monitor/relpath"
)

// Mounts follows what is mounted below a directory: that is no event of the
// directories. It belongs to one goroutine.
type Mounts struct {
	// table is nil where the system does not tell.
	table *filesystem.Table
	dir   string
	below []filesystem.Mount
	// over are the directories in which something is mounted over a file, so that
	// what happens to it is no event of the directory; overBefore those of the
	// look before.
	over, overBefore map[string]bool
}

// Open begins to follow the system's table. Without one, full passes find what
// was mounted.
func (m *Mounts) Open() {
	if table, err := filesystem.OpenTable(); err == nil {
		m.table = table
	}
}

// Close undoes Open.
func (m *Mounts) Close() {
	if m.table != nil {
		m.table.Close()
		m.table = nil
	}
}

// Table is the system's table, nil if there is none.
func (m *Mounts) Table() *filesystem.Table { return m.table }

// Follow takes note of what is mounted below dir now, a path without symbolic
// links.
func (m *Mounts) Follow(dir string) {
	m.dir, m.below = dir, nil
	m.Changes()
}

// Changes returns the paths at which something else is mounted than at the last
// call, or nothing any more.
func (m *Mounts) Changes() []string {
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
	for i := range m.below {
		mount := &m.below[i]
		mount.Identify(m.dir + "/" + mount.Path) // one in the place of another may look the same
		if info, err := os.Lstat(m.dir + "/" + mount.Path); err == nil && !info.IsDir() {
			m.over[relpath.Parent(mount.Path)] = true
		}
	}
	return differing(before, m.below)
}

// News is Changes if it may be worth while to look. What is known of types is
// forgotten when there is some, and tell called, if it is not nil.
func (m *Mounts) News(types *Types, tell func()) []string {
	if !m.Changed() {
		return nil
	}
	changes := m.Changes()
	if len(changes) == 0 {
		return nil
	}
	if tell != nil {
		tell()
	}
	types.Forget()
	return changes
}

// Moved takes in that a directory was renamed, and what is mounted in it with it.
func (m *Mounts) Moved(from, to string) {
	for i := range m.below {
		if rest, ok := strings.CutPrefix(m.below[i].Path, from+"/"); ok {
			m.below[i].Path = to + "/" + rest
		}
	}
}

// Changed reports whether it may be worth while to look.
func (m *Mounts) Changed() bool { return m.table != nil && m.table.Changed() }

// OverFile reports whether something is mounted over a file in the directory dir.
func (m *Mounts) OverFile(dir string) bool { return m.over[dir] }

// OverFileLately is OverFile, or whether that was so at the look before.
func (m *Mounts) OverFileLately(dir string) bool { return m.over[dir] || m.overBefore[dir] }

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
