package watch

import (
	"os"
	"syscall"
)

// identity tells one directory from another while both exist.
type identity struct {
	dev, ino uint64
}

// idOf returns the identity of a directory.
func idOf(info os.FileInfo) identity {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{dev: uint64(st.Dev), ino: uint64(st.Ino)}
}

// join appends a name to a path relative to the root.
func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
