// Package remotefs knows what file systems of destinations can hold: FAT, exFAT,
// NTFS, HFS+, APFS, and what is offered over a network. All of it is functions
// over values; what a destination is able to do is found out by rsync.Probe.
package remotefs

import (
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"
)

// Capabilities are what the file system of a destination is able to do, or rather
// what it is not: the zero value is a file system that keeps everything, which is
// also what is assumed of one that could not be probed. Values are comparable.
type Capabilities struct {
	// FoldsCase: names that differ in upper and lower case only are one file.
	// FoldsFull: so are names with "ß" and "ss". FoldsUnicode: so are names that
	// differ in Unicode normalisation only.
	FoldsCase, FoldsFull, FoldsUnicode bool
	// NoModes, NoOwners, NoGroups: what is set of these is not what is there
	// afterwards.
	NoModes, NoOwners, NoGroups bool
	// NoSymlinks: symbolic links cannot be made. NoSpecials: nor can FIFOs, sockets
	// and devices.
	NoSymlinks, NoSpecials bool
	// LeavesSpecials: FIFOs, sockets and devices are left out, whatever can be made.
	LeavesSpecials bool
	// NoLinkTimes: symbolic links have times that cannot be set, as by way of SFTP.
	NoLinkTimes bool
	// Granularity is that of modification times if it is more than a second, or 0.
	Granularity time.Duration
	// Refused are the characters that cannot be part of a name, as far as any of
	// SuspectCharacters cannot.
	Refused string
	// NoInvalidUTF8, NoTrailingDot, NoTrailingSpace, NoDeviceNames: names that are
	// not UTF-8, end with a dot or a space, or are called like a device of
	// Windows, are refused.
	NoInvalidUTF8, NoTrailingDot, NoTrailingSpace, NoDeviceNames bool
	// PathMax is how many bytes a path may have in all, its end included, where that
	// is less than on Linux, or 0. macOS and the BSDs have 1024.
	PathMax int
}

// SuspectCharacters are those that file systems are known to refuse in names. One
// stands for all control characters.
const SuspectCharacters = "\x01\"*:<>?\\|"

// Folds reports whether different names may be one file.
func (c Capabilities) Folds() bool { return c.FoldsCase || c.FoldsFull || c.FoldsUnicode }

// Refuses reports whether something may be refused for its name or kind.
func (c Capabilities) Refuses() bool {
	return c.NoSymlinks || c.NoSpecials || c.LeavesSpecials || c.Refused != "" || c.NoInvalidUTF8 || c.NoTrailingDot || c.NoTrailingSpace || c.NoDeviceNames
}

// Limited reports whether there may be something in a workspace that the file system
// cannot hold.
func (c Capabilities) Limited() bool { return c.Folds() || c.Refuses() || c.PathMax > 0 }

// TooLong says in words why a path relative to the destination is too long there; ""
// if it is not.
func (c Capabilities) TooLong(path string) string {
	room := c.PathMax - len("./") - 1
	if c.PathMax == 0 || len(path) <= room {
		return ""
	}
	return fmt.Sprintf("the path has %d bytes, and the remote takes %d", len(path), room)
}

// Refusal says in words why the file system cannot hold an entry of this name, a
// path's last element, and type; "" if it can.
func (c Capabilities) Refusal(name string, mode fs.FileMode) string {
	switch {
	case !c.RefusesKind(mode):
	case mode&fs.ModeSymlink != 0:
		return "the file system there has no symbolic links"
	case c.LeavesSpecials:
		return "FIFOs, sockets and devices are left out (devices=off)"
	default:
		return "the file system there has no FIFOs, sockets and devices"
	}
	if why := c.refusedName(name); why != "" {
		return "the file system there cannot hold " + why
	}
	return ""
}

// RefusesKind reports whether the file system has no entries of this type.
func (c Capabilities) RefusesKind(mode fs.FileMode) bool {
	return c.NoSymlinks && mode&fs.ModeSymlink != 0 || (c.NoSpecials || c.LeavesSpecials) && mode&special != 0
}

// Leaves reports whether entries of this type are left out.
func (c Capabilities) Leaves(mode fs.FileMode) bool { return c.LeavesSpecials && mode&special != 0 }

const special = fs.ModeNamedPipe | fs.ModeSocket | fs.ModeDevice | fs.ModeCharDevice

// refusedName says what is wrong with a name, or "".
func (c Capabilities) refusedName(name string) string {
	for _, r := range c.Refused {
		switch {
		case r < ' ' && strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
			return "a control character in a name"
		case r >= ' ' && strings.ContainsRune(name, r):
			return fmt.Sprintf("a name with %c", r)
		}
	}
	switch {
	case c.NoInvalidUTF8 && !utf8.ValidString(name):
		return "a name that is not UTF-8"
	case c.NoTrailingDot && strings.HasSuffix(name, "."):
		return "a name that ends with a dot"
	case c.NoTrailingSpace && strings.HasSuffix(name, " "):
		return "a name that ends with a space"
	case c.NoDeviceNames && isDevice(name):
		return "a name that is reserved for a device"
	}
	return ""
}

// isDevice reports whether Windows takes a name for that of a device, whatever
// extension it has.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	number := strings.TrimPrefix(strings.TrimPrefix(base, "COM"), "LPT")
	return len(base) == 4 && len(number) == 1 && number >= "1" && number <= "9"
}

// Describe says in words what is not kept, a line for each.
func (c Capabilities) Describe() []string {
	var lines []string
	add := func(is bool, line string) {
		if is {
			lines = append(lines, line)
		}
	}
	add(c.FoldsCase || c.FoldsFull, "names that differ in case only are one file there: the first in byte order is kept, the others fail")
	add(c.FoldsUnicode, "names that differ in Unicode normalisation only are one file there: the first in byte order is kept, the others fail")
	add(c.NoModes, "modes are not compared, because they are not kept there")
	switch {
	case c.NoOwners && c.NoGroups:
		add(true, "owners and groups are not compared, because they are not kept there")
	case c.NoOwners:
		add(true, "owners are not compared, because they are not kept there")
	case c.NoGroups:
		add(true, "groups are not compared, because they are not kept there")
	}
	add(c.Granularity > 0, fmt.Sprintf("times that differ by a second count as equal, because those there are multiples of %v", c.Granularity))
	add(c.NoLinkTimes, "times of symbolic links are not compared, because they are not kept there")
	add(c.NoSymlinks, "symbolic links cannot be made there")
	add(c.NoSpecials, "FIFOs, sockets and devices cannot be made there")
	add(c.PathMax > 0, fmt.Sprintf("paths there have %d bytes at most", c.PathMax-len("./")-1))
	if names := c.describeNames(); len(names) > 0 {
		add(true, "there can be no names "+strings.Join(names, ", "))
	}
	return lines
}

// describeNames says which names are refused.
func (c Capabilities) describeNames() []string {
	var names, characters []string
	for _, r := range c.Refused {
		if r < ' ' {
			names = append(names, "with control characters")
		} else {
			characters = append(characters, string(r))
		}
	}
	if len(characters) > 0 {
		names = append(names, "with any of "+strings.Join(characters, " "))
	}
	for _, n := range []struct {
		is    bool
		words string
	}{
		{c.NoInvalidUTF8, "that are not UTF-8"},
		{c.NoTrailingDot, "that end with a dot"},
		{c.NoTrailingSpace, "that end with a space"},
		{c.NoDeviceNames, "such as AUX or COM1"},
	} {
		if n.is {
			names = append(names, n.words)
		}
	}
	return names
}
