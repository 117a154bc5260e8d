package transfer

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wsync/config"
	"wsync/monitor/relpath"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// rsync lifts the mode of a directory for as long as it works in it, and gives it its
// mode and times back at the end, those that are further up first. Where a mode
// forbids to search a directory, those below are out of reach by then: they keep what
// they had in between, and rsync says nothing. Only root can read a workspace with
// such directories, and root at the other end is not bound by modes: it matters where
// root mirrors to somebody else.

// searchable is the permission of its owner to reach what is in a directory.
const searchable = 0o100

// closeNested gives directories below those that forbid to be searched their modes
// and times once more, the deepest first, after rsync may have worked in them.
func (t *transfer) closeNested() {
	if os.Geteuid() != 0 || t.Remote.Connection.Kind() == config.KindLocal || t.out.Failure != nil || t.out.Verified.IsZero() || t.capabilities().NoModes {
		return
	}
	n := nested{lstat: t.lane.Lstat, excepted: t.excepted, modeThere: t.modeThere, known: make(map[string]bool), closed: make(map[string]fs.FileInfo)}
	if t.Batch.Everything != nil {
		n.walk(t, "")
	}
	for _, e := range t.Batch.Entries {
		if n.below(e.Path); e.Change&(watch.Tree|watch.Entry) != 0 {
			n.walk(t, e.Path)
		}
	}
	for _, level := range n.levels() {
		if err := t.setLevel(level, n.closed); err != nil {
			t.failModes(err)
			return
		}
	}
}

// nested finds directories that are below one that forbids to be searched.
type nested struct {
	lstat    func(name string) (fs.FileInfo, error)
	excepted func(name string) bool
	// modeThere is what becomes of a mode on the remote.
	modeThere func(fs.FileMode) fs.FileMode
	known     map[string]bool
	// closed are those found, and those that they are below.
	closed map[string]fs.FileInfo
	// inside: some of them are below another.
	inside bool
}

// below looks at a path and those above it, and reports whether what is in it is
// below a directory that forbids to be searched.
func (n *nested) below(name string) bool {
	if name == "" {
		return false
	}
	if is, ok := n.known[name]; ok {
		return is
	}
	up := n.below(relpath.Parent(name))
	is := up
	if info, err := n.lstat(name); err == nil && info.IsDir() && !n.excepted(name) && (up || n.modeThere(info.Mode())&searchable == 0) {
		n.closed[name], n.inside, is = info, n.inside || up, true
	}
	n.known[name] = is
	return is
}

// walk looks at all directories in dir. What cannot be read was not sent.
func (n *nested) walk(t *transfer, dir string) {
	t.tree().Entries(t.ctx, dir, func(name string, d fs.DirEntry) bool {
		if d.IsDir() && !t.excluded().Excludes(name, true) {
			n.below(name)
		}
		return true
	}, nil)
}

// levels are the directories found by their depth, the deepest first; none if no
// directory is below another.
func (n *nested) levels() (levels [][]string) {
	if !n.inside {
		return nil
	}
	byDepth := make(map[int][]string)
	for name := range n.closed {
		depth := strings.Count(name, "/")
		byDepth[depth] = append(byDepth[depth], name)
	}
	for _, depth := range slices.Backward(slices.Sorted(maps.Keys(byDepth))) {
		slices.Sort(byDepth[depth])
		levels = append(levels, byDepth[depth])
	}
	return levels
}

// setLevel gives directories of one depth their modes and times, and lets those above
// be searched, which are among closed.
func (t *transfer) setLevel(level []string, closed map[string]fs.FileInfo) error {
	open := func(top string) (err error) {
		done := make(map[string]bool)
		for _, dir := range level {
			for p := dir; !done[p]; p = relpath.Parent(p) {
				done[p] = true
				file := filepath.Join(top, filepath.FromSlash(p))
				if info := closed[p]; info != nil && p != dir {
					err = errors.Join(err, os.Chmod(file, t.modeThere(info.Mode())|lifted))
				}
				if info, statErr := t.lane.Lstat(p); statErr == nil {
					err = errors.Join(err, os.Chtimes(file, info.ModTime(), info.ModTime()))
				}
			}
		}
		return err
	}
	_, err := t.sendSkeleton(level, 0, open, rsync.ModesAndTimes(t.endpoint, level))
	return err
}
