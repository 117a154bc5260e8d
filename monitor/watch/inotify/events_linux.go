package inotify

import (
	"encoding/binary"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
	"wsync/monitor/watch/directory"
)

// partnerWait is how long the first half of a rename waits for the second,
// which the kernel queues right after it.
const partnerWait = 5 * time.Millisecond

// event is one entry of the kernel's queue.
type event struct {
	wd     int32
	mask   uint32
	cookie uint32
	name   string
}

func (e *event) isDir() bool { return e.mask&unix.IN_ISDIR != 0 }

// movedFrom is the first half of a rename: where it went is not known yet.
type movedFrom struct {
	event
	// path that was left; ok if that was in the tree.
	path string
	ok   bool
	// node of a directory, taken out of the tree; nil if it was not known.
	node *node
	// shape of the tree at the time. If it is another one when the second half
	// comes, path need not be right any more.
	shape uint64
	// unarmed: a job was to report the place with all below it and was
	// not finished. It will say nothing of where that went.
	unarmed bool
	until   time.Time
}

// readEvents reads one buffer full of events and handles them. drained reports
// whether there were no more at the time.
func (w *Watcher) readEvents() (n int, drained bool, err error) {
	err = ignoringEINTR(func() (err error) {
		n, err = unix.Read(w.fd, w.buf)
		return err
	})
	if err == unix.EAGAIN {
		return 0, true, nil
	}
	if err != nil {
		return 0, false, err
	}
	// All that is known about time: it was read now.
	until := time.Now().Add(partnerWait)
	for rest := w.buf[:n]; len(rest) >= unix.SizeofInotifyEvent; {
		e := event{
			wd:     int32(binary.NativeEndian.Uint32(rest)),
			mask:   binary.NativeEndian.Uint32(rest[4:]),
			cookie: binary.NativeEndian.Uint32(rest[8:]),
		}
		length := int(binary.NativeEndian.Uint32(rest[12:]))
		rest = rest[unix.SizeofInotifyEvent:]
		e.name = string(untilNUL(rest[:length]))
		rest = rest[length:]
		w.handle(&e, until)
	}
	// The kernel stops early only if nothing is left or the next event does
	// not fit.
	return n, n <= len(w.buf)-maxEventSize, nil
}

// handle deals with one event.
func (w *Watcher) handle(e *event, until time.Time) {
	if e.mask&unix.IN_Q_OVERFLOW != 0 {
		if w.overflow.IsZero() {
			w.overflow = time.Now()
		}
		return
	}
	if w.root.Away {
		if e.wd == w.parentWatch && e.name == filepath.Base(w.root.Dir) {
			w.rootMayBeBack()
		}
		return
	}
	n := w.tree.byWatch[e.wd]
	if n == nil {
		if e.mask&unix.IN_MOVED_TO != 0 {
			w.expire(e.cookie)
		}
		return
	}
	if e.mask&unix.IN_IGNORED != 0 {
		w.unwatch(n)
		return
	}
	if n == w.tree.root && e.name == "" && e.mask&(unix.IN_MOVE_SELF|unix.IN_DELETE_SELF|unix.IN_UNMOUNT) != 0 {
		switch {
		case e.mask&unix.IN_MOVE_SELF != 0:
			w.loseRoot("it was renamed")
		case e.mask&unix.IN_DELETE_SELF != 0:
			w.loseRoot("it was removed")
		default:
			w.loseRoot("it was unmounted")
		}
		return
	}
	if e.name == "" {
		w.handleSelf(n, e)
		return
	}
	dir, ok := w.tree.path(n)
	if !ok && e.mask&(unix.IN_MOVED_FROM|unix.IN_MOVED_TO) == 0 {
		return
	}
	path := relpath.Join(dir, e.name)
	switch {
	case e.mask&unix.IN_CREATE != 0:
		w.created(n, path, e)
	case e.mask&unix.IN_MODIFY != 0:
		// A CLOSE_WRITE follows, except after truncate(2), which needs no open
		// file; the receiver waits a little only.
		w.sink.Changed(path, watch.Content|watch.Open)
	case e.mask&unix.IN_CLOSE_WRITE != 0:
		w.sink.Changed(path, watch.Content)
	case e.mask&unix.IN_ATTRIB != 0:
		w.sink.Changed(path, watch.Meta)
		if e.isDir() {
			w.attributed(n, path, e)
		}
	case e.mask&unix.IN_DELETE != 0:
		w.removed(n, path, e)
	case e.mask&unix.IN_MOVED_FROM != 0:
		w.handleMovedFrom(n, path, ok, e, until)
	case e.mask&unix.IN_MOVED_TO != 0:
		w.handleMovedTo(n, path, ok, e)
	}
}

