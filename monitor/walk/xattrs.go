package walk

import (
	"errors"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// aclPrefix begins the names of the attributes in which Linux has access control lists,
// systemPrefix those of all that are the file system's own business.
const (
	systemPrefix = "system."
	aclPrefix    = "system.posix_acl_"
)

// HasXattrs reports whether the file at path itself may have extended attributes, or
// access control lists, whichever are asked for. What cannot be found out, may be.
func HasXattrs(path string, xattrs, acls bool) bool {
	if acls && runtime.GOOS != "linux" {
		return true // there is no attribute to see them by
	}
	size, err := unix.Llistxattr(path, nil)
	if err != nil {
		return !errors.Is(err, unix.ENOTSUP)
	}
	if size == 0 {
		return false
	}
	names := make([]byte, size)
	if size, err = unix.Llistxattr(path, names); err != nil {
		return true
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names[:size]), "\x00"), "\x00") {
		isACL := strings.HasPrefix(name, aclPrefix)
		if acls && isACL || xattrs && !strings.HasPrefix(name, systemPrefix) {
			return true
		}
	}
	return false
}
