// Package links knows the names of files that have several.
package links

import (
	"context"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/walk"
)

// Index knows the names of files that have several. An event of such a file
// names only the one by which it was opened, and the remotes have a file of its
// own for each: what happened by one name has to be looked at under all. The
// name that was used may be gone, or be another file's by then, so that names are
// remembered that a file had once.
//
// Names become known by the event of each, by a walk through a tree that came as
// a whole, and by a walk through the workspace, which each full pass makes. Where
// a file has more names than are known, the others may be outside of the
// workspace, or older than all that was seen: that is a question, which a walk
// answers; see search.go. Its methods may be called from any goroutine.
type Index struct {
	tree Tree
	// excludes reports whether a file is excluded: it counts as outside of the workspace.
	excludes func(name string) bool
	// tell passes on names that are to be looked at, and that questions are open;
	// it is called without mu.
	tell func(found []Marks, a Answer)
	// Seen, if not nil, is shown all files that a walk through the workspace finds.
	Seen func(name string)
	// Now is the clock, if not nil.
	Now func() time.Time

	mu    sync.Mutex // guards everything below
	files map[fileID]*linkedFile
	paths map[string][]*linkedFile // by the names that they have, or had
	// sightings are files that had one name when something happened to them.
	sightings sightings
	// asked are the files with a question, and lowest is the lowest mark of these.
	asked  map[*linkedFile]bool
	lowest uint64
	// renames counts the renames of directories, past which a walk may miss names.
	renames int
	// count is how many names are remembered; when they are room, it is time to
	// forget some.
	count, room int

	// outside is how many files have names outside of the workspace.
	outside atomic.Int64
}

// Tree is the workspace that an index looks at: a walk.Tree, or what a simulation has. The
// information has what the system says of a file.
type Tree interface {
	Lstat(name string) (fs.FileInfo, error)
	// Files visits the regular files at or below a path, until ctx is done or visit
	// returns false.
	Files(ctx context.Context, path string, visit func(name string, e fs.DirEntry) bool)
}

// fileID identifies a file, whatever it is called.
type fileID struct{ device, inode uint64 }

// linkedFile is a file that has, or had, several names.
type linkedFile struct {
	id fileID
	// names are those that it has, or had, in the workspace.
	names []string
	// outside is how many names it has outside of the workspace.
	outside uint64
	// question is that there may be names that nobody knows, nil for no question.
	question *question
	// used is the number of the last mark that had to do with the file.
	used uint64
}

// question is about a file with more names than are known.
type question struct {
	// seq and since are those of the oldest mark that asks.
	seq   uint64
	since time.Time
	// known of the names were known, and nlink and changed were the file's, when
	// it was asked first.
	known   int
	nlink   uint64
	changed time.Time
	// walks counts those that were made in vain.
	walks int
	// answered: the names are about to be marked.
	answered bool
}

// The names that are remembered, at some 200 bytes each: linksLimit at most, and
// not many more that are gone than linksRoom.
const (
	linksLimit = 200000
	linksRoom  = 20000
)

// New returns the index of a workspace. excludes reports whether a file is excluded, which
// then counts as outside of it. tell passes on names that are to be looked at, and that
// questions are open; both are called from any goroutine, tell while no lock is held.
func New(tree Tree, excludes func(name string) bool, tell func(found []Marks, a Answer)) *Index {
	return &Index{tree: tree, excludes: excludes, tell: tell, files: make(map[fileID]*linkedFile), paths: make(map[string][]*linkedFile), asked: make(map[*linkedFile]bool), room: linksRoom}
}

// identify returns what a regular file is and how many names it has.
func identify(info fs.FileInfo) (id fileID, nlink uint64, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return fileID{}, 0, false
	}
	return fileID{uint64(st.Dev), st.Ino}, uint64(st.Nlink), true
}

func (l *Index) lstat(name string) (fs.FileInfo, error) { return l.tree.Lstat(name) }

func (l *Index) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

// Answer is what an index makes of a path that something has happened to.
type Answer int

const (
	// Complete: all names are known.
	Complete Answer = iota
	// asks: there may be others. It is the first question, or older than all.
	Asks
	// Beyond: there may be others, and no room to remember them.
	Beyond
)

// Notice takes in that something has happened to a path, of which the mark seq
// tells, and returns the other names of the file that it happened to.
func (l *Index) Notice(name string, seq uint64, now time.Time) (others []string, a Answer) {
	info, err := l.lstat(name)
	l.mu.Lock()
	defer l.mu.Unlock()
	var here *linkedFile
	if err == nil {
		here, others, a = l.sight(name, info, seq, now)
	} else {
		l.sightings.forget(name)
	}
	for _, f := range l.paths[name] {
		if f != here {
			// It may have happened by a name that the file does not have any more.
			f.used = max(f.used, seq)
			others = append(others, l.current(f, name)...)
		}
	}
	return others, a
}

// Look takes in what a walk has found at name in a tree that came as a whole: it
// may have been written before the tree was watched. The names that are to be
// looked at because of that, as of the mark seq, are told.
func (l *Index) Look(name string, info fs.FileInfo, seq uint64, since time.Time) {
	id, nlink, ok := identify(info)
	if !ok || l.excludes(name) {
		return
	}
	l.mu.Lock()
	f, known := l.files[id]
	if nlink < 2 && !known {
		l.mu.Unlock()
		return
	}
	joins := known && !slices.Contains(f.names, name)
	_, names, a := l.sight(name, info, seq, since)
	l.mu.Unlock()
	if joins {
		// What was written meanwhile by another name was told of that one only.
		names = append(names, name)
	}
	if len(names) > 0 || a != Complete {
		l.tell([]Marks{{names, seq, since}}, a)
	}
}