// attributed deals with a directory that may have become readable, or no longer
// be.
func (w *Watcher) attributed(n *node, path string, e *event) {
	child := n.children[e.name]
	if child == nil || child.wd == 0 {
		w.startJob(place{n, e.name}, true, false)
		return
	}
	denied := unix.Access(w.root.Abs(path), unix.R_OK|unix.X_OK) == unix.EACCES
	if child.denied && !denied {
		w.startJob(place{n, e.name}, true, true)
	}
	child.denied = denied
}

// handleSelf deals with an event about a watched directory itself. What its
// parent tells as well is left to the parent.
func (w *Watcher) handleSelf(n *node, e *event) {
	if e.mask&unix.IN_ATTRIB == 0 || n.parent != nil && n.parent.wd != 0 {
		return
	}
	if path, ok := w.tree.path(n); ok {
		w.sink.Changed(path, watch.Meta)
	}
}

// unwatch deals with the end of a watch that was not wished for: the directory
// was removed, which its parent tells as well, or the file system unmounted.
func (w *Watcher) unwatch(n *node) {
	delete(w.tree.byWatch, n.wd)
	n.wd = 0
	switch {
	case n == w.tree.root:
		w.loseRoot("it was removed or unmounted")
	case w.tree.holds(n):
		// What happened there since is not known, whatever is found now.
		w.startJob(place{n.parent, n.name}, true, true)
	default:
		n.top().missed = true
	}
}

// created deals with a new entry that is not the second half of a rename.
func (w *Watcher) created(n *node, path string, e *event) {
	if e.isDir() {
		w.startJob(place{n, e.name}, false, true)
		return
	}
	w.displace(n, e.name)
	change := watch.Entry | watch.Content
	// A regular file will be closed, which gives another event. A link to a
	// file, and anything that is not a file, will not. Nor will a file opened
	// for reading only, or made by mknod(2) or from an unnamed one: for these
	// the receiver waits a little in vain.
	var st unix.Stat_t
	err := unix.Lstat(w.root.Abs(path), &st)
	if err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Nlink == 1 {
		change |= watch.Open
	}
	w.sink.Changed(path, change)
}

// removed deals with an entry that was unlinked.
func (w *Watcher) removed(n *node, path string, e *event) {
	w.displace(n, e.name)
	change := watch.Entry
	if e.isDir() {
		change |= watch.Tree
	}
	w.sink.Changed(path, change)
}

// displace takes the directory that had the name out of the tree, if any.
func (w *Watcher) displace(n *node, name string) {
	if child := n.children[name]; child != nil {
		w.tree.detach(child)
	}
}

// handleMovedFrom deals with the first half of a rename.
func (w *Watcher) handleMovedFrom(n *node, path string, ok bool, e *event, until time.Time) {
	m := movedFrom{event: *e, path: path, ok: ok, unarmed: w.inJob(place{n, e.name}), until: until}
	if e.isDir() {
		if m.node = n.children[e.name]; m.node != nil {
			w.tree.detach(m.node)
		}
	}
	m.shape = w.tree.shape
	w.unpaired = append(w.unpaired, m)
}

// handleMovedTo deals with the second half of a rename, or the only one.
func (w *Watcher) handleMovedTo(n *node, path string, ok bool, e *event) {
	m, paired := w.takeMovedFrom(e.cookie)
	if !ok {
		// It went into a directory that has itself left the tree.
		if paired {
			w.reportRemoved(&m)
		}
		return
	}
	exchange := paired && m.ok && w.isExchange(&m, path)
	moved := paired && m.ok && m.shape == w.tree.shape && !exchange
	if !e.isDir() {
		w.displace(n, e.name)
		if moved {
			w.sink.Moved(m.path, path, false)
			if m.unarmed {
				w.sink.Changed(path, watch.Content|watch.Meta)
			}
			return
		}
		if paired {
			w.reportRemoved(&m)
		}
		w.sink.Changed(path, watch.Entry|watch.Content)
		return
	}
	here := place{n, e.name}
	if moved && m.node != nil && w.movedDir(&m, here, path) {
		return
	}
	if paired {
		w.reportRemoved(&m)
		if from := w.tree.byWatch[m.wd]; from != nil {
			// After an exchange there is something.
			w.startJob(place{from, m.name}, true, false)
		}
	}
	w.startJob(here, true, true)
}

