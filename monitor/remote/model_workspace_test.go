package remote

import (
	"maps"
	"slices"
	"strings"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// change has something happen to the workspace, of which an event comes later.
func (m *model) change() {
	defer func() { m.past = append(m.past, maps.Clone(m.here)) }()
	p := m.anyPath()
	switch n := m.rng.IntN(12); {
	case n < 2 && m.here[p] != 0:
		m.rename(p, m.anyPath())
	case n < 4 && m.here[p] != 0:
		m.logf("remove %s", p)
		dir := m.dirs[p]
		m.removeHere(p)
		m.event(p, changeOf(dir))
	case m.here[p] != 0 && m.dirs[p] || !m.isDir(relpath.Parent(p)):
	case m.here[p] == 0 && !strings.Contains(relpath.Parent(p), "/") && m.chance(3):
		m.put(p, true)
		m.event(p, changeOf(true))
	case m.here[p] == 0:
		m.put(p, false)
		m.event(p, made)
	default:
		m.put(p, false)
		m.event(p, watch.Content)
	}
}

func changeOf(dir bool) watch.Change {
	if dir {
		return wholly
	}
	return made
}

// event has the watcher tell of a path later.
func (m *model) event(p string, change watch.Change) {
	m.events = append(m.events, func() {
		m.logf("event %s %v", p, change)
		m.Mark(p, change, m.mark(), m.now)
	})
}

// tell has the watcher tell of all that has changed so far.
func (m *model) tell() {
	for len(m.events) > 0 {
		event := m.events[0]
		m.events = m.events[1:]
		event()
	}
}

// anyPath is a path, mostly one that is there.
func (m *model) anyPath() string {
	if names := slices.DeleteFunc(slices.Sorted(maps.Keys(m.here)), isTime); len(names) > 0 && m.chance(2) {
		return names[m.rng.IntN(len(names))]
	}
	parts := []string{"a", "b", "c"}
	path := parts[m.rng.IntN(3)]
	for m.chance(2) && strings.Count(path, "/") < 2 {
		path += "/" + parts[m.rng.IntN(3)]
	}
	return path
}

func (m *model) isDir(p string) bool { return p == "" || m.here[p] != 0 && m.dirs[p] }

func (m *model) put(p string, dir bool) {
	if m.last++; m.here[p] == 0 {
		m.touchParent(p)
	}
	m.here[p], m.dirs[p] = m.last, dir
	m.logf("put %s, a directory %v: %d", p, dir, m.last)
	if dir {
		m.here[p+"/"] = m.last
	}
}

// touchParent sets the time of the directory that a path is in.
func (m *model) touchParent(p string) {
	m.last++
	m.here[relpath.Parent(p)+"/"] = m.last
}

func (m *model) removeHere(p string) {
	m.touchParent(p)
	maps.DeleteFunc(m.here, func(q string, _ state) bool { return isWithinModel(q, p) })
}

func isTime(p string) bool { return strings.HasSuffix(p, "/") }

// isWithinModel reports whether a path, or a time, is about p or what is below it.
func isWithinModel(q, p string) bool { return q == p || strings.HasPrefix(q, p+"/") }

func (m *model) rename(from, to string) {
	if isWithinModel(to, from) || isWithinModel(from, to) || !m.isDir(relpath.Parent(to)) || m.here[to] != 0 && (m.dirs[to] || m.dirs[from]) {
		return
	}
	m.logf("rename %s to %s", from, to)
	dir := m.dirs[from]
	m.renamed = append(m.renamed, renamed{from, to, len(m.past)})
	m.removeHere(to)
	renameIn(m.here, from, to)
	for q := range m.here {
		if isWithinModel(q, to) && !isTime(q) {
			m.dirs[q] = m.dirs[from+q[len(to):]]
		}
	}
	m.touchParent(from)
	m.touchParent(to)
	m.events = append(m.events, func() {
		m.logf("event %s > %s", from, to)
		m.Moved(from, to, changeOf(dir), true, m.mark(), m.now)
		m.logf("moves %v", m.set.Moves())
	})
}

func renameIn(tree map[string]uint64, from, to string) {
	moved := make(map[string]state)
	for q, s := range tree {
		if isWithinModel(q, from) {
			moved[to+q[len(from):]] = s
		}
	}
	maps.DeleteFunc(tree, func(q string, _ state) bool { return isWithinModel(q, from) || isWithinModel(q, to) })
	maps.Copy(tree, moved)
}
