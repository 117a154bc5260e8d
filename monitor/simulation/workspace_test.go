//go:build linux

package simulation

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"syscall"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// node is what is at a path at one moment. It never changes: what happens to a file makes
// another node of the same number.
type node struct {
	mode    fs.FileMode
	content uint64 // of a file, and where a link leads
	size    int64
	mtime   time.Time
	ctime   time.Time
	stat    syscall.Stat_t
}

func (n *node) Name() string       { return "" }
func (n *node) Size() int64        { return n.size }
func (n *node) Mode() fs.FileMode  { return n.mode }
func (n *node) ModTime() time.Time { return n.mtime }
func (n *node) IsDir() bool        { return n.mode.IsDir() }
func (n *node) Sys() any           { return &n.stat }

// dirEntry is a node in a listing.
type dirEntry struct {
	name string
	*node
}

func (d dirEntry) Name() string               { return d.name }
func (d dirEntry) Type() fs.FileMode          { return d.mode.Type() }
func (d dirEntry) Info() (fs.FileInfo, error) { return d.node, nil }

// version is what was at a path from a moment on; nil for nothing.
type version struct {
	tick int
	*node
}

// workspace is a directory tree in memory. Each change has a number, its tick.
type workspace struct {
	w     *world
	names map[string]*node
	// gone: the root is not there, or another directory is in its place.
	gone bool
	tick int
	// past are the versions of each path, and renamed when it was last renamed, with what is
	// above it. rootless is when the root was not there last.
	past     map[string][]version
	renamed  map[string]int
	rootless int
	movedTo  map[string]string   // where what was at a path was renamed to
	linked   map[uint64][]string // the names of files that had several
	number   uint64              // of the last inode, and of the last content
	sorted   []string
}

func newWorkspace(w *world) *workspace {
	return &workspace{w: w, names: make(map[string]*node), past: make(map[string][]version), renamed: make(map[string]int), movedTo: make(map[string]string), linked: make(map[uint64][]string), rootless: -1}
}

// ticks begins a change.
func (f *workspace) ticks() {
	f.tick++
	f.w.daemon.history.did(input{kind: changes})
}

// find returns what is at a path, nil for nothing.
func (f *workspace) find(path string) *node {
	if f.gone {
		return nil
	}
	if path == "" {
		return rootNode
	}
	return f.names[path]
}

var rootNode = &node{mode: fs.ModeDir | 0o755}

// Lstat implements links.Tree and direct.Source.
func (f *workspace) Lstat(path string) (fs.FileInfo, error) {
	if n := f.find(path); n != nil {
		return n, nil
	}
	return nil, fs.ErrNotExist
}

// all are all paths in order.
func (f *workspace) all() []string {
	if f.gone {
		return nil
	}
	if f.sorted == nil {
		f.sorted = slices.Sorted(maps.Keys(f.names))
	}
	return f.sorted
}

// below visits a path and all below it.
func (f *workspace) below(path string, visit func(path string, n *node)) {
	for _, p := range f.all() {
		if path == "" || p == path || relpath.Below(p, path) {
			visit(p, f.names[p])
		}
	}
}

// Files implements links.Tree.
func (f *workspace) Files(_ context.Context, path string, visit func(name string, e fs.DirEntry) bool) {
	f.below(path, func(p string, n *node) {
		if n.mode.IsRegular() {
			visit(p, dirEntry{p, n})
		}
	})
}

// set has a path become n, nil for nothing.
func (f *workspace) set(path string, n *node) {
	f.sorted = nil
	if n == nil {
		delete(f.names, path)
	} else {
		f.names[path] = n
	}
	f.past[path] = append(f.past[path], version{f.tick, n})
}

// make returns a new node.
func (f *workspace) make(mode fs.FileMode, size int64) *node {
	f.number++
	n := &node{mode: mode, content: f.number, size: size}
	n.stat.Ino, n.stat.Nlink = f.number, 1
	f.touch(n)
	return n
}

// touch sets the times of a node that nobody has seen yet. Files of one second are many.
func (f *workspace) touch(n *node) {
	n.mtime, n.ctime = f.w.now, f.w.now
	n.stat.Ctim = syscall.NsecToTimespec(f.w.now.UnixNano())
	n.stat.Blocks = (n.size + 511) / 512
}

// isDir reports whether something can be made in a directory.
func (f *workspace) isDir(path string) bool {
	n := f.find(path)
	return n != nil && n.IsDir()
}

// edit replaces the node of a file at all its names.
func (f *workspace) edit(n *node, change func(n *node)) {
	next := *n
	change(&next)
	for _, p := range f.all() {
		if f.names[p].stat.Ino == n.stat.Ino {
			f.set(p, &next)
		}
	}
}

