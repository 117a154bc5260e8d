package config

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// RootIdentity tells one directory from another that took its path: another
// disk mounted there, or a directory removed and made again.
type RootIdentity struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	// FileSystem is the file system's own identifier (statfs(2), f_fsid) in
	// hexadecimal, "" where it has none. Unlike Device it lasts over reboots.
	FileSystem string `json:"file_system,omitempty"`
}

// IdentifyRoot returns the identity of the directory at path. The error is one
// of the os package's; for something else than a directory it is
// syscall.ENOTDIR.
func IdentifyRoot(path string) (RootIdentity, error) {
	info, err := os.Stat(path)
	if err != nil {
		return RootIdentity{}, err
	}
	if !info.IsDir() {
		return RootIdentity{}, syscall.ENOTDIR
	}
	st := info.Sys().(*syscall.Stat_t) // always, on the systems that wsync is built for
	id := RootIdentity{Device: uint64(st.Dev), Inode: st.Ino}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err == nil && fs.Fsid.Val != [2]int32{} {
		raw, err := binary.Append(nil, binary.BigEndian, fs.Fsid.Val)
		if err != nil {
			return RootIdentity{}, err
		}
		id.FileSystem = hex.EncodeToString(raw)
	}
	return id, nil
}

// SameFileSystem reports whether both are on the same file system.
func (id RootIdentity) SameFileSystem(other RootIdentity) bool {
	if id.FileSystem != "" && other.FileSystem != "" {
		return id.FileSystem == other.FileSystem
	}
	return id.Device == other.Device
}

// Same reports whether both are the same directory.
func (id RootIdentity) Same(other RootIdentity) bool {
	return id.Inode == other.Inode && id.SameFileSystem(other)
}
