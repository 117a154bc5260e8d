package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests. It is never waited for in vain.
const patience = 20 * time.Second

// facts is what the mirror keeps of a path: what lstat tells, and the content.
type facts struct {
	mode    fs.FileMode
	ino     uint64
	size    int64
	mtime   int64
	content string
}

// engine is a Sink that keeps a mirror of the tree, made from hints only: it
// looks at a path when, and only when, it is told that the path may differ.
type engine struct {
	t    testing.TB
	root string

	// before, if set, is called at the beginning of each Changed, in Run's
	// goroutine. It must be set before Run starts.
	before func(path string, change Change)

	mu sync.Mutex
	// mirror is what is believed to be on the disk. Guarded by mu, as all below.
	mirror map[string]facts
	// below holds, for each path, the paths in it that the mirror has or has
	// something below of.
	below map[string]map[string]struct{}
	// seen are the paths that were reported since the last call of forget.
	seen map[string]Change
	// log are the last calls, for a failure's message.
	log      []string
	lost     []string
	goneFor  []string
	moves    [][2]string
	answered uint64
	news     chan struct{}
}

func newEngine(t testing.TB, root string) *engine {
	return &engine{
		t:      t,
		root:   root,
		mirror: make(map[string]facts),
		below:  make(map[string]map[string]struct{}),
		seen:   make(map[string]Change),
		news:   make(chan struct{}),
	}
}

func (e *engine) abs(path string) string {
	return e.root + "/" + path
}

// note logs a call and wakes who waits for one. e.mu is held.
func (e *engine) note(format string, args ...any) {
	if len(e.log) >= 400 {
		e.log = slices.Delete(e.log, 0, 200)
	}
	e.log = append(e.log, fmt.Sprintf(format, args...))
	close(e.news)
	e.news = make(chan struct{})
}

func (e *engine) Changed(path string, change Change) {
	if e.before != nil {
		e.before(path, change)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.check(path)
	e.seen[path] |= change
	if change&Tree != 0 {
		e.lookAll(path)
	} else {
		e.look(path)
	}
	e.note("changed %q %05b", path, change)
}

func (e *engine) Moved(from, to string, dir bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.check(from)
	e.check(to)
	e.seen[from] |= Entry
	e.seen[to] |= Entry
	e.moves = append(e.moves, [2]string{from, to})
	// Nothing better is sound here: what was looked at already may be newer
	// than the rename.
	e.lookAll(from)
	e.lookAll(to)
	e.note("moved %q %q %v", from, to, dir)
}

func (e *engine) Lost(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost = append(e.lost, reason)
	e.lookAll("")
	e.note("lost %s", reason)
}

func (e *engine) RootGone(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.goneFor = append(e.goneFor, reason)
	e.note("root gone %s", reason)
}

func (e *engine) Barrier(n uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answered = max(e.answered, n)
	e.note("barrier %d", n)
}

// check complains about a path that no watcher may report. e.mu is held.
func (e *engine) check(path string) {
	if path == "" {
		return
	}
	if path[0] == '/' || filepath.Clean(path) != path || path == ".." || strings.HasPrefix(path, "../") {
		e.t.Errorf("reported a path that is not below the root: %q", path)
	}
}

// look brings one path of the mirror in line with the disk. e.mu is held.
func (e *engine) look(path string) {
	f, ok := e.read(path)
	if !ok {
		e.forgetTree(path)
		return
	}
	if !f.mode.IsDir() {
		e.forgetTree(path)
	}
	e.believe(path, f)
}

// believe puts the facts of a path into the mirror. e.mu is held.
func (e *engine) believe(path string, f facts) {
	e.mirror[path] = f
	for path != "" {
		dir := parentOf(path)
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
func (e *engine) lookAll(path string) {
	e.forgetTree(path)
	if _, ok := e.read(path); !ok {
		return
	}
	e.walk(path, e.believe)
}

// forgetTree removes a path and all below it from the mirror. e.mu is held.
func (e *engine) forgetTree(path string) {
	delete(e.mirror, path)
	for child := range e.below[path] {
		e.forgetTree(child)
	}
	delete(e.below, path)
	if path != "" {
		delete(e.below[parentOf(path)], path)
	}
}

// read returns the facts of a path; false if there is none, or if one of the
// directories above it is none.
func (e *engine) read(path string) (facts, bool) {
	for dir := parentOf(path); dir != ""; dir = parentOf(dir) {
		info, err := os.Lstat(e.abs(dir))
		if err != nil || !info.IsDir() {
			return facts{}, false
		}
	}
	info, err := os.Lstat(e.abs(path))
	if err != nil {
		return facts{}, false
	}
	return e.factsOf(path, info), true
}

func parentOf(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return ""
	}
	return path[:i]
}

func (e *engine) factsOf(path string, info fs.FileInfo) facts {
	f := facts{mode: info.Mode(), ino: info.Sys().(*syscall.Stat_t).Ino}
	switch {
	case info.Mode().IsRegular():
		// A test does not tell apart what happens within one tick of the file
		// system's clock by the times, but by the content.
		f.size, f.mtime = info.Size(), info.ModTime().UnixNano()
		if f.size < 64 {
			content, _ := os.ReadFile(e.abs(path))
			f.content = string(content)
		}
	case info.Mode()&fs.ModeSymlink != 0:
		f.content, _ = os.Readlink(e.abs(path))
	}
	return f
}

// walk visits what is on the disk from path on. What vanishes or cannot be read
// meanwhile is passed over.
func (e *engine) walk(path string, f func(path string, f facts)) {
	_ = filepath.WalkDir(e.abs(path), func(abs string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		info, err := os.Lstat(abs)
		if err != nil {
			return nil
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(abs, strings.TrimSuffix(e.abs(""), "/")), "/")
		f(rel, e.factsOf(rel, info))
		return nil
	})
}

// difference describes where the mirror and the disk differ, "" if nowhere.
func (e *engine) difference() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	disk := make(map[string]facts)
	e.walk("", func(path string, f facts) { disk[path] = f })
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
		if _, ok := disk[p]; !ok && p != "" {
			wrong = append(wrong, fmt.Sprintf("resurrected: %q", p))
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 10 {
		wrong = append(wrong[:10], fmt.Sprintf("and %d more", len(wrong)-10))
	}
	return strings.Join(wrong, "\n")
}

// tail returns the last calls.
func (e *engine) tail() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.log[max(0, len(e.log)-60):], "\n")
}

