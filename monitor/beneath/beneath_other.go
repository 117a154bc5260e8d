//go:build !linux

package beneath

import "os"

func open(root, name string) (*os.File, error)   { return openInRoot(root, name) }
func readlink(root, name string) (string, error) { return readlinkInRoot(root, name) }
