//go:build darwin || freebsd

package walk

import (
	"io/fs"
	"syscall"
	"time"
)

// ChangeTime is when the inode last changed: its contents or its attributes.
// Unlike the modification time it cannot be set.
func ChangeTime(info fs.FileInfo) time.Time {
	st := info.Sys().(*syscall.Stat_t)
	return time.Unix(st.Ctimespec.Unix()) // of 32 bits on some machines
}