// sight takes in the file that is at name, and returns the other names that it
// has; the caller holds mu.
func (l *Index) sight(name string, info fs.FileInfo, seq uint64, now time.Time) (f *linkedFile, others []string, a Answer) {
	id, nlink, ok := identify(info)
	if !ok {
		return nil, nil, Complete
	}
	if l.files[id] == nil && nlink < 2 {
		before, ok := l.sightings.see(id, name)
		if !ok {
			return nil, nil, Complete
		}
		// It got this name and lost the other before anybody looked.
		l.join(id, before)
	}
	if f = l.join(id, name); f == nil {
		return nil, nil, Beyond
	}
	f.used = max(f.used, seq)
	others = l.current(f, name)
	current := uint64(len(others)) + 1
	switch {
	case nlink < current+f.outside:
		l.setOutside(f, max(nlink, current)-current)
	case nlink > current+f.outside:
		a = l.ask(f, question{seq: seq, since: now, known: len(f.names), nlink: nlink, changed: walk.ChangeTime(info)})
	}
	return f, others, a
}

// current returns the names that a file has now, but for one; the caller holds mu.
func (l *Index) current(f *linkedFile, but string) (names []string) {
	for _, name := range f.names {
		if name == but {
			continue
		}
		if info, err := l.lstat(name); err == nil {
			if id, _, ok := identify(info); ok && id == f.id {
				names = append(names, name)
			}
		}
	}
	return names
}

// join remembers a name of a file, and returns the file; nil if there is no room.
// The caller holds mu.
func (l *Index) join(id fileID, name string) *linkedFile {
	f := l.files[id]
	if f != nil && slices.Contains(l.paths[name], f) {
		return f
	}
	if l.count >= l.room {
		if l.room > linksLimit {
			return nil
		}
		l.forget()
		l.room = max(linksRoom, 2*l.count)
	}
	if f == nil {
		f = &linkedFile{id: id}
		l.files[id] = f
	}
	f.names = append(f.names, name)
	l.paths[name] = append(l.paths[name], f)
	l.count++
	return f
}

// setOutside takes in how many names of a file are not in the workspace; the
// caller holds mu.
func (l *Index) setOutside(f *linkedFile, n uint64) {
	if (f.outside > 0) != (n > 0) {
		if n > 0 {
			l.outside.Add(1)
		} else {
			l.outside.Add(-1)
		}
	}
	f.outside = n
}

// ask opens a question, or makes it older; the caller holds mu.
func (l *Index) ask(f *linkedFile, q question) Answer {
	a := Complete
	if len(l.asked) == 0 || q.seq < l.lowest {
		l.lowest, a = q.seq, Asks
	}
	if old := f.question; old != nil {
		if old.seq < q.seq {
			q.seq, q.since = old.seq, old.since
		}
		if !old.answered {
			old.seq, old.since = q.seq, q.since
			return a
		}
	}
	f.question = &q
	l.asked[f] = true
	return a
}

// Oldest returns the lowest mark that a question is about, and how many files
// there are questions about.
func (l *Index) Oldest() (seq uint64, since time.Time, files int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.asked {
		if q := f.question; files == 0 || q.seq < seq {
			seq, since = q.seq, q.since
		}
		files++
	}
	return seq, since, files
}

// forget makes room: names that are gone, and had nothing to do with any event
// for longest, are forgotten. The caller holds mu.
func (l *Index) forget() {
	gone := make(map[*linkedFile][]string)
	var used []uint64
	for _, f := range l.files {
		if f.question != nil {
			continue
		}
		has := l.current(f, "")
		for _, name := range f.names {
			if !slices.Contains(has, name) {
				gone[f] = append(gone[f], name)
				used = append(used, f.used)
			}
		}
	}
	slices.Sort(used)
	for f, names := range gone {
		if f.used <= used[len(used)/2] {
			l.drop(f, names)
		}
	}
}

// drop forgets names of a file, and the file with the last of them; the caller
// holds mu.
func (l *Index) drop(f *linkedFile, names []string) {
	f.names = slices.DeleteFunc(f.names, func(name string) bool { return slices.Contains(names, name) })
	for _, name := range names {
		l.count--
		others := slices.DeleteFunc(l.paths[name], func(g *linkedFile) bool { return g == f })
		if l.paths[name] = others; len(others) == 0 {
			delete(l.paths, name)
		}
	}
	if len(f.names) == 0 {
		l.setOutside(f, 0)
		delete(l.files, f.id)
	}
}

// Moved gives the file at from and, with dir, those below it the names that they
// have after a rename. What is open keeps the name of a file that was replaced,
// but not that of a directory above it.
func (l *Index) Moved(from, to string, dir bool) {
	info, err := l.lstat(to)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !dir {
		l.sightings.moved(from, to)
		for _, f := range slices.Clone(l.paths[from]) {
			l.join(f.id, to)
		}
		if err != nil {
			return
		}
		if id, nlink, ok := identify(info); ok && nlink > 1 {
			l.join(id, to)
		}
		return
	}
	l.renames++
	l.sightings = sightings{}
	var below []string
	for name := range l.paths {
		if relpath.Below(name, from) {
			below = append(below, name)
		}
	}
	for _, name := range below {
		files, now := l.paths[name], to+name[len(from):]
		delete(l.paths, name)
		for _, f := range files {
			i := slices.Index(f.names, name)
			if slices.Contains(l.paths[now], f) {
				f.names[i] = now // twice, which does no harm
				continue
			}
			f.names[i] = now
			l.paths[now] = append(l.paths[now], f)
		}
	}
}

// Outside is how many files have names outside of the workspace.
func (l *Index) Outside() int { return int(l.outside.Load()) }
