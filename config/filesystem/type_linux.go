package filesystem

import "golang.org/x/sys/unix"

// Of returns the type of the file system at path; the zero Type if that cannot be
// found out.
func Of(path string) Type {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil {
		return Type{}
	}
	t := typeOfMagic(uint32(fs.Type))
	if !t.Silent && uint32(fs.Type) != unix.OVERLAYFS_SUPER_MAGIC {
		return t
	}
	// The table of mounts knows which of the many file systems on FUSE it is, and
	// what an overlay is made of.
	if m := mountOf(path); m.Type != "" {
		t = m.kind()
	}
	return t
}

// isWritable reports whether path is a directory on a file system that is not
// read-only.
func isWritable(path string) bool {
	var st unix.Stat_t
	var fs unix.Statfs_t
	return unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR &&
		unix.Statfs(path, &fs) == nil && fs.Flags&unix.ST_RDONLY == 0
}

// mountOf is the mount that path is on, the zero Mount if it cannot be found.
func mountOf(path string) Mount {
	var st unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &st) != nil || st.Mask&unix.STATX_MNT_ID == 0 {
		return Mount{}
	}
	table, err := OpenTable()
	if err != nil {
		return Mount{}
	}
	defer table.Close()
	mounts, err := table.Mounts()
	if err != nil {
		return Mount{}
	}
	for _, m := range mounts {
		if uint64(m.ID) == st.Mnt_id {
			return m
		}
	}
	return Mount{}
}
