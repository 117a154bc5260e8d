package monitor

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"wsync/config"
	"wsync/config/filesystem"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// mountTable tells what is mounted below the workspace's directory. Its methods may
// be called from any goroutine. Of nil, nothing is known to be mounted.
type mountTable struct {
	root string

	mu    sync.Mutex        // guards everything below
	table *filesystem.Table // nil where the system does not tell
	// doubtful: a directory in which something is mounted was renamed, of which
	// the table does not tell.
	doubtful bool
	below    []filesystem.Mount
	turn     uint64 // counts the changes of below
}

func newMountTable(root string) *mountTable {
	m := &mountTable{root: root}
	if table, err := filesystem.OpenTable(); err == nil {
		m.table = table
	}
	return m
}

func (m *mountTable) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.table != nil {
		m.table.Close()
		m.table = nil
	}
}

// now returns what is mounted, and how often that has changed, both as of the last
// time that it could be found out. It costs a system call if nothing has changed.
func (m *mountTable) now() (below []filesystem.Mount, turn uint64) {
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
	known := make(map[int]filesystem.Mount, len(m.below))
	for _, mount := range m.below {
		known[mount.ID] = mount
	}
	below = filesystem.Below(all, root)
	for i := range below {
		if k, ok := known[below[i].ID]; ok && k.Path == below[i].Path && k.Type == below[i].Type {
			below[i].FSID = k.FSID
		} else {
			below[i].Identify(filepath.Join(root, below[i].Path))
		}
	}
	if !slices.Equal(below, m.below) {
		m.below = below
		m.turn++
	}
	return m.below, m.turn
}

// doubt has the table read again if something is mounted at or below path.
func (m *mountTable) doubt(path string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doubtful = m.doubtful || slices.ContainsFunc(m.below, func(mount filesystem.Mount) bool {
		return path == "" || relpath.Within(mount.Path, path)
	})
}

// mountMemory remembers the file systems below the workspace's directory of which a
// remote may hold something: what such a one held is not deleted when it is
// unmounted, and be it while no monitor runs. It belongs to the worker, under its
// mu.
type mountMemory struct {
	file  string
	known map[string]filesystem.Mount // by the path
	// away are the paths of known at which it is mounted no longer, as of turn of
	// the mountTable that it was compared with, if it was.
	away     []string
	turn     uint64
	compared bool
}

// memoryPath is the file of a remote's mountMemory.
func memoryPath(stamp string) string {
	return filepath.Join(filepath.Dir(stamp), "mounts-"+strings.TrimPrefix(filepath.Base(stamp), "clean-"))
}

// readMemory returns what is remembered for a remote. A remote that is attached
// anew holds nothing of the workspace's.
func readMemory(file string, r config.Remote) mountMemory {
	m := mountMemory{file: file, known: make(map[string]filesystem.Mount)}
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

// compare takes in what is mounted now. The error is that it cannot be remembered
// for the next monitor.
func (m *mountMemory) compare(now []filesystem.Mount, turn uint64) error {
	if m.compared && m.turn == turn {
		return nil
	}
	m.turn, m.compared = turn, true
	before := m.known
	m.known, m.away = compareMounts(m.known, now)
	if maps.Equal(before, m.known) {
		return nil
	}
	return m.write()
}

// forget forgets what was mounted at paths and is not any more.
func (m *mountMemory) forget(paths []string) error {
	for _, p := range paths {
		delete(m.known, p)
	}
	m.compared, m.away = false, nil
	return m.write()
}

func (m *mountMemory) write() error {
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

// mountsChanged is called by the watcher when something was mounted or unmounted.
func (m *mirror) mountsChanged() {
	m.each(func(w *runningWorker, seq uint64, now time.Time) { w.mountsChanged(seq, now) })
}

// mountsChanged ends a transfer that may have seen half of it.
func (w *worker) mountsChanged(seq uint64, now time.Time) {
	w.mu.Lock()
	before := w.memory.away
	away, _ := w.lookAtMounts(now)
	for _, path := range away {
		if slices.Contains(before, path) {
			continue
		}
		w.set.Mark(path, watch.Entry|watch.Content|watch.Tree, seq, now)
		if w.cancel != nil {
			w.cancel()
		}
	}
	w.mu.Unlock()
	w.poke()
}
