package rsync

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"wsync/monitor/remotefs"
)

// What a file system keeps is found out by sending it something of each kind and
// comparing that with what is there then: whatever differs would differ after each
// full pass.

// The specimens.
const (
	specimenOdd    = "odd second"  // modified at an odd second
	specimenOwned  = "owned"       // of somebody else, where root may have such files
	specimenLink   = "link"        // a symbolic link
	specimenFIFO   = "fifo"        // a FIFO
	specimenBytes  = "bytes\xff"   // a name that is not UTF-8
	specimenDot    = "dot."        // a name that ends with a dot
	specimenSpace  = "blank "      // a name that ends with a space
	specimenDevice = "AUX"         // a name of a device
	specimenChar   = "character"   // begins one with each suspect character
	specimenOwner  = 1<<16 + 1<<10 // nobody's number, most likely
	specimenOther  = specimenOwner + 1
	specimenSecond = int64(12345679) // an odd second
)

// meetings are pairs of names that are one file on some file systems.
var meetings = []struct {
	a, b string
	sets func(c *remotefs.Capabilities)
}{
	{"case", "CASE", func(c *remotefs.Capabilities) { c.FoldsCase = true }},
	{"full\u00df", "fullss", func(c *remotefs.Capabilities) { c.FoldsFull = true }},
	{"norm\u00e9", "norme\u0301", func(c *remotefs.Capabilities) { c.FoldsUnicode = true }},
}

// makeSpecimens makes the specimens in a directory of this machine, and returns the
// names that they have there. Those that cannot be here cannot be in a workspace
// either, most likely, and tell nothing.
func makeSpecimens(dir string) (names []string, err error) {
	second := time.Unix(specimenSecond, 0)
	file := func(name, content string) error {
		name = filepath.Join(dir, name)
		return errors.Join(os.WriteFile(name, []byte(content), 0o640), os.Chtimes(name, second, second))
	}
	if err := errors.Join(file(specimenOdd, "x"), file(specimenOwned, "x")); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		_ = os.Lchown(filepath.Join(dir, specimenOwned), specimenOwner, specimenOwner)
	}
	if link := filepath.Join(dir, specimenLink); os.Symlink(specimenOdd, link) == nil {
		stamp := unix.NsecToTimespec(second.UnixNano())
		_ = unix.UtimesNanoAt(unix.AT_FDCWD, link, []unix.Timespec{stamp, stamp}, unix.AT_SYMLINK_NOFOLLOW)
	}
	_ = syscall.Mkfifo(filepath.Join(dir, specimenFIFO), 0o640)
	for _, name := range []string{specimenBytes, specimenDot, specimenSpace, specimenDevice} {
		_ = file(name, "x")
	}
	for _, r := range remotefs.SuspectCharacters {
		_ = file(specimenChar+string(r), "x")
	}
	for _, m := range meetings {
		_ = errors.Join(file(m.a, "x"), file(m.b, "xx")) // of two sizes
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// judgeSpecimens concludes what is not kept from what still differs, by name, of
// all that was sent; of none, nothing is known.
func judgeSpecimens(differing map[string]string, sent []string) (c remotefs.Capabilities) {
	missing := func(name string) bool {
		code := differing[name]
		return len(code) > 2 && strings.Trim(code[2:], "+") == "" && slices.Contains(sent, name)
	}
	has := func(name, letters string) bool {
		code := differing[name]
		return len(code) > 2 && !missing(name) && strings.ContainsAny(code[2:], letters)
	}
	if len(sent) == 0 || missing(specimenOdd) || missing(specimenOwned) {
		return c // it is not this that fails
	}
	c.NoModes = has(specimenOdd, "p")
	c.NoOwners, c.NoGroups = has(specimenOwned, "o"), has(specimenOwned, "g")
	if has(specimenOdd, "tT") {
		c.Granularity = 2 * time.Second
	}
	c.NoLinkTimes = c.Granularity == 0 && has(specimenLink, "tT")
	c.NoSymlinks, c.NoSpecials = missing(specimenLink), missing(specimenFIFO)
	c.NoInvalidUTF8, c.NoTrailingDot = missing(specimenBytes), missing(specimenDot)
	c.NoTrailingSpace, c.NoDeviceNames = missing(specimenSpace), missing(specimenDevice)
	for _, r := range remotefs.SuspectCharacters {
		if missing(specimenChar + string(r)) {
			c.Refused += string(r)
		}
	}
	for _, m := range meetings {
		// Only one of them has its size.
		if has(m.a, "s") != has(m.b, "s") {
			m.sets(&c)
		}
	}
	return c
}
