package transfer

import (
	"errors"
	"io/fs"
	"syscall"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
)

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
