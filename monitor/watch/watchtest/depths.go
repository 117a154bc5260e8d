package watchtest

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// Depths says how much of each directory is watched: what is said of its path, with a
// slash before it, or else of its name, and otherwise Whole. Of nil, all is Whole.
type Depths struct {
	mu sync.Mutex
	// said is guarded by mu, and so is settled: what a watcher has been told of names,
	// and acknowledged.
	said, settled map[string]watch.Depth
	// asked counts the calls of Enter for each path. Guarded by mu.
	asked map[string]int
}

// NewDepths returns Depths with what is said of paths and names.
func NewDepths(said map[string]watch.Depth) *Depths {
	d := &Depths{said: make(map[string]watch.Depth), settled: make(map[string]watch.Depth), asked: make(map[string]int)}
	maps.Copy(d.said, said)
	d.settle()
	return d
}

// Enter is what the watcher gets.
func (d *Depths) Enter(path string) watch.Depth {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[path]++
	return lookup(d.said, path)
}

// Asked returns how often Enter was called for a path since the last time.
func (d *Depths) Asked(path string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.asked[path]
	delete(d.asked, path)
	return n
}

// settle has what is said of names count for settled.
func (d *Depths) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, depth := range d.said {
		// A directory may come to a path by a rename and be watched for a moment.
		if key[0] != '/' {
			d.settled[key] = depth
		}
	}
}

// Say changes what is said of a path or name.
func (d *Depths) Say(key string, depth watch.Depth) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.settled, key)
	d.said[key] = depth
}

func lookup(said map[string]watch.Depth, path string) watch.Depth {
	if depth, ok := said["/"+path]; ok {
		return depth
	}
	return said[path[strings.LastIndexByte(path, '/')+1:]]
}

// effective is how much of a directory is watched, in view of those above it.
func effective(said map[string]watch.Depth, dir string) watch.Depth {
	if dir == "" {
		return watch.Whole
	}
	if effective(said, relpath.Parent(dir)) != watch.Whole {
		return watch.Nothing
	}
	return lookup(said, dir)
}

// of returns how much of a directory is watched.
func (d *Depths) of(dir string) watch.Depth {
	if d == nil {
		return watch.Whole
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return effective(d.said, dir)
}

// shows reports whether path is in a directory that is watched.
func (d *Depths) shows(path string) bool {
	return path == "" || d.of(relpath.Parent(path)) != watch.Nothing
}

// mustHide reports whether a watcher may not report a path any more.
func (d *Depths) mustHide(path string) bool {
	if d == nil || path == "" {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := relpath.Parent(path)
	return effective(d.settled, dir) == watch.Nothing && effective(d.said, dir) == watch.Nothing
}

// Say changes what is said of a path or name, and has the watcher look at
// directories because of that, and forgets what is not watched any more. The watcher
// has taken in what was said before by then.
func (b *Bench) Say(key string, depth watch.Depth, dirs ...string) {
	b.T.Helper()
	if b.n > 0 {
		b.Settle()
	}
	b.Depths.Say(key, depth)
	b.mu.Lock()
	for path := range maps.Clone(b.mirror) {
		if !b.Depths.shows(path) {
			b.forgetTree(path)
		}
	}
	b.mu.Unlock()
	b.W.Look(dirs)
}

// Settle waits until the watcher has taken in what was said.
func (b *Bench) Settle() {
	b.T.Helper()
	b.Sync()
	b.Depths.settle()
}

// verifyDepths requires that directories that are not to be watched are not heard,
// and that no other one counts.
func (b *Bench) verifyDepths() {
	b.T.Helper()
	var deaf []string
	want := 0
	_ = filepath.WalkDir(b.Abs(""), func(abs string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		dir, err := filepath.Rel(b.Root, abs)
		if err != nil {
			return err
		}
		if dir == "." {
			dir = ""
		}
		if b.Depths.of(dir) == watch.Nothing {
			deaf = append(deaf, dir)
		} else {
			want++
		}
		return nil
	})
	b.Forget()
	for _, dir := range deaf {
		path := b.Abs(relpath.Join(dir, ".probe"))
		if err := os.WriteFile(path, nil, 0o600); err == nil {
			_ = os.Remove(path)
		}
	}
	b.Sync()
	for _, dir := range deaf {
		if path := relpath.Join(dir, ".probe"); b.Said(path) != 0 {
			b.T.Errorf("reported what is in a directory that is not watched: %q", path)
		}
	}
	for deadline := time.Now().Add(Patience); ; {
		stats := b.W.Stats()
		if stats.Directories+stats.Polled == want && stats.Silent <= want {
			return
		}
		if time.Now().After(deadline) {
			b.T.Fatalf("%d directories are to be watched, and the state is %+v\nthe last calls:\n%s", want, stats, b.Tail())
		}
		b.Sync()
	}
}
