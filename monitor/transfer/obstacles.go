package transfer

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
)

// leaveOvertaken leaves what has a directory above it that has just taken the place of
// something else to be sent together with that. It reports whether this is known, so that
// the rest may go directly: rsync makes the directories first that lead to a path.
func (t *transfer) leaveOvertaken() (known bool) {
	if !t.Overtaken {
		return true
	}
	if !t.asker.Told(t.ctx) {
		return false
	}
	t.Batch.Entries = slices.DeleteFunc(t.Batch.Entries, func(e *dirty.Entry) bool {
		leave := t.asker.Announced(t.ctx, e.Path)
		for dir := relpath.Parent(e.Path); dir != "" && !leave; dir = relpath.Parent(dir) {
			leave = t.asker.Announced(t.ctx, dir) // by itself, and not with all that is in it
		}
		if leave {
			t.out.Again.Entries = append(t.out.Again.Entries, e)
		}
		return leave
	})
	return true
}

// findObstacles keeps in mind what is in the way to the paths of entries.
func (t *transfer) findObstacles(entries []*dirty.Entry) {
	t.out.Obstacles = append(t.out.Obstacles, t.obstaclesTo(entries)...)
}

// obstaclesTo is what is in the way to the paths of entries: what they lie below, and is
// a directory no more. A plan lists that instead, so that a path through it does not lead
// on the remote where it did.
func (t *transfer) obstaclesTo(entries []*dirty.Entry) (obstacles []*dirty.Entry) {
	seen := make(map[string]bool)
	for _, e := range entries {
		for dir := relpath.Parent(e.Path); dir != "" && !seen[dir]; dir = relpath.Parent(dir) {
			seen[dir] = true
			info, err := t.lane.Lstat(dir)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !info.IsDir() {
				obstacles = append(obstacles, &dirty.Entry{Path: dir})
			}
		}
	}
	return obstacles
}