// movedDir deals with a known directory that was renamed to a place of the tree, and
// returns false if it is not what is there.
func (w *Watcher) movedDir(m *movedFrom, to place, path string) bool {
	n, missed := m.node, m.node.missed
	depth := w.depth(to, path)
	if depth == watch.Nothing {
		if _, waiting := w.tree.detached[n]; waiting {
			w.forget(n)
		}
		w.ignore(to, w.nodeAt(to))
	} else if !w.reattach(n, to) {
		return false
	}
	w.mounts.Moved(m.path, path)
	w.sink.Moved(m.path, path, true)
	if depth == watch.Nothing {
		return true
	}
	if missed || m.unarmed || w.isUnseen(n) {
		w.startJob(to, true, true)
	} else if w.opts.Enter != nil {
		w.startRecheck(to, nil) // other rules may hold for what is in it
	}
	if depth == watch.Alone {
		w.isolate(n)
	}
	w.visitAgain(n)
	return true
}

// isUnseen reports whether a directory was to be looked at again when it was renamed,
// and has no watch until then. The visit that is due goes to the place it left.
func (w *Watcher) isUnseen(n *node) bool {
	return n.wd == 0 && w.polls.Unwatched[n] == nil
}

// reattach puts a directory that was renamed, with all below it, into the tree
// again, if it is what is found at the new place.
func (w *Watcher) reattach(n *node, p place) bool {
	if _, waiting := w.tree.detached[n]; !waiting || p.parent.below(n) {
		return false
	}
	path, _ := w.pathOf(p)
	id, err := directory.Identify(w.root.Abs(path))
	if err != nil || id != n.id {
		return false
	}
	w.displace(p.parent, p.name)
	w.recent = append(w.recent, p)
	w.tree.attach(n, p.parent, p.name)
	return true
}

// takeMovedFrom returns the first half of the rename with this cookie.
func (w *Watcher) takeMovedFrom(cookie uint32) (movedFrom, bool) {
	for i, m := range w.unpaired {
		if m.cookie == cookie {
			w.unpaired = append(w.unpaired[:i], w.unpaired[i+1:]...)
			return m, true
		}
	}
	return movedFrom{}, false
}

// reportRemoved reports a rename as the removal that its first half is.
func (w *Watcher) reportRemoved(m *movedFrom) {
	if !m.ok {
		return
	}
	// Content, as after an exchange there is another file of the name.
	change := watch.Entry | watch.Content
	if m.isDir() {
		change |= watch.Tree
	}
	path := m.path
	if dir := w.tree.byWatch[m.wd]; dir != nil {
		// The directory that was left may be called otherwise by now, and the
		// receiver knows it.
		if now, ok := w.tree.path(dir); ok {
			path = relpath.Join(now, m.name)
		}
	}
	w.sink.Changed(path, change)
}

// expire deals with a rename whose second half is in a directory that is not
// in the tree any more.
func (w *Watcher) expire(cookie uint32) {
	if m, ok := w.takeMovedFrom(cookie); ok {
		w.reportRemoved(&m)
	}
}

// expireAll deals with renames whose second half has not come by now.
func (w *Watcher) expireAll(now time.Time) {
	for len(w.unpaired) > 0 && !now.Before(w.unpaired[0].until) {
		m := w.unpaired[0]
		w.unpaired = append(w.unpaired[:0], w.unpaired[1:]...)
		w.reportRemoved(&m)
	}
}

// exchangeWindow is how long a rename may be the first half of an exchange. Both
// are queued by one system call.
const exchangeWindow = time.Second

// renamed is a rename that was seen lately.
type renamed struct {
	from, to string
	until    time.Time
}

// isExchange reports whether a rename undoes one that was seen just before. That
// may be the second half of an exchange of two names, which the kernel tells as
// two renames, each of which would remove the other's file if it were one.
// Either way the receiver has to look at both.
func (w *Watcher) isExchange(m *movedFrom, to string) bool {
	for _, r := range w.renames {
		if r.from == to && r.to == m.path && m.until.Before(r.until) {
			return true
		}
	}
	w.renames[w.nextRename] = renamed{m.path, to, m.until.Add(exchangeWindow)}
	w.nextRename = (w.nextRename + 1) % len(w.renames)
	return false
}
