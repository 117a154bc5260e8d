package rsync

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	testSource      = "/home/u/ws"
	testDestination = "/srv/mirror"
)

// failed is a failure without its message.
type failed struct {
	path                string
	attribute, vanished bool
}

func failures(c Complaints) []failed {
	var all []failed
	for _, f := range c.Failures {
		all = append(all, failed{f.Path, f.Attribute, f.Vanished})
	}
	return all
}

// The lines are rsync's own, most of them provoked with 3.5.0 and some with
// other paths put in; those without "[sender]" and the like are of 3.1 and
// earlier.
func TestParseStderrFindsPaths(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("l", 246)
	for _, test := range []struct {
		line        string
		destination string // testDestination if ""
		want        []failed
	}{
		// The sender.
		{`rsync: [sender] opendir "/home/u/ws/dir" failed: Permission denied (13)`, "", []failed{{path: "dir"}}},
		{`rsync: [sender] send_files failed to open "/home/u/ws/dir/a b": Permission denied (13)`, "", []failed{{path: "dir/a b"}}},
		{`rsync: [sender] readlink_stat("/home/u/ws/l") failed: Permission denied (13)`, "", []failed{{path: "l"}}},
		{`rsync: [sender] read errors mapping "/home/u/ws/x": Input/output error (5)`, "", []failed{{path: "x"}}},
		{`rsync: [sender] change_dir "/home/u/ws/d" failed: Permission denied (13)`, "", []failed{{path: "d"}}},
		{`rsync: [sender] link_stat "/home/u/ws/x" failed: No such file or directory (2)`, "", []failed{{path: "x", vanished: true}}},
		{`file has vanished: "/home/u/ws/a"`, "", []failed{{path: "a", vanished: true}}},
		{`directory has vanished: "/home/u/ws/d/e"`, "", []failed{{path: "d/e", vanished: true}}},
		{`rsync: send_files failed to open "/home/u/ws/x": Permission denied (13)`, "", []failed{{path: "x"}}},
		{`rsync: opendir "/home/u/ws/." failed: Permission denied (13)`, "", []failed{{path: ""}}},
		// The receiver's contents.
		{`rsync: [generator] recv_generator: mkdir "/srv/mirror/p/dir" failed: Permission denied (13)`, "", []failed{{path: "p/dir"}}},
		{`rsync: [generator] recv_generator: failed to stat "/srv/mirror/p/x": Permission denied (13)`, "", []failed{{path: "p/x"}}},
		{`rsync: [generator] opendir "/srv/mirror/p" failed: Permission denied (13)`, "", []failed{{path: "p"}}},
		{`rsync: [generator] mknod "/srv/mirror/p/ff" failed: Permission denied (13)`, "", []failed{{path: "p/ff"}}},
		{`rsync: [generator] mknod "/srv/mirror/p/.ff.19874" failed: File exists (17)`, "", []failed{{path: "p/.ff.19874"}, {path: "p/ff"}, {path: "p/.ff"}}},
		{`rsync: [generator] symlink "/srv/mirror/p/ln" -> "t" failed: Permission denied (13)`, "", []failed{{path: "p/ln"}}},
		{`rsync: [generator] symlink "/srv/mirror/p/ln" -> "t" failed" failed: Permission denied (13)`, "", []failed{{path: "p/ln"}}},
		{`rsync: [generator] symlink "/srv/mirror/p/l"n" -> "t" failed: Permission denied (13)`, "", []failed{{path: `p/l"n`}}},
		{`rsync: [receiver] mkstemp "/srv/mirror/p/.reg.RV1p3o" failed: Permission denied (13)`, "", []failed{{path: "p/reg"}, {path: "p/.reg"}}},
		{`rsync: [receiver] mkstemp "/srv/mirror/p/.a" -> "b.OToUX1" failed: Permission denied (13)`, "", []failed{{path: `p/a" -> "b`}, {path: `p/.a" -> "b`}}},
		{`rsync: [receiver] rename "/srv/mirror/st/.x.QviSsv" -> "st/x": Operation not permitted (1)`, "", []failed{{path: "st/x"}, {path: "st/.x"}}},
		{`rsync: [receiver] write failed on "/srv/mirror/big": No space left on device (28)`, "", []failed{{path: "big"}}},
		{`rsync: mkstemp "/srv/mirror/.x.Ab12cd" failed: Permission denied (13)`, "", []failed{{path: "x"}, {path: ".x"}}},
		{`could not make way for new regular file: p/rep`, "", []failed{{path: "p/rep"}}},
		{`could not make way for new symlink: trail `, "", []failed{{path: "trail "}}},
		{`ERROR: sub/f failed verification -- update discarded.`, "", []failed{{path: "sub/f"}}},
		{`ERROR: daemon refused to receive file "sub/x.tmp"`, "mod", []failed{{path: "sub/x.tmp"}}},
		{`ERROR: daemon refused to receive directory "q"u"`, "mod/sub", []failed{{path: `q"u`}}},
		// The name in the temporary file is cut: any in the directory is meant.
		{`rsync: [receiver] mkstemp "/srv/mirror/p/.` + long + `.RV1p3o" failed: Permission denied (13)`, "", []failed{{path: "p"}}},
		{`rsync: [receiver] mkstemp "/srv/mirror/.` + long + `.RV1p3o" failed: Permission denied (13)`, "", nil},
		{`rsync: [receiver] mkstemp "/srv/mirror/p/...qI9bGx" failed: Permission denied (13)`, "", []failed{{path: "p"}}},
		// Attributes.
		{`rsync: [generator] failed to set times on "/srv/mirror/.": Operation not permitted (1)`, "", []failed{{path: "", attribute: true}}},
		{`rsync: [generator] failed to set permissions on "/srv/mirror/st": Operation not permitted (1)`, "", []failed{{path: "st", attribute: true}}},
		{`rsync: [receiver] chgrp "/srv/mirror/.x.Abc123" failed: Operation not permitted (1)`, "", []failed{{path: "x", attribute: true}, {path: ".x", attribute: true}}},
		{`rsync: chown "/srv/mirror/x" failed: Operation not permitted (1)`, "", []failed{{path: "x", attribute: true}}},
		// Deletions, whose paths are relative.
		{`rsync: [generator] delete_file: unlink(p/gone) failed: Permission denied (13)`, "", []failed{{path: "p/gone"}}},
		{`rsync: [generator] delete_file: unlink(p/g)one) failed) failed: Permission denied (13)`, "", []failed{{path: "p/g)one) failed"}}},
		{`rsync: delete_file: rmdir(p/old) failed: Directory not empty (39)`, "", []failed{{path: "p/old"}}},
		// Names.
		{`rsync: [sender] send_files failed to open "/home/u/ws/q"u": Permission denied (13)`, "", []failed{{path: `q"u`}}},
		{`rsync: [sender] opendir "/home/u/ws/e/nl\#012x" failed: Permission denied (13)`, "", []failed{{path: "e/nl\nx"}}},
		{`rsync: [sender] opendir "/home/u/ws/bad\#377u" failed: Permission denied (13)`, "", []failed{{path: "bad\xffu"}}},
		{`rsync: [sender] opendir "/home/u/ws/\#134#012" failed: Permission denied (13)`, "", []failed{{path: `\#012`}}},
		{`rsync: [sender] opendir "/home/u/ws/#h" failed: Permission denied (13)`, "", []failed{{path: "#h"}}},
		{`rsync: [sender] opendir "/home/u/ws/a: "b" failed: Permission denied (13)`, "", []failed{{path: `a: "b`}}},
		// Ambiguous: all that may be meant.
		{`rsync: [sender] opendir "/home/u/ws/a" failed: b" failed: Permission denied (13)`, "", []failed{{path: "a"}, {path: `a" failed: b`}}},
		// Sides whose directories are alike.
		{`rsync: [receiver] mkstemp "/home/u/ws/mirror/.x.Ab12cd" failed: Permission denied (13)`, "/home/u/ws/mirror", []failed{{path: "x"}, {path: ".x"}}},
		{`rsync: [sender] opendir "/home/u/ws/mirror/x" failed: Permission denied (13)`, "/home/u/ws/mirror", []failed{{path: "mirror/x"}}},
		{`rsync: mkstemp "/home/u/ws/mirror/.x.Ab12cd" failed: Permission denied (13)`, "/home/u/ws/mirror", []failed{{path: "mirror/x"}, {path: "x"}, {path: "mirror/.x"}, {path: ".x"}}},
		{`rsync: [receiver] mkstemp "/srv/mirror2/.x.Ab12cd" failed: Permission denied (13)`, "", nil},
		// Relative to the login directory.
		{`rsync: [receiver] mkstemp "/home/u/back/up/p/.x.g5dk63" failed: Permission denied (13)`, "back/up", []failed{{path: "p/x"}, {path: "p/.x"}}},
		{`rsync: [generator] opendir "/home/u/back/up" failed: Permission denied (13)`, "back/up", []failed{{path: ""}}},
		{`rsync: [generator] opendir "/home/backup/backup/x" failed: Permission denied (13)`, "backup", []failed{{path: "backup/x"}, {path: "x"}}},
		{`rsync: [generator] opendir "/home/u/backups/x" failed: Permission denied (13)`, "backup", nil},
		// A daemon, with a module's whole tree and with a part of it, chrooted and not.
		{`rsync: [generator] failed to set times on "." (in mod): Operation not permitted (1)`, "mod", []failed{{path: "", attribute: true}}},
		{`rsync: [generator] failed to set times on "/." (in mod): Operation not permitted (1)`, "mod", []failed{{path: "", attribute: true}}},
		{`rsync: [receiver] mkstemp ".x.8RtjjX" (in mod) failed: Permission denied (13)`, "mod", []failed{{path: "x"}, {path: ".x"}}},
		{`rsync: [receiver] mkstemp "sub/.q"u.dCRzna" (in mod) failed: Permission denied (13)`, "mod", []failed{{path: `sub/q"u`}, {path: `sub/.q"u`}}},
		{`rsync: [receiver] mkstemp "/sub/.rep.HPzq6H" (in mod) failed: Permission denied (13)`, "mod/sub", []failed{{path: "rep"}, {path: ".rep"}}},
		{`rsync: [generator] recv_generator: mkdir "/sub/sub" (in mod) failed: Permission denied (13)`, "mod/sub", []failed{{path: "sub"}}},
		{`rsync: [generator] symlink "sub/l" (in mod) -> "/rsyncd-munged/t" failed: Permission denied (13)`, "mod", []failed{{path: "sub/l"}}},
		{`rsync: [generator] delete_file: unlink(gone) failed: Permission denied (13)`, "mod/sub", []failed{{path: "gone"}}},
		// Nothing of the workspace.
		{`rsync: [Receiver] mkdir "/srv/other/dest" failed: No such file or directory (2)`, "", nil},
		{`rsync: connection unexpectedly closed (0 bytes received so far) [sender]`, "", nil},
		{`rsync: [sender] failed to connect to 127.0.0.1 (127.0.0.1): Connection refused (111)`, "", nil},
		{`ERROR: module is read only`, "mod", nil},
		{`rsync: [sender] opendir "/home/u/ws/../x" failed: Permission denied (13)`, "", nil},
		{`rsync: [generator] delete_file: unlink(../x) failed: Permission denied (13)`, "", nil},
	} {
		destination := test.destination
		if destination == "" {
			destination = testDestination
		}
		c := ParseStderr(test.line+"\r\n", testSource, destination)
		if got := failures(c); !slices.Equal(got, test.want) {
			t.Errorf("%s\nis about %+v\nexpected %+v", test.line, got, test.want)
		}
		if (len(c.Unattributed) == 1) != (test.want == nil) {
			t.Errorf("%s\nunattributed: %q", test.line, c.Unattributed)
		}
		if len(c.Other) > 0 {
			t.Errorf("%s\nother: %q", test.line, c.Other)
		}
	}
}

