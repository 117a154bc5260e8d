package transfer

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// A skeleton is a directory of this machine with nothing but directories in it. A
// run of rsync from there gives those of the remote their modes and times.

// sendSkeleton runs a job from a skeleton with dirs: each has the
// mode that it is to have on the remote, with more, which is all that one has that is
// gone. change may change it before. If the run fails, the error says why, and
// denied is how many of the directories rsync has named.
func (t *transfer) sendSkeleton(dirs []string, more fs.FileMode, change func(top string) error, job rsync.Job) (denied int, err error) {
	top, err := makeSkeleton(t.lane.scratch, t.lane.root, dirs, t.modeThere, more)
	if top != "" {
		defer removeAll(top)
	}
	if err != nil {
		return 0, err
	}
	if err := change(top); err != nil {
		return 0, err
	}
	release, err := t.lane.session(t.ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	r, err := rsync.Run(t.ctx, top, t.lane.environment(), job, nil)
	if err != nil || r.Code == 0 {
		return 0, err
	}
	said := rsync.ParseStderr(r.Stderr, top, t.Remote.RemotePath)
	message, _ := rsync.Words(r.Code, said)
	return len(said.Failures), errors.New(message)
}

// makeSkeleton makes a directory in scratch with dirs, and the directories that
// lead to them, in the modes that become of theirs by modeThere, those of dirs with
// more. It is to be removed even after an error, unless it is "".
func makeSkeleton(scratch, root string, dirs []string, modeThere func(fs.FileMode) fs.FileMode, more fs.FileMode) (top string, err error) {
	if top, err = os.MkdirTemp(scratch, "skeleton-"); err != nil {
		return "", err
	}
	path := func(name string) string { return filepath.Join(top, filepath.FromSlash(name)) }
	lstat := rsync.LstatIn(root)
	modes := make(map[string]fs.FileMode)
	for _, dir := range dirs {
		if err := os.MkdirAll(path(dir), lifted); err != nil {
			return top, err
		}
		for p := dir; ; p = relpath.Parent(p) {
			if _, known := modes[p]; known {
				break
			}
			modes[p] = lifted
			if info, err := lstat(p); err == nil && info.IsDir() {
				modes[p] = modeThere(info.Mode())
			}
			if p == "" {
				break
			}
		}
	}
	for _, dir := range dirs {
		modes[dir] |= more
	}
	deepestFirst := func(a, b string) int { return strings.Compare(b, a) }
	for _, p := range slices.SortedFunc(maps.Keys(modes), deepestFirst) {
		if err := os.Chmod(path(p), modes[p]); err != nil {
			return top, err
		}
	}
	return top, nil
}

// failModes ends a transfer that could not give directories the modes that they
// are to have. A full pass does it.
func (t *transfer) failModes(err error) {
	t.out.Failure = failed(remote.Trouble, err, "")
	t.out.Causes |= remote.Interrupted
}
