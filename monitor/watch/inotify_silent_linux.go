package watch

import (
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"wsync/config/filesystem"
)

// Some file systems change without an event: what is done on another machine, or
// behind a FUSE. Their directories are watched, for what is done here, and polled
// as well.

// silentInterval is the default of Options.PollInterval.
const silentInterval = 10 * time.Second

// overFile names what is mounted over a single file.
const overFile = "a mounted file"

func (w *inotify) pollInterval() time.Duration {
	if w.opts.PollInterval > 0 {
		return w.opts.PollInterval
	}
	return silentInterval
}

// typeOf returns the type of the file system that is device dev; path is on it.
func (w *inotify) typeOf(dev uint64, path string) filesystem.Type {
	t, ok := w.types[dev]
	if !ok {
		of := w.opts.typeOf
		if of == nil {
			of = filesystem.Of
		}
		t = of(path)
		if w.types == nil {
			w.types = make(map[uint64]filesystem.Type)
		}
		w.types[dev] = t
	}
	return t
}

// watchSilent begins, or ends, to poll a directory that has a watch. path is its
// absolute path.
func (w *inotify) watchSilent(j *job, n *node, path string) {
	state := w.tree.silent[n]
	if n.wd == 0 || !w.typeOf(n.id.dev, path).Silent && !w.isOverFile(n) {
		if state != nil {
			delete(w.tree.silent, n)
			w.silentChanged = true
		}
		return
	}
	if state == nil {
		state = &pollState{}
		w.tree.silent[n] = state
		w.silentChanged = true
	}
	w.compare(j, n, state)
}

// isOverFile tells that something is mounted over a file in n.
func (w *inotify) isOverFile(n *node) bool {
	if len(w.mounts.over) == 0 {
		return false
	}
	path, ok := w.tree.path(n)
	return ok && w.mounts.over[path]
}

// namesOfSilent lists why directories may change without an event.
func (w *inotify) namesOfSilent() string {
	names := make(map[string]bool)
	for n := range w.tree.silent {
		path, ok := w.tree.path(n)
		if !ok {
			continue
		}
		if t := w.typeOf(n.id.dev, w.abs(path)); t.Silent {
			names[t.Name] = true
		} else {
			names[overFile] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

// statAfresh is fstatat(2) that does not believe what the kernel remembers of a
// file that is elsewhere.
func statAfresh(fd int, name string, st *unix.Stat_t) error {
	var x unix.Statx_t
	err := unix.Statx(fd, name, unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_FORCE_SYNC, unix.STATX_BASIC_STATS, &x)
	switch err {
	case nil:
	case unix.ENOSYS, unix.EPERM: // an old kernel, or a container that denies it
		return unix.Fstatat(fd, name, st, unix.AT_SYMLINK_NOFOLLOW)
	default:
		return err
	}
	// It is known now, so that this is the same.
	return unix.Fstatat(fd, name, st, unix.AT_SYMLINK_NOFOLLOW)
}
