package rsync

import (
	"path/filepath"
	"strings"
	"syscall"

	"wsync/monitor/dirty"
)

// openLine is a line of an openrsync about an error: it begins with the name and
// the process of the program or, in older ones, with a place in its source.
var openLine = expressionOf(`^(?:[A-Za-z0-9_.+-]+\(\d+\)|[A-Za-z0-9_./-]+\.c:\d+|openrsync): (error|warning): (.*)$`)

// openWord is what an openrsync says behind or before a path, and before the
// system's words, which have no number there.
type openWord struct {
	// begins: other words may follow, up to the next colon.
	text   string
	begins bool
	// attribute: only mode, owner or times are not as they should be. makes: an
	// entry is made that not every file system has. names: the name is all that can
	// be wrong. pins: a directory could not be deleted for what is in it.
	attribute, makes, names, pins bool
	reason                        dirty.Reason
}

// behindPath are the words that follow a path and a colon.
var behindPath = []openWord{
	// The receiver: entries and their contents.
	{text: "openat", names: true}, {text: "open", names: true, begins: true}, {text: "rsync_downloader: openat", names: true}, {text: "pre_file: openat", names: true},
	{text: "mkpathat", names: true}, {text: "mkdirat", names: true}, {text: "mkdir", names: true}, {text: "mkstempat", names: true},
	{text: "symlinkat", makes: true, names: true}, {text: "mkfifoat", makes: true, names: true}, {text: "mknodat", makes: true, names: true},
	{text: "mkstempsock", makes: true, names: true}, {text: "mksock", makes: true, names: true},
	{text: "move_file", names: true, begins: true}, {text: "move file", names: true, begins: true}, {text: "renameat", names: true, begins: true},
	{text: "linkat"}, {text: "unlinkat"}, {text: "fstatat"}, {text: "fstat"}, {text: "lstat"}, {text: "stat"}, {text: "(l)stat"}, {text: "stat during --backup"},
	{text: "write"}, {text: "short write"}, {text: "read"}, {text: "lseek"}, {text: "ftruncate"}, {text: "mmap"}, {text: "not regular"}, {text: "not a directory"},
	{text: "unable to replace file with a directory"}, {text: "partial cleanup failed", begins: true}, {text: "duplicate"},
	{text: "not empty, cannot delete", pins: true},
	{text: "backup_file", begins: true}, {text: "backup_to_dir", begins: true}, {text: "mk_backup_dir", begins: true},
	{text: "backup: compound backup path too long", begins: true, reason: dirty.TooLong}, {text: "backup-dir: compound backup path too long", begins: true, reason: dirty.TooLong},
	// The receiver: attributes.
	{text: "unable to escalate mode"}, {text: "identity unknown or not available to user.group", begins: true, attribute: true},
	{text: "utimensat", attribute: true}, {text: "futimens", attribute: true},
	{text: "fchmodat", begins: true, attribute: true}, {text: "fchmod", attribute: true}, {text: "fchownat", attribute: true}, {text: "fchown", begins: true, attribute: true},
	// The sender.
	{text: "unreadable directory"}, {text: "could not stat"}, {text: "readlink"}, {text: "readlinkat"}, {text: "empty link"}, {text: "directory cycle"},
	{text: "file truncated while reading"}, {text: "file truncated while hashing"}, {text: "hash_file_by_path"}, {text: "file changed while reading"},
}

// beforePath are the words that a path follows, which is perhaps in quotes or in
// parentheses.
var beforePath = []openWord{
	{text: "mkstempat: ", names: true}, {text: "mkpathat ", names: true}, {text: "mkdirat: ", names: true},
	{text: "hard link "}, {text: "linkat: "}, {text: "unlinkat: "}, {text: "openat to ", names: true}, {text: "openat from "}, {text: "open: ", names: true}, {text: "open ", names: true},
	{text: "skipping non-regular file ", reason: dirty.BadKind},
}

