package rsync

import (
	"slices"
	"strings"
	"testing"

	"wsync/monitor/dirty"
)

// What an openrsync says of a path leads back to it, as what rsync says does: those
// of today, with the name and the process, and those of older ones, with a place in
// the source.
func TestOpenrsync(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 250)
	for _, test := range []struct {
		line, want string // "all", "harmless", "pinned"
	}{
		// As it was seen.
		{`rsync(11416): error: ./rm/q: unlinkat: Permission denied`, "rm/q"},
		{`rsync(11416): error: ./rm: unlinkat: Directory not empty`, "rm"},
		{`rsync(11416): error: mkstempat: ro/.new.4eXn7WUaNW: Permission denied`, "ro/.new.4eXn7WUaNW, ro/new"},
		{`rsync(11416): error: ro/new: utimensat: No such file or directory`, "ro/new (attribute)"},
		{`openrsync2(18654): warning: /srv/mirror//./d/e: not empty, cannot delete`, "pinned d/e"},
		{`openrsync2(18654): warning: /srv/mirror//./d/fifo: skipping special`, "harmless"},
		{`openrsync2(18654): warning: /srv/mirror//./d/link: skipping symlink (5)`, "harmless"},
		// As the sources have it: the receiver.
		{`rsync(1): error: d/x: mkpathat: File name too long`, "d/x: path too long"},
		{`rsync(1): error: mkstempat: d/.` + long + `.4eXn7WUaNW: File name too long`, "d/." + long + ".4eXn7WUaNW: path too long, d/" + long + ": path too long"},
		{`rsync(1): error: d/x: pre_file: openat: File name too long`, "d/x: path too long"},
		{`rsync(1): error: bad: rsync_downloader: openat: Illegal byte sequence`, "bad: name not possible there"},
		{`rsync(1): error: a:b: openat: Invalid argument`, "a:b: name not possible there"},
		{`rsync(1): error: l: symlinkat: Operation not supported`, "l: kind not possible there"},
		{`rsync(1): error: dev: mknodat: Operation not permitted`, "dev: kind not possible there"},
		{`rsync(1): error: big: write: File too large`, "big: file too large"},
		{`rsync(1): error: big: write: No space left on device`, "big"},
		{`rsync(1): error: .x.Ab12Cd34Ef: move_file: d/x: Permission denied`, ".x.Ab12Cd34Ef, x"},
		{`rsync(1): error: d: unable to replace file with a directory`, "d"},
		{`rsync(1): error: hard link '/srv/mirror/d/x': Too many links`, "d/x"},
		{`rsync(1): error: d/x: fchmodat (1): Operation not permitted`, "d/x (attribute)"},
		{`rsync(1): error: d/x: fchown to 1.2: Operation not permitted`, "d/x (attribute)"},
		{`rsync(1): warning: d/x: identity unknown or not available to user.group: 1.2`, "d/x (attribute)"},
		{`rsync(1): warning: d/x: file truncated while reading`, "d/x"},
		{`uploader.c:512: error: d: openat: Permission denied`, "d"},
		{`/usr/src/usr.bin/rsync/uploader.c:512: error: /srv/mirror/d: openat: Permission denied`, "d"},
		{`openrsync: error: d: fstatat: Input/output error`, "d"},
		// The sender, here.
		{`rsync(1): warning: /home/u/ws/d: unreadable directory: Permission denied`, "d (here)"},
		{`rsync(1): warning: /home/u/ws/d/x: could not stat: Stale NFS file handle`, "d/x (here)"},
		{`rsync(1): error: /home/u/ws/x: openat: No such file or directory`, "x (vanished) (here)"},
		{`rsync(1): error: '/home/u/ws/x': (l)stat: Permission denied`, "x"},
		// Names that look like words.
		{`rsync(1): error: a: openat: b: unlinkat: Permission denied`, "a: openat: b"},
		{`rsync(1): error: open: unlinkat: Permission denied`, "open, unlinkat"},
		// All.
		{`rsync(1): error: pathname too long`, "all"},
		{`rsync(1): error: unexpected end of file`, "all"},
		{`rsync(1): error: poll: timeout`, "all"},
		{`rsync(1): warning: receiver has empty file list: exiting`, "harmless"},
	} {
		c := ParseStderr(test.line+"\n", testSource, testDestination)
		var got []string
		for _, f := range c.Failures {
			said := f.Path
			if f.Reason != dirty.Reason("") {
				said += ": " + string(f.Reason)
			}
			if f.Attribute {
				said += " (attribute)"
			}
			if f.Vanished {
				said += " (vanished)"
			}
			if f.Here {
				said += " (here)"
			}
			got = append(got, said)
		}
		for _, p := range c.Pinned {
			got = append(got, "pinned "+p)
		}
		switch {
		case len(c.Unattributed) > 0:
			got = append(got, "all")
		case len(got) == 0:
			got = []string{"harmless"}
		}
		if said := strings.Join(got, ", "); said != test.want || len(c.Other) > 0 {
			t.Errorf("%s\nis about %s\nexpected %s, other %q", test.line, said, test.want, c.Other)
		}
		if isError := strings.Contains(test.line, ": error: "); c.DeletionsSkipped != (isError && len(c.Failures) > 0) {
			t.Errorf("%s\nDeletionsSkipped: %v", test.line, c.DeletionsSkipped)
		}
	}
}

// The lines of others are none of an openrsync.
func TestOpenrsyncOfOthers(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"bash: error: x: openat: no",
		"ssh: connect to host h port 22: Connection refused",
		`rsync: [sender] opendir "/home/u/ws/d" failed: Permission denied (13)`,
		"rsync error: some files could not be transferred (code 23) at main.c(1)",
	} {
		if openLine.MatchString(line) {
			t.Errorf("%q is taken for a line of an openrsync", line)
		}
	}
	for _, words := range [][]openWord{behindPath, beforePath} {
		for i, w := range words {
			if slices.ContainsFunc(words[:i], func(before openWord) bool { return before.text == w.text }) {
				t.Errorf("%q is there twice", w.text)
			}
		}
	}
}
