//go:build darwin || freebsd

package filesystem

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Table is the table of what is mounted. Its methods are for one goroutine at a
// time.
type Table struct {
	buf []unix.Statfs_t
	// last is what Mounts has returned; known: that was called.
	last  []Mount
	known bool
}

// OpenTable opens the table.
func OpenTable() (*Table, error) { return new(Table), nil }

// Close closes the table.
func (t *Table) Close() {}

// Changed reports whether something was mounted or unmounted since Mounts was called
// last. It costs a system call, which asks no file system.
func (t *Table) Changed() bool {
	if !t.known {
		return true
	}
	now, err := t.read()
	return err != nil || !slices.Equal(now, t.last)
}

// Mounts reads the table.
func (t *Table) Mounts() ([]Mount, error) {
	mounts, err := t.read()
	if err != nil {
		return nil, err
	}
	t.last, t.known = mounts, true
	return slices.Clone(mounts), nil
}

func (t *Table) read() ([]Mount, error) {
	const spare = 8
	for {
		n, err := unix.Getfsstat(t.buf, unix.MNT_NOWAIT)
		if err != nil {
			return nil, fmt.Errorf("cannot read what is mounted: %w", err)
		}
		if len(t.buf) > n {
			return mountsOf(t.buf[:n]), nil
		}
		// Without a buffer it is how many there are; with a full one there may be more.
		t.buf = make([]unix.Statfs_t, n+spare)
	}
}

// mountsOf returns the mounts that the system lists, the earlier ones first.
func mountsOf(list []unix.Statfs_t) []Mount {
	mounts := make([]Mount, 0, len(list))
	for i := range list {
		fs := &list[i]
		m := Mount{
			ID:     int(fs.Fsid.Val[0]), // the device, of which each mount has its own
			Path:   unix.ByteSliceToString(fs.Mntonname[:]),
			Type:   unix.ByteSliceToString(fs.Fstypename[:]),
			Source: unix.ByteSliceToString(fs.Mntfromname[:]),
			Root:   "/",
		}
		if m.Type != "autofs" {
			mounts = append(mounts, m)
		}
	}
	findParents(mounts)
	return mounts
}
