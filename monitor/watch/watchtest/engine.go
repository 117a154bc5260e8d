// Package watchtest holds the backends of watch to one contract: a watcher keeps a
// mirror right that knows of the tree only what it was told.
package watchtest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// Patience bounds every wait of these tests. It is never waited for in vain.
const Patience = time.Minute

// Facts is what the mirror keeps of a path: what lstat tells, and the content.
type Facts struct {
	Mode    fs.FileMode
	ino     uint64
	size    int64
	mtime   int64
	content string
}

// New makes a watcher of the backend that is tested.
type New func(root string, opts watch.Options, sink watch.Sink) (watch.Watcher, error)

// Engine is a watch.Sink that keeps a mirror of the tree, made from hints only: it
// looks at a path when, and only when, it is told that the path may differ.
type Engine struct {
	T    testing.TB
	Root string

	// Before, if set, is called at the beginning of each Changed, in Run's
	// goroutine. It must be set before Run starts.
	Before func(path string, change watch.Change)
	// Depths, if set, says how much of directories is watched. What is kept out is
	// no part of the mirror.
	Depths *Depths

	mu sync.Mutex
	// mirror is what is believed to be on the disk. Guarded by mu, as all below.
	mirror map[string]Facts
	// below holds, for each path, the paths in it that the mirror has or has
	// something below of.
	below map[string]map[string]struct{}
	// seen are the paths that were reported since the last call of Forget, moves
	// the renames, and log the last calls, of which the first old ones are older.
	seen  map[string]watch.Change
	moves [][2]string
	log   []string
	old   int
	// losses and goneFor are the reasons of Lost and RootGone.
	losses, goneFor []string
	// answered is the last barrier that was.
	answered uint64
}

// NewEngine returns an Engine for the directory root that knows nothing yet.
func NewEngine(t testing.TB, root string) *Engine {
	return &Engine{
		T:      t,
		Root:   root,
		mirror: make(map[string]Facts),
		below:  make(map[string]map[string]struct{}),
		seen:   make(map[string]watch.Change),
	}
}

// Abs returns the absolute path of one relative to the root.
func (e *Engine) Abs(path string) string {
	return e.Root + "/" + path
}

// note logs a call. e.mu is held.
func (e *Engine) note(format string, args ...any) {
	if len(e.log) >= 400 {
		e.log = slices.Delete(e.log, 0, 200)
		e.old = max(0, e.old-200)
	}
	e.log = append(e.log, fmt.Sprintf(format, args...))
}

