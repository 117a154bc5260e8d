package rsync

import (
	"strings"
	"syscall"

	"wsync/monitor/dirty"
)

// errnos are the errors that tell what a file system cannot hold, by the words of
// glibc, musl and Darwin. The number that follows them is that of the machine
// that speaks, which need not be this one's. rsync keeps to these words: it
// takes over no more of a locale than its characters.
var errnos = map[string]syscall.Errno{
	"File name too long": syscall.ENAMETOOLONG,
	"Filename too long":  syscall.ENAMETOOLONG,
	"Invalid or incomplete multibyte or wide character": syscall.EILSEQ,
	"Illegal byte sequence":                             syscall.EILSEQ,
	"Invalid argument":                                  syscall.EINVAL,
	"File too large":                                    syscall.EFBIG,
	"Value too large for defined data type":             syscall.EOVERFLOW,
	"Value too large for data type":                     syscall.EOVERFLOW,
	"Value too large to be stored in data type":         syscall.EOVERFLOW,
	"Operation not permitted":                           syscall.EPERM,
	"Operation not supported":                           syscall.EOPNOTSUPP,
	"Operation not supported on socket":                 syscall.EOPNOTSUPP,
	"Not supported":                                     syscall.EOPNOTSUPP,
	"Function not implemented":                          syscall.ENOSYS,
}

var errnoEnd = expressionOf(`: ([A-Z][A-Za-z ]+) \(\d+\)$`)

// errno is the error at the end of one of rsync's lines, 0 for none that is known.
func errno(line string) syscall.Errno {
	if m := errnoEnd.FindStringSubmatch(line); m != nil {
		return errnos[m[1]]
	}
	return 0
}

// making reports whether a line is about an entry that can only be made where the
// file system, and the user, know its kind.
var making = expressionOf(`(?:symlink|mknod) "`)

// byName reports whether a line is about a call in which the name is all that can be
// wrong.
var byName = expressionOf(`(?:mkstemp|mkdir|rename|symlink|mknod|open|failed to stat) "`)

// reasonOf is why what a line complains about cannot succeed, "" if it may.
// attribute: only mode, owner or times could not be set.
func reasonOf(line string, attribute bool) dirty.Reason {
	if strings.HasPrefix(line, "skipping non-regular file ") || strings.HasPrefix(line, "skipping socket ") {
		return dirty.BadKind
	}
	number := errno(line)
	switch number {
	case syscall.ENAMETOOLONG:
		return dirty.TooLong
	case syscall.EILSEQ:
		return dirty.BadName
	case syscall.EINVAL, syscall.EOVERFLOW, syscall.EOPNOTSUPP, syscall.ENOSYS:
		if attribute {
			return dirty.BadAttribute
		}
	}
	switch {
	case strings.Contains(line, "[sender]"):
		return "" // that is about reading
	case number == syscall.EINVAL && byName.MatchString(line):
		return dirty.BadName
	case number == syscall.EFBIG || number == syscall.EOVERFLOW:
		return dirty.TooLarge
	case (number == syscall.EPERM || number == syscall.EOPNOTSUPP || number == syscall.ENOSYS) && making.MatchString(line):
		return dirty.BadKind
	}
	return ""
}
