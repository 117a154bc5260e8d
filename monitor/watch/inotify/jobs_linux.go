package inotify

import (
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// place is a name in a directory; the root's has no parent.
type place struct {
	parent *node
	name   string
}

// visit is a place to be visited.
type visit struct {
	place
	// relist asks for the subtree to be listed even if the directory is the
	// one that is known, watched and listed already.
	relist bool
	// recheck asks for nothing but that what Options.Enter says is done: see recheck.
	recheck bool
	job     *job
}

// job is a set of visits that began with one place.
type job struct {
	place
	// left counts the visits not done yet.
	left int
	// report: the place is to be reported as changed, with all
	// below it, when the visits are done.
	report bool
	// early: it was reported once before, to save time.
	early bool
	// done, if set, is called instead.
	done func()
}

// startJob starts a job for one place.
func (w *Watcher) startJob(p place, relist, report bool) {
	j := &job{place: p, report: report}
	w.jobs[p]++
	w.push(visit{place: p, relist: relist, job: j})
}

func (w *Watcher) push(v visit) {
	v.job.left++
	w.visits = append(w.visits, v)
}

// visitAgain visits anew the places below dir, which was moved, that were
// visited when its move had happened but was not known.
func (w *Watcher) visitAgain(dir *node) {
	for _, p := range w.recent {
		if p.parent.below(dir) {
			w.startJob(p, true, false)
		}
	}
}

// finish ends one visit of a job, and with the last one the job.
func (w *Watcher) finish(j *job) {
	j.left--
	if j.left > 0 {
		return
	}
	if j.done != nil {
		j.done()
		return
	}
	if w.jobs[j.place]--; w.jobs[j.place] == 0 {
		delete(w.jobs, j.place)
	}
	if j.report {
		if path, ok := w.pathOf(j.place); ok {
			w.sink.Changed(path, watch.Entry|watch.Tree)
		}
	}
}

// inJob reports whether a place belongs to a job that is not finished.
func (w *Watcher) inJob(p place) bool {
	if len(w.jobs) == 0 {
		return false
	}
	for ; p.parent != nil; p = (place{p.parent.parent, p.parent.name}) {
		if w.jobs[p] > 0 {
			return true
		}
	}
	return w.jobs[p] > 0
}

// nodeAt returns the node of a place, if there is one.
func (w *Watcher) nodeAt(p place) *node {
	if p.parent == nil {
		return w.tree.root
	}
	return p.parent.children[p.name]
}

// pathOf returns the path of a place relative to the root, and false if it is
// not in the tree.
func (w *Watcher) pathOf(p place) (string, bool) {
	if p.parent == nil {
		return "", true
	}
	dir, ok := w.tree.path(p.parent)
	return relpath.Join(dir, p.name), ok
}
