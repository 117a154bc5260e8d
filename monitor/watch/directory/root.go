package directory

import (
	"io/fs"
	"path/filepath"
	"time"

	"wsync/monitor/relpath"
)

const (
	// rootInterval is how often the root's path is looked at: renaming one of the
	// directories above it gives no event, nor does a mount over it.
	rootInterval = time.Second
	// rootPause is the least time between the loss of the root and a look for it.
	rootPause = 100 * time.Millisecond
)

// Root follows the directory that is watched: what its path leads to. It belongs to
// one goroutine.
type Root struct {
	// Path is what the root is called, absolute. It may lead through symbolic links.
	Path string
	// Dir is the directory that Path led to when that was found out last, with no
	// symbolic link in its own path.
	Dir string
	// Away: it is gone. Losses counts how often that happened.
	Away   bool
	Losses int

	// interval is rootInterval but in tests.
	interval time.Duration
	lostAt   time.Time
	next     time.Time
}

// NewRoot returns the root that is called path, which is absolute, before the first
// look.
func NewRoot(path string) Root {
	return Root{Path: path, Dir: path, interval: rootInterval}
}

// LookEvery sets the time between two looks.
func (r *Root) LookEvery(interval time.Duration) { r.interval = interval }

// Abs returns the absolute path of a path relative to the root.
func (r *Root) Abs(path string) string {
	if path == "" {
		return r.Dir
	}
	return relpath.Join(r.Dir, path)
}

// Find takes note of where Path leads now.
func (r *Root) Find() error {
	r.next = time.Now().Add(r.interval)
	dir, _, err := find(r.Path)
	if err == nil {
		r.Dir = dir
	}
	return err
}

// Finding is what has become of the root since the look before.
type Finding int

const (
	// Same: it is watched, or away, as before.
	Same Finding = iota
	// Lost: what is watched is not, or not there, where Path leads.
	Lost
	// Back: it was away, and is at Dir.
	Back
)

// Look finds out whether the root is still, or again, what its path leads to, and
// how it was lost. The directory that is watched may be there as before and yet be
// found by another path only: the root, or a directory above it, was moved and a
// link put in its place, or a link leads elsewhere now. isWatched reports whether a
// directory is the one that is watched.
func (r *Root) Look(isWatched func(Identity) bool) (found Finding, why string) {
	dir, id, err := find(r.Path)
	switch {
	case r.Away && err == nil:
		r.Dir = dir
		return Back, ""
	case r.Away:
		return Same, ""
	case err != nil && Gone(err):
		return Lost, "it is gone: " + err.Error()
	case err != nil:
		return Same, "" // whether it is the same one is not known
	case dir != r.Dir:
		return Lost, "its path leads to " + dir + " now"
	case !isWatched(id):
		return Lost, "it was replaced"
	}
	return Same, ""
}

// Lose takes note that the root is gone, and returns what to say of it.
func (r *Root) Lose(why string) string {
	r.Away = true
	r.Losses++
	r.lostAt = time.Now()
	r.next = r.lostAt.Add(rootPause)
	return "cannot watch " + r.Path + ": " + why
}

// Due reports whether it is time to look, which is then done.
func (r *Root) Due(now time.Time) bool {
	if now.Before(r.next) {
		return false
	}
	r.next = now.Add(r.interval)
	return true
}

// Next is when it is time to look.
func (r *Root) Next() time.Time { return r.next }

// MayLook reports whether the loss of the root was long enough ago to look because
// of a hint.
func (r *Root) MayLook() bool { return time.Since(r.lostAt) >= rootPause }

// find returns the directory that path leads to now, with no symbolic link in its
// own path, and its identity.
func find(path string) (string, Identity, error) {
	dir, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", Identity{}, err
	}
	id, err := Identify(dir)
	if err != nil {
		return "", Identity{}, &fs.PathError{Op: "watch", Path: dir, Err: err}
	}
	return dir, id, nil
}
