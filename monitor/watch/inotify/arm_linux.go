package inotify

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"wsync/monitor/watch"
	"wsync/monitor/watch/directory"
)

// Arming works by places. A place is a name in a directory of the tree; to
// visit it is to find out which directory is there now, to watch it, to list
// it, and to visit the places below it. What is there now may be ahead of the
// events read so far, so two rules keep the tree right in the end:
//
//   - A directory is known by its watch. If the one that is found carries the
//     watch of another node, that node's place is stale: it loses the watch and
//     its own place is visited anew.
//   - Whatever went wrong because the path led somewhere else has an event about
//     a part of that path still in the queue. Places visited since the queue was
//     last seen empty are therefore remembered, and visited anew when such an
//     event moves one of the directories above them.

const (
	// visitBatch is how many directories are looked at together.
	visitBatch = 256
	// visitTurn is how long to work on visits before reading events again:
	// far shorter than it takes to fill the kernel's queue.
	visitTurn = 20 * time.Millisecond
	// visitWorkers look at the directories of a batch.
	visitWorkers = 4
)

// visitSome visits places until none is left or the time is up.
func (w *Watcher) visitSome() {
	if len(w.visits) == 0 {
		return
	}
	end := time.Now().Add(visitTurn)
	for len(w.visits) > 0 {
		n := max(len(w.visits)-visitBatch, 0)
		batch := append(w.batch[:0], w.visits[n:]...)
		clear(w.visits[n:])
		w.visits = w.visits[:n]
		w.batch = batch
		w.visitAll(batch)
		clear(batch)
		if time.Now().After(end) {
			break
		}
	}
	// What takes longer is announced at once; the receiver may begin with what
	// is there and hears of it again when all of it is watched.
	for _, v := range w.visits {
		if j := v.job; j.report && !j.early {
			j.early = true
			if path, ok := w.pathOf(j.place); ok {
				w.sink.Changed(path, watch.Entry|watch.Tree|watch.Open)
			}
		}
	}
	if len(w.visits) == 0 {
		w.visits = nil
	}
}

// visitAll looks at a batch of places, several at a time, and then takes the
// results into the tree, one after the other.
func (w *Watcher) visitAll(batch []visit) {
	looks := w.looks[:0]
	free := w.freeWatches()
	for _, v := range batch {
		var l look
		if v.recheck {
			w.recheck(v)
			looks = append(looks, l)
			continue
		}
		l.path, l.ok = w.pathOf(v.place)
		if l.ok {
			l.depth = w.depth(v.place, l.path)
		}
		if n := w.nodeAt(v.place); n != nil && n.wd != 0 {
			l.watch = true
		} else if free > 0 && l.depth != watch.Nothing {
			l.watch = true
			free--
		}
		l.path = w.root.Abs(l.path)
		l.mask = dirMask
		if v.parent == nil {
			l.mask = rootMask
		}
		looks = append(looks, l)
	}
	w.looks = looks
	lookAll(w.fd, looks, w.listing)
	for i, v := range batch {
		if !v.recheck {
			w.take(v, &looks[i])
		}
		w.finish(v.job)
	}
	clear(looks)
}

// look is one directory to look at, and what was found.
type look struct {
	path string
	ok   bool
	// depth is how much of it is to be watched. If that is nothing, it is not
	// looked at.
	depth watch.Depth
	watch bool
	mask  uint32
	found survey
}

// wanted reports whether it is to be looked at.
func (l *look) wanted() bool { return l.ok && l.depth != watch.Nothing }

// lookAll looks at all of them, using several threads if it pays. Listings are
// read into buf.
func lookAll(inotify int, looks []look, buf []byte) {
	one := func(l *look, buf []byte) {
		if l.wanted() {
			l.found = lookAt(inotify, l.path, l.mask, l.watch, buf)
		}
	}
	wanted := 0
	for i := range looks {
		if looks[i].wanted() {
			wanted++
		}
	}
	workers := min(visitWorkers, runtime.GOMAXPROCS(0), wanted/8)
	if workers < 2 {
		for i := range looks {
			one(&looks[i], buf)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			buf := make([]byte, len(buf))
			for i := int(next.Add(1)) - 1; i < len(looks); i = int(next.Add(1)) - 1 {
				one(&looks[i], buf)
			}
		})
	}
	wg.Wait()
}

