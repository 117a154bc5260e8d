package inotify

import (
	"golang.org/x/sys/unix"

	"wsync/monitor/watch/directory"
)

// node is a directory of the tree. Its path is that of its parent and its
// name, so that renaming a directory moves all below it at once. All nodes
// belong to the goroutine in Run.
type node struct {
	// parent is nil for the root, and for a directory that was taken out of
	// the tree, which keeps its own subtree until it is released or comes back.
	parent   *node
	name     string
	children map[string]*node
	id       directory.Identity
	// wd is the watch, or 0 if there is none: then it is polled,
	// or about to be looked at again.
	wd int32
	// missed, of a node that is detached: events below it were passed over, so
	// that it has to be looked at as a whole if it comes back.
	missed bool
	// denied: the directory is watched but may not be read: when it
	// may be, all in it is news to the receiver.
	denied bool
	// alone: it is watched, and no directory in it is.
	alone bool
	// partial: it may hold directories that are not watched because nobody wants
	// them to be. There is no node for these.
	partial bool
}

// tree is the directories below the root and their watches. It belongs to the
// goroutine in Run.
type tree struct {
	inotify int
	root    *node
	// byWatch finds the node of an event.
	byWatch map[int32]*node
	// polls are the nodes that are polled.
	polls *directory.Polls[*node]
	// detached are nodes taken out of the tree: further events may say that they
	// only went somewhere else.
	detached map[*node]struct{}
	// ending are the watches that are to be ended.
	ending []int32
	// shape counts how often directories were taken out of the tree, be it to
	// be put in elsewhere: paths worked out before it changed may be wrong.
	shape uint64
	// pathNode and pathText cache the last answer of path, for pathShape.
	pathNode  *node
	pathText  string
	pathShape uint64
}

func newTree(inotify int, polls *directory.Polls[*node]) *tree {
	return &tree{
		inotify:  inotify,
		byWatch:  make(map[int32]*node),
		polls:    polls,
		detached: make(map[*node]struct{}),
	}
}

// top returns the end of the chain of parents: the root, or the node through
// which n is out of the tree.
func (n *node) top() *node {
	for n.parent != nil {
		n = n.parent
	}
	return n
}

// below reports whether n is dir or in its subtree.
func (n *node) below(dir *node) bool {
	for ; n != nil; n = n.parent {
		if n == dir {
			return true
		}
	}
	return false
}

// holds reports whether n is in the tree.
func (t *tree) holds(n *node) bool {
	return t.root != nil && n.top() == t.root
}

// path returns the path of n relative to the root, and false if it is not in
// the tree (then its top is marked as having missed something).
func (t *tree) path(n *node) (string, bool) {
	if n == t.pathNode && t.shape == t.pathShape {
		return t.pathText, true
	}
	size := 0
	top := n
	for ; top.parent != nil; top = top.parent {
		size += len(top.name) + 1
	}
	if t.root == nil || top != t.root {
		top.missed = true
		return "", false
	}
	text := ""
	if size > 0 {
		buf := make([]byte, size-1)
		end := len(buf)
		for m := n; m.parent != nil; m = m.parent {
			end -= len(m.name)
			copy(buf[end:], m.name)
			if end > 0 {
				end--
				buf[end] = '/'
			}
		}
		text = string(buf)
	}
	t.pathNode, t.pathText, t.pathShape = n, text, t.shape
	return text, true
}

// attach puts n, which is detached or new, into the tree.
func (t *tree) attach(n, parent *node, name string) {
	delete(t.detached, n)
	n.parent, n.name, n.missed = parent, name, false
	if parent.children == nil {
		parent.children = make(map[string]*node)
	}
	parent.children[name] = n
}

// detach takes n out of the tree. Its watches stay until it is released.
func (t *tree) detach(n *node) {
	if n.parent != nil && n.parent.children[n.name] == n {
		delete(n.parent.children, n.name)
		if len(n.parent.children) == 0 {
			n.parent.children = nil
		}
	}
	n.parent = nil
	t.detached[n] = struct{}{}
	t.shape++
}

// setWatch makes wd the watch of n, taking it from the node that had it: the
// kernel has one watch for a directory, and it was found to be n's.
func (t *tree) setWatch(n *node, wd int32) {
	if n.wd == wd {
		return
	}
	t.dropWatch(n)
	if other := t.byWatch[wd]; other != nil {
		other.wd = 0
	}
	t.byWatch[wd] = n
	n.wd = wd
}

// dropWatch ends the watch of n, if it has one.
func (t *tree) dropWatch(n *node) {
	if n.wd == 0 {
		return
	}
	delete(t.byWatch, n.wd)
	// It fails if the directory is gone, and the watch with it.
	_, _ = unix.InotifyRmWatch(t.inotify, uint32(n.wd))
	n.wd = 0
}

// release forgets n and all below it. The watches are ended by endSome.
func (t *tree) release(n *node) {
	stack := []*node{n}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n.wd != 0 {
			delete(t.byWatch, n.wd)
			t.ending = append(t.ending, n.wd)
			n.wd = 0
		}
		t.polls.Forget(n)
		for _, child := range n.children {
			stack = append(stack, child)
		}
	}
}

// endTurn is how many watches are ended before the queue is read again: each end
// is an event, and the queue has room for a few thousand.
const endTurn = 512

// endSome ends watches that are not needed any more. A directory that was watched
// again meanwhile has got the same one, which stays.
func (t *tree) endSome() {
	turn := t.ending[:min(endTurn, len(t.ending))]
	for _, wd := range turn {
		if t.byWatch[wd] == nil {
			// It fails if the directory is gone, and the watch with it.
			_, _ = unix.InotifyRmWatch(t.inotify, uint32(wd))
		}
	}
	if t.ending = t.ending[len(turn):]; len(t.ending) == 0 {
		t.ending = nil
	}
}

// releaseDetached forgets what was taken out of the tree and did not come back.
func (t *tree) releaseDetached() {
	for n := range t.detached {
		t.release(n)
		delete(t.detached, n)
	}
}