func TestParseStderrSortsLines(t *testing.T) {
	t.Parallel()
	c := ParseStderr(`Warning: Permanently added 'h' to the list of known hosts.
bash: warning: setlocale: cannot change locale
rsync: [sender] opendir "/home/u/ws/u" failed: Permission denied (13)
*** Skipping any contents from this failed directory ***
WARNING: sub/f failed verification -- update discarded (will try again).
rsync: [Receiver] safe_read failed to read 4 bytes: Connection reset by peer (104)

Deletions stopped due to --max-delete limit (1 skipped)
rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394) [sender=3.5.0]

IO error encountered -- skipping file deletion
`, testSource, testDestination)
	want := Complaints{
		Failures:         []Failure{{Path: "u", Message: `[sender] opendir "/home/u/ws/u" failed: Permission denied (13)`, Here: true}},
		Unattributed:     []string{"[Receiver] safe_read failed to read 4 bytes: Connection reset by peer (104)"},
		Other:            []string{"bash: warning: setlocale: cannot change locale"},
		Summary:          "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394) [sender=3.5.0]",
		DeletionsSkipped: true,
		DeletionsHeld:    true,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c, want)
	}
	if empty := ParseStderr("", testSource, testDestination); !reflect.DeepEqual(empty, Complaints{}) {
		t.Errorf("nothing said became %+v", empty)
	}
}