// put makes a file, or writes to one; it returns what the watcher sees.
func (f *workspace) put(path string, size int64) (change watch.Change) {
	f.ticks()
	if n := f.names[path]; n != nil {
		f.number++
		f.edit(n, func(n *node) {
			n.content, n.size = f.number, size
			f.touch(n)
		})
		return watch.Content
	}
	f.set(path, f.make(0o644, size))
	return watch.Entry | watch.Content
}

// remove removes a path with all below it.
func (f *workspace) remove(path string) {
	f.ticks()
	for _, p := range slices.Clone(f.all()) {
		if p == path || relpath.Below(p, path) {
			f.unlink(p)
		}
	}
}

// unlink removes one name.
func (f *workspace) unlink(path string) {
	n := f.names[path]
	f.set(path, nil)
	if n.stat.Nlink > 1 {
		f.edit(n, func(n *node) { n.stat.Nlink--; n.ctime = f.w.now })
	}
}

// rename renames a path with all below it; what is at to is replaced.
func (f *workspace) rename(from, to string) {
	f.ticks()
	if f.names[to] != nil {
		f.unlink(to)
	}
	for _, p := range slices.Clone(f.all()) {
		if p != from && !relpath.Below(p, from) {
			continue
		}
		n, name := f.names[p], to+p[len(from):]
		f.set(p, nil)
		// On the disk it is the inode of what was renamed that changes, and not of what is below
		// it: there a pass after a crash may take a file for another of its size and time.
		renamed := *n
		renamed.ctime = f.w.now
		n = &renamed
		f.set(name, n)
		if f.linked[n.stat.Ino] != nil {
			f.linked[n.stat.Ino] = append(f.linked[n.stat.Ino], name)
		}
		f.renamed[p], f.renamed[name] = f.tick, f.tick
		f.movedTo[p] = name
	}
}

// link gives a file another name.
func (f *workspace) link(from, to string) {
	f.ticks()
	f.edit(f.names[from], func(n *node) { n.stat.Nlink++; n.ctime = f.w.now })
	n := f.names[from]
	f.linked[n.stat.Ino] = append(f.linked[n.stat.Ino], from, to)
	f.set(to, n)
}

// was reports whether a path was, at some moment since a tick, one of which ok is true.
func (f *workspace) was(path string, since int, ok func(n *node) bool) bool {
	if f.rootless >= since && ok(nil) {
		return true
	}
	past := f.past[path]
	for i := len(past) - 1; i >= 0; i-- {
		if ok(past[i].node) {
			return true
		}
		if past[i].tick <= since {
			return false
		}
	}
	return ok(nil)
}

// event is what the kernel has told of, and nobody has read.
type event struct {
	path, to string // to of a rename
	change   watch.Change
	// lost: the queue was full.
	lost bool
	then func() // of a barrier, nil for others
}

// watcher is the model of one: it tells of changes later, and may merge them. It knows no
// more of a directory than that it is there until it has told of that.
type watcher struct {
	f       *workspace
	queue   []event
	watched map[uint64]bool // directories, by number
	lossy   bool            // events are missed
	armed   bool
	limit   int // how many events there may be
}

// sees reports whether there are events of what happens in a directory.
func (v *watcher) sees(path string) bool {
	dir := relpath.Parent(path)
	return v.armed && (dir == "" || v.f.names[dir] != nil && v.watched[v.f.names[dir].stat.Ino])
}

// tell takes in that something has happened.
func (v *watcher) tell(e event) {
	switch {
	case e.then != nil:
		v.queue = append(v.queue, e)
		return
	case v.lossy && v.f.w.chance(10):
		return
	}
	if n := len(v.queue); n > 0 && e.to == "" {
		if last := v.queue[n-1]; last.path == e.path && last.to == "" && last.change == e.change && !last.lost && last.then == nil {
			return // the kernel merges what is the same
		}
	}
	if len(v.queue) >= v.limit {
		if !slices.ContainsFunc(v.queue, func(e event) bool { return e.lost }) {
			v.queue = append(v.queue, event{lost: true})
		}
		return
	}
	v.queue = append(v.queue, e)
}

// watch watches a directory and all below it, and reports whether it did not before.
func (v *watcher) watch(path string) (news bool) {
	v.f.below(path, func(_ string, n *node) {
		if n.IsDir() && !v.watched[n.stat.Ino] {
			v.watched[n.stat.Ino], news = true, true
		}
	})
	return news
}

// kindOf is what an event says of an entry.
func kindOf(n *node) watch.Change {
	if n != nil && n.IsDir() {
		return watch.Entry | watch.Content | watch.Tree
	}
	return watch.Entry | watch.Content
}
