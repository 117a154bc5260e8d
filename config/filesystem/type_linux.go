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
	if !t.Silent {
		return t
	}
	// The table of mounts knows which of the many file systems on FUSE it is.
	if name := mountedAs(path); name != "" {
		t = typeOfName(name)
	}
	return t
}

// mountedAs is the type of the mount that path is on, in the words of the table
// of mounts, "" if it cannot be found.
func mountedAs(path string) string {
	var st unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &st) != nil || st.Mask&unix.STATX_MNT_ID == 0 {
		return ""
	}
	table, err := OpenTable()
	if err != nil {
		return ""
	}
	defer table.Close()
	mounts, err := table.Mounts()
	if err != nil {
		return ""
	}
	for _, m := range mounts {
		if uint64(m.ID) == st.Mnt_id {
			return m.Type
		}
	}
	return ""
}