func TestMissingDestination(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		`rsync: [Receiver] mkdir "/srv/mirror" failed: No such file or directory (2)`:                    true,
		`rsync: mkdir "/srv/mirror" failed: No such file or directory (2)`:                               true,
		`rsync: [Receiver] mkdir "no/such" (in mod) failed: No such file or directory (2)`:               true,
		`rsync: change_dir#3 "/srv/mirror" failed: No such file or directory (2)`:                        true,
		`rsync: [sender] link_stat "/home/u/ws/x" failed: No such file or directory (2)`:                 false,
		`rsync: [Receiver] change_dir#1 "/srv/mirror" failed: Permission denied (13)`:                    false,
		`rsync: [generator] recv_generator: mkdir "/srv/mirror/d" failed: No such file or directory (2)`: false,
		`rsync: [sender] change_dir "/home/u/ws" failed: No such file or directory (2)`:                  false,
		`rsync: change_dir "/home/u/ws" failed: No such file or directory (2)`:                           false,
		// Those of openrsync.
		`receiver.c:224: error: /srv/mirror: open: No such file or directory`:     true,
		`receiver.c:224: error: open: /srv/mirror: No such file or directory`:     true,
		`rsync(4711): error: /srv/mirror/: openat: No such file or directory`:     true,
		`uploader.c:512: error: /srv/mirror/d: openat: No such file or directory`: false,
		`receiver.c:224: error: /srv/mirror: open: Permission denied`:             false,
		// Words of the remote's shell.
		`bash: warning: setlocale: LC_ALL: cannot change locale (en_US.UTF-8): No such file or directory`: false,
		`bash: line 1: /usr/bin/rrsync: No such file or directory`:                                        false,
	} {
		if got := ParseStderr(line, testSource, testDestination).MissingDestination; got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		`rsync: [receiver] write failed on "/srv/mirror/big": No space left on device (28)`:          true,
		`rsync: [generator] recv_generator: mkdir "/srv/mirror/d" failed: Disk quota exceeded (122)`: true,
		`rsync: [receiver] write failed on "/elsewhere": No space left on device (28)`:               true,
		`rsync: [receiver] mkstemp "/srv/mirror/.x.zls0SY" failed: Read-only file system (30)`:       false,
	} {
		if got := ParseStderr(line, testSource, testDestination).DiskFull(); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func FuzzParseStderr(f *testing.F) {
	f.Add("rsync: [sender] opendir \"/home/u/ws/a\" failed: b\" failed: Permission denied (13)", "back/up")
	f.Add("rsync: [receiver] mkstemp \"sub/.q\"u.dCRzna\" (in mod) failed: x", "mod/sub")
	f.Add("could not make way for new x: ../y\ncannot delete non-empty directory: /z\nERROR: x failed verification", "/")
	f.Add("rsync: symlink \"/srv/l\" -> \"t\" failed: x\nfile has vanished: \"/home/u/ws/../../etc\"", "/srv")
	f.Fuzz(func(t *testing.T, stderr, destination string) {
		c := ParseStderr(stderr, testSource, destination)
		for _, f := range c.Failures {
			if f.Path == ".." || strings.HasPrefix(f.Path, "../") || strings.HasPrefix(f.Path, "/") || strings.Contains(f.Path, "/../") || strings.HasSuffix(f.Path, "/..") {
				t.Errorf("%q leads out of the tree", f.Path)
			}
		}
		for code := range 40 {
			Words(code, c)
		}
		c.DiskFull()
	})
}

// FuzzPathInStderr: whatever the name, a line about it is understood.
func FuzzPathInStderr(f *testing.F) {
	for _, name := range oddNames {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p, ok := inside(name)
		if !ok || p != name || p == "" || strings.Contains(name, "\x00") {
			return // no path of a workspace
		}
		for _, format := range []string{
			`rsync: [sender] opendir "/home/u/ws/%" failed: Permission denied (13)`,
			`rsync: [sender] send_files failed to open "/home/u/ws/%": Permission denied (13)`,
			`rsync: [generator] symlink "/srv/mirror/%" -> "t" failed: Permission denied (13)`,
			`rsync: [generator] recv_generator: mkdir "/%" (in mirror) failed: Permission denied (13)`,
			`rsync: [generator] delete_file: unlink(%) failed: Permission denied (13)`,
			`file has vanished: "/home/u/ws/%"`,
			`could not make way for new regular file: %`,
		} {
			destination := testDestination
			if strings.Contains(format, "(in mirror)") {
				destination = "mirror"
			}
			line := strings.Replace(format, "%", printed(name), 1)
			c := ParseStderr(line, testSource, destination)
			if !slices.ContainsFunc(c.Failures, func(f Failure) bool { return f.Path == name }) {
				t.Errorf("%s\nis about %+v", line, failures(c))
			}
		}
	})
}

// printed writes a name as rsync does in the C locale: all bytes that are not
// printable ASCII, and a backslash that would look like the beginning of such a
// byte, in octal.
func printed(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		ambiguous := c == '\\' && i+4 < len(name) && name[i+1] == '#' && strings.Trim(name[i+2:i+5], "0123456789") == ""
		if (c < ' ' || c > '~') && c != '\t' || ambiguous {
			b.WriteString("\\#" + string([]byte{'0' + c>>6, '0' + c>>3&7, '0' + c&7}))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