// takeOpen takes in a line of an openrsync; ok is false if it is none. After an error
// an openrsync deletes nothing, and does not say so.
func (c *Complaints) takeOpen(line, source, destination string) (ok bool) {
	m := openLine.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	words := m[2]
	found, word := openPaths(words, source, destination)
	switch {
	case len(found) == 0 && m[1] == "warning":
		return true
	case len(found) == 0, found[0] == "" && strings.HasSuffix(words, noEntry):
		if t := openTarget.FindStringSubmatch(line); t != nil && strings.TrimRight(t[1], "/") == strings.TrimRight(destination, "/") {
			c.MissingDestination = true
		}
		c.Unattributed = append(c.Unattributed, words)
		return true
	case word.pins:
		c.Pinned = append(c.Pinned, found...)
		return true
	}
	c.DeletionsSkipped = c.DeletionsSkipped || m[1] == "error"
	for _, p := range found {
		c.Failures = append(c.Failures, Failure{
			Path: p, Message: words, Attribute: word.attribute, Reason: word.reasonOf(words),
			Vanished: strings.HasSuffix(words, noEntry) && isBelow(words, source),
			Here:     isBelow(words, source) && !isBelow(words, destination),
		})
	}
	return true
}

// noEntry is the end of a message about what is not there.
const noEntry = ": No such file or directory"

// isBelow tells that the path that a message begins with is below an absolute root.
func isBelow(words, root string) bool {
	root = strings.TrimRight(root, "/")
	return strings.HasPrefix(root, "/") && strings.HasPrefix(words, root+"/")
}

// openPaths finds the paths that a message of an openrsync may be about, and the words
// that are known of it.
func openPaths(words, source, destination string) (paths, openWord) {
	var found paths
	add := func(name string) {
		if n := len(name); n > 1 && (name[0] == '\'' && name[n-1] == '\'' || name[0] == '(' && name[n-1] == ')') {
			name = name[1 : n-1]
		}
		name, roots := unescape(name), []string{source, destination}
		if strings.HasPrefix(name, "/") {
			name = filepath.Clean(name)
		}
		if !strings.HasPrefix(filepath.Base(name), ".") {
			found.addSaid(name, roots)
			return
		}
		// It may be a temporary file.
		found.addSaid(name, roots)
		if t := openTemp.FindStringSubmatch(filepath.Base(name)); t != nil {
			found.addSaid(filepath.Join(filepath.Dir(name), t[1]), roots)
		}
	}
	// A name may have the same words in it: those that end last count, and of these
	// the longest.
	var word openWord
	at, end := 0, 0
	for _, w := range behindPath {
		sign := ": " + w.text
		i := strings.LastIndex(words, sign)
		if i <= 0 || !w.ends(words[i+len(sign):]) {
			continue
		}
		if e := i + len(sign); e > end || e == end && i < at {
			at, end, word = i, e, w
		}
	}
	if at > 0 {
		add(words[:at])
	}
	for _, w := range beforePath {
		if rest, ok := strings.CutPrefix(words, w.text); ok {
			add(withoutError(rest))
			if at == 0 {
				word = w
			}
			break
		}
	}
	if len(found) > 0 {
		return likely(found, source), word
	}
	if name := withoutError(words); name != words { // a path, and nothing but the system's words
		add(name)
		found = likely(found, source)
	}
	return found, openWord{}
}

// ends tells that what follows the word may follow it: nothing or the words of the
// system.
func (w openWord) ends(rest string) bool {
	return rest == "" || strings.HasPrefix(rest, ": ") || w.begins && strings.HasPrefix(rest, " ")
}

// withoutError is a message without the words of the system at its end.
func withoutError(words string) string {
	if m := openError.FindStringIndex(words); m != nil {
		return words[:m[0]]
	}
	return words
}

// openTemp is the name of a temporary file.
var openTemp = expressionOf(`(?s)^\.(.+)\.[A-Za-z0-9]{6,10}$`)

var openError = expressionOf(`: [A-Z][A-Za-z/ -]+$`)

// reasonOf is why what a message complains about cannot succeed, "" if it may.
func (w openWord) reasonOf(words string) dirty.Reason {
	if w.reason != "" {
		return w.reason
	}
	var number syscall.Errno
	if i := strings.LastIndex(words, ": "); i >= 0 {
		number = errnos[words[i+len(": "):]]
	}
	switch number {
	case syscall.ENAMETOOLONG:
		return dirty.TooLong
	case syscall.EILSEQ:
		return dirty.BadName
	case syscall.EFBIG:
		return dirty.TooLarge
	case syscall.EINVAL, syscall.EOVERFLOW, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EPERM:
		switch {
		case w.attribute && number != syscall.EPERM:
			return dirty.BadAttribute
		case w.makes && number != syscall.EINVAL && number != syscall.EOVERFLOW:
			return dirty.BadKind
		case w.names && number == syscall.EINVAL:
			return dirty.BadName
		}
	}
	return ""
}