// take brings the node of a place in line with what was found there.
func (w *Watcher) take(v visit, l *look) {
	found := &l.found
	if v.parent == nil && w.root.Away {
		w.discard(found)
		return
	}
	if v.parent != nil && (!l.ok || !w.tree.holds(v.parent)) {
		v.parent.top().missed = true
		w.discard(found)
		return
	}
	cur := w.nodeAt(v.place)
	if l.depth == watch.Nothing {
		w.ignore(v.place, cur)
		return
	}
	w.recent = append(w.recent, v.place)
	if found.err != nil && found.wd == 0 && directory.Gone(found.err) {
		if cur != nil {
			v.job.report = true
			w.remove(cur, found.err)
		}
		return
	}
	known := cur != nil && cur.id == found.id && (found.wd == 0 || cur.wd == 0 || cur.wd == found.wd)
	if found.id == (directory.Identity{}) && cur != nil {
		known = true // Nothing is known against it.
	}
	if !known {
		v.job.report = true
		if cur != nil {
			w.remove(cur, errors.New("it was replaced"))
		}
		if cur = w.grow(v.place); cur == nil {
			w.discard(found)
			return
		}
		cur.id = found.id
	}
	widened := cur.alone && l.depth == watch.Whole
	if widened {
		cur.alone = false
		v.job.report = true
	}
	if found.err != nil {
		delete(w.polls.Silent, cur)
		// Whatever is missed by not listing it is made up for when that works
		// again, so a watch would be of no use until then.
		w.discard(found)
		w.tree.dropWatch(cur)
		w.poll(v.job, cur, found.err)
		return
	}
	listed := known && cur.wd != 0 && !widened
	dirs := found.dirs
	switch {
	case found.wd == cur.wd && cur.wd != 0:
	case found.wd == 0 && cur.wd != 0:
		// Being watched, it only could not be watched once more.
	case found.wd == 0:
		dirs = w.poll(v.job, cur, found.watchErr)
	case w.isAlias(found):
		dirs = w.poll(v.job, cur, errAlias)
	default:
		w.watchBy(v.job, cur, found.wd)
	}
	w.pollSilent(v.job, cur, l.path)
	if l.depth == watch.Alone {
		w.isolate(cur)
		return
	}
	if !listed || v.relist {
		w.descend(v, cur, dirs)
	}
}

// watchBy makes wd the watch of n, which had none.
func (w *Watcher) watchBy(j *job, n *node, wd int32) {
	if other := w.tree.byWatch[wd]; other != nil && other != n {
		other.wd = 0
		if w.tree.holds(other) {
			w.startJob(place{other.parent, other.name}, true, true)
		} else {
			other.top().missed = true
		}
	}
	w.tree.setWatch(n, wd)
	if state, ok := w.polls.Unwatched[n]; ok {
		// What changed between the last poll and the watch.
		w.compare(j, n, state)
		j.report = j.report || state.Entries == nil
		delete(w.polls.Unwatched, n)
		w.polledChanged = true
	}
}

// descend goes on with the subdirectories of n.
func (w *Watcher) descend(v visit, n *node, dirs []string) {
	n.partial = false // the visits will tell
	if len(n.children) > 0 {
		names := make(map[string]struct{}, len(dirs))
		for _, name := range dirs {
			names[name] = struct{}{}
		}
		for name, child := range n.children {
			if _, ok := names[name]; !ok {
				v.job.report = true
				w.tree.detach(child)
			}
		}
	}
	for _, name := range dirs {
		w.push(visit{place: place{n, name}, relist: v.relist, job: v.job})
	}
}

// isAlias reports whether the directory found is in the tree under another path
// as well, which a bind mount makes possible. There is one watch for both, and
// it stays with the other.
func (w *Watcher) isAlias(found *survey) bool {
	other := w.tree.byWatch[found.wd]
	if other == nil {
		return false
	}
	path, ok := w.tree.path(other)
	if !ok {
		return false
	}
	id, err := directory.Identify(w.root.Abs(path))
	return err == nil && id == found.id
}

// discard undoes a look whose place is no longer wanted.
func (w *Watcher) discard(found *survey) {
	if found.wd != 0 && w.tree.byWatch[found.wd] == nil {
		_, _ = unix.InotifyRmWatch(w.fd, uint32(found.wd))
	}
}

// grow makes the node of a place, nil if there cannot be one.
func (w *Watcher) grow(p place) *node {
	if p.parent == nil {
		if w.tree.root == nil && !w.root.Away {
			w.tree.root = &node{}
		}
		return w.tree.root
	}
	n := &node{}
	w.tree.attach(n, p.parent, p.name)
	return n
}

// remove takes the node of a place that it has left out of the tree.
func (w *Watcher) remove(n *node, why error) {
	if n == w.tree.root {
		w.loseRoot("it is gone: " + why.Error())
		return
	}
	w.tree.detach(n)
}

// freeWatches returns how many more watches Options.MaxWatches allows.
func (w *Watcher) freeWatches() int {
	if w.opts.MaxWatches <= 0 {
		return int(^uint(0) >> 1)
	}
	return w.opts.MaxWatches - len(w.tree.byWatch)
}
