// Package mounts knows what is mounted below the workspace's directory, and
// remembers what was: what is on a file system that is not mounted any more is out
// of reach, and not deleted.
package mounts

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"wsync/config"
	"wsync/config/filesystem"
	"wsync/monitor/relpath"
)

// Table says what is mounted below the workspace's directory. Its methods may
// be called from any goroutine. Of nil, nothing is known to be mounted.
type Table struct {
	root string

	mu    sync.Mutex        // guards everything below
	table *filesystem.Table // nil where the system does not tell
	// doubtful: a directory in which something is mounted was renamed, of which
	// the table does not tell.
	doubtful bool
	below    []filesystem.Mount
	turn     uint64 // counts the changes of below
}

// New returns the table of the workspace at root.
func New(root string) *Table {
	m := &Table{root: root}
	if table, err := filesystem.OpenTable(); err == nil {
		m.table = table
	}
	return m
}

func (m *Table) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.table != nil {
		m.table.Close()
		m.table = nil
	}
}

// Now returns what is mounted, and how often that has changed, both as of the last
// time that it could be found out. It costs a system call if nothing has changed.
func (m *Table) Now() (below []filesystem.Mount, turn uint64) {
	if m == nil {
		return nil, 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.table == nil || !m.doubtful && !m.table.Changed() {
		return m.below, m.turn
	}
	root, err := filepath.EvalSymlinks(m.root)
	if err != nil {
		return m.below, m.turn // the guard halts for that
	}
	all, err := m.table.Mounts()
	if err != nil {
		return m.below, m.turn
	}
	m.doubtful = false
	below = filesystem.Below(all, root)
	for i := range below {
		// Also of those that look as before: the number of one that is gone is the
		// next one's.
		below[i].Identify(filepath.Join(root, below[i].Path))
	}
	if !slices.Equal(below, m.below) {
		m.below = below
		m.turn++
	}
	return m.below, m.turn
}

// Doubt has the table read again if something is mounted at or below path.
func (m *Table) Doubt(path string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doubtful = m.doubtful || slices.ContainsFunc(m.below, func(mount filesystem.Mount) bool {
		return path == "" || relpath.Within(mount.Path, path)
	})
}

// Memory remembers the file systems below the workspace's directory of which a
// remote may hold something: what such a one held is not deleted when it is
// unmounted, and be it while no monitor runs. It is not safe for concurrent use.
type Memory struct {
	file  string
	known map[string]filesystem.Mount // by the path
	// Away are the paths of known at which it is mounted no longer, as of turn of
	// the Table that it was compared with, if it was.
	Away     []string
	turn     uint64
	compared bool
}

// MemoryPath is the file of a remote's Memory.
func MemoryPath(stamp string) string {
	return filepath.Join(filepath.Dir(stamp), "mounts-"+strings.TrimPrefix(filepath.Base(stamp), "clean-"))
}

// Read returns what is remembered for a remote. A remote that is attached
// anew holds nothing of the workspace's.
func Read(file string, r config.Remote) Memory {
	m := Memory{file: file, known: make(map[string]filesystem.Mount)}
	text, err := os.ReadFile(file)
	if r.AdoptionPending || err != nil {
		return m
	}
	var mounts []filesystem.Mount
	if json.Unmarshal(text, &mounts) == nil {
		for _, mount := range mounts {
			m.known[mount.Path] = mount
		}
	}
	return m
}

// Compare takes in what is mounted now. The error is that it cannot be remembered
// for the next monitor.
func (m *Memory) Compare(now []filesystem.Mount, turn uint64) error {
	if m.compared && m.turn == turn {
		return nil
	}
	m.turn, m.compared = turn, true
	before := m.known
	m.known, m.Away = compareMounts(m.known, now)
	if maps.Equal(before, m.known) {
		return nil
	}
	return m.write()
}

// Forget forgets what was mounted at paths and is not any more.
func (m *Memory) Forget(paths []string) error {
	for _, p := range paths {
		delete(m.known, p)
	}
	m.compared, m.Away = false, nil
	return m.write()
}

func (m *Memory) write() error {
	var mounts []filesystem.Mount
	for _, path := range slices.Sorted(maps.Keys(m.known)) {
		mounts = append(mounts, m.known[path])
	}
	text, err := json.Marshal(mounts)
	if err == nil {
		err = os.WriteFile(m.file+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(m.file+".new", m.file)
	}
	if err != nil {
		return fmt.Errorf("cannot remember what is mounted: %w", err)
	}
	return nil
}

// compareMounts compares what was mounted, by its path, with what is now. A file
// system that moved along with a directory is where it is now. Others that are
// missing are away, and are kept, also where another one is mounted instead.
func compareMounts(known map[string]filesystem.Mount, now []filesystem.Mount) (kept map[string]filesystem.Mount, away []string) {
	kept = make(map[string]filesystem.Mount)
	byPath := make(map[string]filesystem.Mount)
	byID := make(map[int]filesystem.Mount)
	for _, n := range now {
		byPath[n.Path], byID[n.ID] = n, n
	}
	for path, k := range known {
		n, ok := byPath[path]
		if ok && n.SameFileSystem(k) {
			continue
		}
		if m, moved := byID[k.ID]; moved && m.SameFileSystem(k) {
			if _, taken := known[m.Path]; !taken {
				continue
			}
		}
		kept[path] = k
		away = append(away, path)
	}
	for _, n := range now {
		if _, ok := kept[n.Path]; !ok {
			kept[n.Path] = n
		}
	}
	slices.Sort(away)
	return kept, away
}