// await waits until ok, called with e.mu held, is true.
func (e *engine) await(what string, ok func() bool) {
	e.t.Helper()
	deadline := time.After(patience)
	for {
		e.mu.Lock()
		done, news := ok(), e.news
		e.mu.Unlock()
		if done {
			return
		}
		select {
		case <-news:
		case <-deadline:
			e.t.Fatalf("waited in vain for %s; the last calls:\n%s", what, e.tail())
		}
	}
}

// bench is a running watcher with its engine.
type bench struct {
	*engine
	w     Watcher
	armed chan struct{}
	stop  context.CancelFunc
	ended chan error
	n     uint64
}

// start makes a watcher of root and runs it.
func start(t testing.TB, root string, opts Options, prepare func(*engine)) *bench {
	t.Helper()
	if opts.CookieDir == "" {
		opts.CookieDir = t.TempDir()
	}
	e := newEngine(t, root)
	if prepare != nil {
		prepare(e)
	}
	w, err := New(root, opts, e)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, w, e)
}

// run runs a watcher until the test ends, and waits until it is armed.
func run(t testing.TB, w Watcher, e *engine) *bench {
	t.Helper()
	b := launch(t, w, e)
	b.awaitArmed()
	return b
}

// launch runs a watcher until the test ends.
func launch(t testing.TB, w Watcher, e *engine) *bench {
	ctx, cancel := context.WithCancel(context.Background())
	b := &bench{engine: e, w: w, armed: make(chan struct{}), stop: cancel, ended: make(chan error, 1)}
	go func() { b.ended <- w.Run(ctx, func() { close(b.armed) }) }()
	t.Cleanup(b.end)
	return b
}

// awaitArmed waits until the tree is armed, and has the mirror begin with it.
func (b *bench) awaitArmed() {
	b.t.Helper()
	select {
	case <-b.armed:
	case err := <-b.ended:
		b.ended <- err
		b.t.Fatalf("Run: %v", err)
	case <-time.After(patience):
		b.t.Fatal("waited in vain for the tree to be armed")
	}
	// The full pass that a receiver begins with.
	b.mu.Lock()
	b.lookAll("")
	b.mu.Unlock()
}

// end stops the watcher and waits for Run to return.
func (b *bench) end() {
	b.stop()
	select {
	case err := <-b.ended:
		if err != nil && !errors.Is(err, context.Canceled) {
			b.t.Errorf("Run: %v", err)
		}
		b.ended <- nil
	case <-time.After(patience):
		b.t.Errorf("Run does not return")
	}
}

// barrier waits until all changes made so far have been reported.
func (b *bench) barrier() {
	b.t.Helper()
	b.n++
	b.w.Barrier(b.n)
	b.await(fmt.Sprintf("barrier %d", b.n), func() bool { return b.answered >= b.n })
}

// forget empties the list of reported paths.
func (b *bench) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.seen)
	b.moves = nil
}

// verify requires the mirror to equal the disk and every directory to be heard.
func (b *bench) verify() {
	b.t.Helper()
	b.barrier()
	if !b.w.Stats().Lossless {
		// The full pass that follows a burst.
		b.mu.Lock()
		b.lookAll("")
		b.mu.Unlock()
	}
	if d := b.difference(); d != "" {
		b.t.Fatalf("the mirror differs from the disk:\n%s\nthe last calls:\n%s", d, b.tail())
	}
	b.probe()
}

// probe puts a file into every directory and requires each to be reported. A
// watcher that is not lossless may need to be asked again.
func (b *bench) probe() {
	b.t.Helper()
	var probes []string
	b.walk("", func(path string, f facts) {
		if f.mode.IsDir() {
			probes = append(probes, join(path, ".probe"))
		}
	})
	deadline := time.Now().Add(patience)
	for {
		b.forget()
		for _, p := range probes {
			err := os.WriteFile(b.abs(p), nil, 0o600)
			if err != nil && !errors.Is(err, fs.ErrPermission) {
				b.t.Fatal(err)
			}
		}
		b.barrier()
		var deaf []string
		for _, p := range probes {
			err := os.Remove(b.abs(p))
			if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
				b.t.Fatal(err)
			}
			b.mu.Lock()
			if b.seen[p] == 0 && err == nil {
				deaf = append(deaf, parentOf(p))
			}
			b.mu.Unlock()
		}
		b.barrier()
		if len(deaf) == 0 {
			return
		}
		if b.w.Stats().Lossless || time.Now().After(deadline) {
			b.t.Fatalf("%d of %d directories are deaf: %q\nthe last calls:\n%s", len(deaf), len(probes), deaf[:min(10, len(deaf))], b.tail())
		}
	}
}
