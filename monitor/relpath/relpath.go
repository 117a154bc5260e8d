// Package relpath is about the names of a workspace: paths relative to its root,
// with slashes, "" for the root itself.
package relpath

import "strings"

// Parent is the directory that p is in, "" for the root.
func Parent(p string) string {
	return p[:max(strings.LastIndexByte(p, '/'), 0)]
}

// Join is the path of a name in a directory.
func Join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// Below reports whether p is below directory dir. Nothing counts as below the
// root: what is about the root is about the one directory.
func Below(p, dir string) bool {
	return len(p) > len(dir) && p[len(dir)] == '/' && strings.HasPrefix(p, dir)
}

// Within reports whether p is dir or below it.
func Within(p, dir string) bool {
	return p == dir || Below(p, dir)
}