// Changed implements watch.Sink.
func (e *Engine) Changed(path string, change watch.Change) {
	if e.Before != nil {
		e.Before(path, change)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.check(path)
	e.seen[path] |= change
	if change&watch.Tree != 0 {
		e.lookAll(path)
	} else {
		e.look(path)
	}
	e.note("changed %q %05b", path, change)
}

// Moved implements watch.Sink.
func (e *Engine) Moved(from, to string, dir bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.check(from)
	e.check(to)
	e.seen[from] |= watch.Entry
	e.seen[to] |= watch.Entry
	e.moves = append(e.moves, [2]string{from, to})
	// Nothing better is sound here: what was looked at already may be newer
	// than the rename.
	e.lookAll(from)
	e.lookAll(to)
	e.note("moved %q %q %v", from, to, dir)
}

// Lost implements watch.Sink.
func (e *Engine) Lost(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.losses = append(e.losses, reason)
	e.lookAll("")
	e.note("lost %s", reason)
}

// RootGone implements watch.Sink.
func (e *Engine) RootGone(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.goneFor = append(e.goneFor, reason)
	e.note("root gone %s", reason)
}

// Barrier implements watch.Sink.
func (e *Engine) Barrier(n uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answered = max(e.answered, n)
	e.note("barrier %d", n)
}

// check complains about a path that no watcher may report. e.mu is held.
func (e *Engine) check(path string) {
	if path == "" {
		return
	}
	if path[0] == '/' || filepath.Clean(path) != path || path == ".." || strings.HasPrefix(path, "../") {
		e.T.Errorf("reported a path that is not below the root: %q", path)
	}
	if e.Depths.mustHide(path) {
		e.T.Errorf("reported what is in a directory that is not watched: %q", path)
	}
}

// look brings one path of the mirror in line with the disk. e.mu is held.
func (e *Engine) look(path string) {
	f, ok := e.read(path)
	if !ok || !e.Depths.shows(path) {
		e.forgetTree(path)
		return
	}
	if !f.Mode.IsDir() {
		e.forgetTree(path)
	}
	e.believe(path, f)
}

// believe puts the facts of a path into the mirror. e.mu is held.
func (e *Engine) believe(path string, f Facts) {
	e.mirror[path] = f
	for path != "" {
		dir := relpath.Parent(path)
		if e.below[dir] == nil {
			e.below[dir] = make(map[string]struct{})
		}
		if _, ok := e.below[dir][path]; ok {
			return
		}
		e.below[dir][path] = struct{}{}
		path = dir
	}
}

// lookAll does so with all below a path. e.mu is held.
func (e *Engine) lookAll(path string) {
	e.forgetTree(path)
	if _, ok := e.read(path); !ok || !e.Depths.shows(path) {
		return
	}
	e.Walk(path, e.believe)
}

// forgetTree removes a path and all below it from the mirror. e.mu is held.
func (e *Engine) forgetTree(path string) {
	delete(e.mirror, path)
	for child := range e.below[path] {
		e.forgetTree(child)
	}
	delete(e.below, path)
	if path != "" {
		delete(e.below[relpath.Parent(path)], path)
	}
}

// read returns the facts of a path; false if there is none, or if one of the
// directories above it is none.
func (e *Engine) read(path string) (Facts, bool) {
	for dir := relpath.Parent(path); dir != ""; dir = relpath.Parent(dir) {
		info, err := os.Lstat(e.Abs(dir))
		if err != nil || !info.IsDir() {
			return Facts{}, false
		}
	}
	info, err := os.Lstat(e.Abs(path))
	if err != nil {
		return Facts{}, false
	}
	return e.factsOf(path, info), true
}

func (e *Engine) factsOf(path string, info fs.FileInfo) Facts {
	f := Facts{Mode: info.Mode(), ino: info.Sys().(*syscall.Stat_t).Ino}
	switch {
	case info.Mode().IsRegular():
		// A test does not tell apart what happens within one tick of the file
		// system's clock by the times, but by the content.
		f.size, f.mtime = info.Size(), info.ModTime().UnixNano()
		if f.size < 64 {
			content, _ := os.ReadFile(e.Abs(path))
			f.content = string(content)
		}
	case info.Mode()&fs.ModeSymlink != 0:
		f.content, _ = os.Readlink(e.Abs(path))
	}
	return f
}

// Walk visits what is on the disk from path on, and is watched. What vanishes or
// cannot be read meanwhile is passed over.
func (e *Engine) Walk(path string, f func(path string, f Facts)) {
	_ = filepath.WalkDir(e.Abs(path), func(abs string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		info, err := os.Lstat(abs)
		if err != nil {
			return nil
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(abs, strings.TrimSuffix(e.Abs(""), "/")), "/")
		f(rel, e.factsOf(rel, info))
		if info.IsDir() && e.Depths.of(rel) == watch.Nothing {
			return fs.SkipDir
		}
		return nil
	})
}

// Difference describes where the mirror and the disk differ, "" if nowhere.
func (e *Engine) Difference() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	disk := make(map[string]Facts)
	e.Walk("", func(path string, f Facts) { disk[path] = f })
	var wrong []string
	for p, f := range disk {
		if p == "" {
			continue
		}
		switch m, ok := e.mirror[p]; {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("missed: %q %v", p, f))
		case m != f:
			wrong = append(wrong, fmt.Sprintf("stale: %q is %v, believed %v", p, f, m))
		}
	}
	for p := range e.mirror {
		if _, ok := disk[p]; !ok && p != "" && e.Depths.shows(p) {
			wrong = append(wrong, fmt.Sprintf("resurrected: %q", p))
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 10 {
		wrong = append(wrong[:10], fmt.Sprintf("and %d more", len(wrong)-10))
	}
	return strings.Join(wrong, "\n")
}

// Tail returns the last calls.
func (e *Engine) Tail() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.log[max(0, len(e.log)-60):], "\n")
}

// Said returns all that was said of a path since the last call of Forget.
func (e *Engine) Said(path string) watch.Change {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen[path]
}

// Seen returns the paths that were reported since the last call of Forget, with
// what was said of each.
func (e *Engine) Seen() map[string]watch.Change {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.seen)
}

// Moves returns the renames that were reported since the last call of Forget.
func (e *Engine) Moves() [][2]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.moves)
}

// Log returns the last calls since the last call of Forget.
func (e *Engine) Log() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.log[e.old:])
}

// Losses returns the reasons of all calls of Lost.
func (e *Engine) Losses() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.losses)
}

// GoneFor returns the reasons of all calls of RootGone.
func (e *Engine) GoneFor() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.goneFor)
}

// Answered returns the last barrier that was.
func (e *Engine) Answered() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.answered
}

// Forget has the lists of reported paths, renames and calls begin anew.
func (e *Engine) Forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.seen)
	e.moves = nil
	e.old = len(e.log)
}

// LookAll looks at all below a path without having been told to.
func (e *Engine) LookAll(path string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lookAll(path)
}

// Await waits until ok is true.
func (e *Engine) Await(what string, ok func() bool) {
	e.T.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(Patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			e.T.Fatalf("waited in vain for %s; the last calls:\n%s", what, e.Tail())
		}
	}
}
