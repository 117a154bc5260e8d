package rsync

import (
	"slices"
	"strings"
	"testing"

	"wsync/monitor/dirty"
)

// What rsync 3.5.0 says at the levels of errors and warnings, as its sources have
// it, with the paths put in. Want is what becomes of the path, "all" or "harmless".
func TestMessages(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 250)
	for _, test := range []struct {
		line, want string
	}{
		// flist.c, sender.c
		{`filename overflows max-path len by 125: d/d/` + long, "d/d/" + long + ": path too long"},
		{`filename overflows max-path len by 1: a: b/c`, "a: b/c: path too long"},
		{`skipping overly long name: d/` + long, "d/" + long + ": path too long"},
		{`path too long: /home/u/ws/d/x`, "d/x: path too long"},
		{`cannot send file with empty name in "/home/u/ws/d"`, "d"},
		{`rsync: [sender] readdir("/home/u/ws/d"): Input/output error (5)`, "d"},
		{`rsync: [sender] opendir "/home/u/ws/d" failed: Too many open files (24)`, "d"},
		{`rsync: [sender] readlink_stat("/home/u/ws/d/x") failed: Stale file handle (116)`, "d/x"},
		{`rsync: [sender] link_stat "/home/u/ws/d" failed: Transport endpoint is not connected (107)`, "d"},
		{`rsync: [sender] read errors mapping "/home/u/ws/x": No data available (61)`, "x"},
		{`file has vanished: "/home/u/ws/x"`, "x vanished"},
		{`directory has vanished: "/home/u/ws/d"`, "d vanished"},
		{`skipped diminished file: "/home/u/ws/x"`, "x"},
		{`skipping symlink with 0-length value: "/home/u/ws/l"`, "l"},
		{`symlink has no referent: "/home/u/ws/l"`, "l"},
		{`[sender] cannot convert filename: d/x (Invalid or incomplete multibyte or wide character)`, "d/x: name not possible there"},
		{`[sender] cannot convert symlink data for: "/home/u/ws/l" (Invalid argument)`, "l: name not possible there"},
		{`skipping file with bogus (zero) st_mode: "/home/u/ws/x"`, "x"},
		{`FATAL I/O ERROR: dying to avoid a --delete-during issue with a pre-3.0.7 receiver.`, "all"},
		{`rsync: [sender] fstat failed: Input/output error (5)`, "all"},
		{`receive_sums failed`, "all"},
		// generator.c, receiver.c, rsync.c, util1.c
		{`skipping non-regular file "d/x"`, "d/x: kind not possible there"},
		{`skipping non-regular file "q"u"`, `q"u: kind not possible there`},
		{`skipping socket (creation unsupported here): "/srv/mirror/s"`, "s: kind not possible there"},
		{`rsync: [generator] mknod "/srv/mirror/x" failed: Operation not permitted (1)`, "x: kind not possible there"},
		{`rsync: [generator] symlink "/srv/mirror/x" -> "y" failed: Operation not permitted (1)`, "x: kind not possible there"},
		{`rsync: [generator] rename "/srv/mirror/.x.AbCdEf" -> "/srv/mirror/x" failed: Permission denied (13)`, "x|.x"},
		{`rsync: [generator] recv_generator: mkdir "/srv/mirror/d" failed: Too many links (31)`, "d"},
		{`rsync: [generator] recv_generator: failed to stat "/srv/mirror/d/x": Too many levels of symbolic links (40)`, "d/x"},
		{`*** Skipping any contents from this failed directory ***`, "harmless"},
		{`rsync: [generator] failed to open "/srv/mirror/x", continuing: Permission denied (13)`, "harmless"},
		{`rsync: [generator] opendir "/srv/mirror/d" failed: Permission denied (13)`, "d"},
		{`ERROR: daemon refused to receive directory "d"`, "d: excluded by the rsync daemon"},
		{`ERROR: rejecting file transfer request for daemon excluded file: d/x`, "d/x: excluded by the rsync daemon"},
		{`ERROR: rejecting unrequested file-list name: d/x`, "d/x"},
		{`ABORTING due to invalid path from sender: d/x`, "d/x"},
		{`ABORTING due to unsafe pathname from sender: d/x`, "d/x"},
		{`invalid file mode 0170000 for d/x [Receiver]`, "d/x"},
		{`temporary filename too long: d/x`, "d/x: path too long"},
		{`rsync: [receiver] mkstemp "/srv/mirror/d/.x.AbCdEf" failed: File name too long (36)`, "d/x|d/.x: path too long"},
		{`rsync: [receiver] write failed on "/srv/mirror/x": File too large (27)`, "x: file too large"},
		{`rsync: [receiver] lseek of "/srv/mirror/x" returned -1, not 4096: Invalid argument (22)`, "x"},
		{`rsync: [receiver] ftruncate failed on "/srv/mirror/x": Input/output error (5)`, "x"},
		{`rsync: [receiver] close failed on "/srv/mirror/.x.AbCdEf": Disk quota exceeded (122)`, "x|.x"},
		{`rsync: [receiver] fsync failed on "/srv/mirror/x": Input/output error (5)`, "x"},
		{`rsync: [receiver] rename failed for "/srv/mirror/x" (from .wsync-delayed/x): Permission denied (13)`, "x"},
		{`rsync: [receiver] fstat "/srv/mirror/x" failed: Input/output error (5)`, "x"},
		{`recv_files: "/srv/mirror/x" is a directory`, "x"},
		{`rsync: [receiver] open "/srv/mirror/x" failed: Permission denied (13)`, "x"},
		{`rsync: [generator] stat "/srv/mirror/x" failed: Input/output error (5)`, "x"},
		{`rsync: [receiver] copy "/srv/mirror/.x.AbCdEf" -> "x": Operation not permitted (1)`, "x|.x"},
		{`rsync: [receiver] unlink "/srv/mirror/x": Permission denied (13)`, "x"},
		{`Unable to create partial-dir for d/x -- discarding completed file.`, "d/x"},
		{`rsync: refusing unconfined partial basis for d/x`, "d/x"},
		{`ERROR: d/x failed verification -- update discarded.`, "d/x"},
		{`WARNING: d/x failed verification -- update discarded (will try again).`, "harmless"},
		{`WARNING: parent dir is absent in the file list: d`, "harmless"},
		{`renaming x to .x~ because of text busy`, "harmless"},
		{`rsync: [receiver] do_fallocate "/srv/mirror/x": No space left on device (28)`, "harmless"},
		{`out of file descriptors resolving a deep path; raise the open-file limit (e.g. ` + "`ulimit -n`)", "harmless"},
		{`[generator] default_perms_for_dir: sys_acl_get_file(d, default): Operation not supported, falling back on umask`, "harmless"},
		// delete.c, backup.c
		{`could not make way for new device file: d/x`, "d/x"},
		{`rsync: [generator] delete_file: unlink(d/x) failed: Operation not permitted (1)`, "d/x"},
		{`rsync: [generator] delete_file: rmdir(d) failed: Device or resource busy (16)`, "d"},
		{`rsync: [generator] delete_file: make_backup(d/x) failed: Permission denied (13)`, "d/x"},
		{`rsync: [receiver] keep_backup failed: "/srv/mirror/d/x" -> ".wsync-trash/t/d/x": Permission denied (13)`, "d/x"},
		{`backup filename too long`, "all"},
		{`cannot delete non-empty directory: d/e`, "pinned d/e"},
		{`cannot delete mount point: d`, "pinned d"},
		// attributes
		{`rsync: [generator] failed to set times on "/srv/mirror/x": Invalid argument (22)`, "x attribute: mode, owner or time not possible there"},
		{`rsync: [generator] failed to set permissions on "/srv/mirror/x": Operation not permitted (1)`, "x attribute"},
		{`rsync: [generator] failed to modify permissions on "/srv/mirror/d": Operation not permitted (1)`, "d attribute"},
		{`rsync: [receiver] chgrp "/srv/mirror/.x.AbCdEf" failed: Operation not permitted (1)`, "x|.x attribute"},
		{`uid 4294967295 (-1) is impossible to set on "/srv/mirror/x"`, "x attribute: mode, owner or time not possible there"},
		{`rsync: [receiver] rsync_xal_set: fsetxattr("/srv/mirror/d/.x.FyKolT","user.t") failed: Operation not supported (95)`, "d/x|d/.x attribute: mode, owner or time not possible there"},
		{`rsync: [receiver] rsync_xal_set: lsetxattr("/srv/mirror/d/x","user.t") failed: No space left on device (28)`, "d/x attribute"},
		{`rsync: [receiver] rsync_xal_clear: lremovexattr("/srv/mirror/d","user.t") failed: Permission denied (13)`, "d attribute"},
		{`rsync: [generator] set_acl: xacl_set(d/x, ACL_TYPE_ACCESS): Operation not supported (95)`, "d/x attribute: mode, owner or time not possible there"},
		{`rsync: [receiver] set_acl: xacl_set(d/.x.FyKolT, ACL_TYPE_ACCESS): Operation not supported (95)`, "d/x|d/.x attribute: mode, owner or time not possible there"},
		{`Time value of d/x truncated on receiver.`, "d/x attribute: mode, owner or time not possible there"},
		{`[Receiver] Time value of d/x truncated on receiver.`, "d/x attribute: mode, owner or time not possible there"},
		{`do_chmod: no symlink-safe chmod for "d/x"; mode not set`, "d/x attribute: mode, owner or time not possible there"},
		// the whole run
		{`rsync: [Receiver] mkdir "/srv/mirror" failed: Permission denied (13)`, "all"},
		{`rsync: [Receiver] change_dir#3 "/srv/mirror" failed: Not a directory (20)`, "all"},
		{`ERROR: cannot overwrite non-directory with a directory`, "all"},
		{`ERROR: destination must be a directory when copying more than 1 file`, "all"},
		{`ERROR: module is read only`, "all"},
		{`rsync: connection unexpectedly closed (0 bytes received so far) [sender]`, "all"},
		{`rsync: [sender] read error: Connection reset by peer (104)`, "all"},
		{`rsync: [sender] safe_write failed to write 4 bytes to socket: Broken pipe (32)`, "all"},
		{`[sender] io timeout after 120 seconds -- exiting`, "all"},
		{`rsync: [sender] failed to connect to h (10.0.0.1): Connection refused (111)`, "all"},
		{`rsync: getaddrinfo: h 873: Name or service not known`, "all"},
		{`rsync: did not see server greeting`, "all"},
		{`rsync: [sender] Failed to exec ssh: No such file or directory (2)`, "all"},
		{`overflow: xflags=0x0 l1=255 l2=900 lastname=d/x [Receiver]`, "all"},
		{`[Receiver] out of memory: flist_expand (file=flist.c, line=1)`, "all"},
		{`[generator] exceeded --max-alloc=1g setting (file=flist.c, line=1)`, "all"},
		// what no version says yet
		{`rsync: [receiver] pondered "/srv/mirror/x": Try again (11)`, "all"},
	} {
		c := ParseStderr(test.line, testSource, testDestination)
		if got := summary(c); got != test.want {
			t.Errorf("%s\nis about %s\nexpected %s", test.line, got, test.want)
		}
	}
}

// summary is what a line was understood as.
func summary(c Complaints) string {
	var names []string
	tail := ""
	for _, f := range c.Failures {
		names = append(names, f.Path)
		tail = ""
		if f.Attribute {
			tail += " attribute"
		}
		if f.Vanished {
			tail += " vanished"
		}
		if f.Reason != "" {
			tail += ": " + string(f.Reason)
		}
	}
	switch {
	case len(c.Pinned) > 0:
		return "pinned " + strings.Join(c.Pinned, "|")
	case len(c.Unattributed) > 0:
		return "all"
	case len(c.Other) > 0:
		return "other"
	case len(names) == 0:
		return "harmless"
	}
	return strings.Join(names, "|") + tail
}

// A line that nobody knows names what exists, and words of a shell name nothing.
func TestUnknownMessages(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	tree(t, src, map[string]string{"d/x y": "x", "bash": "x", "warning": "x", "z": "x"})
	for line, want := range map[string][]failed{
		`rsync: [receiver] pondered "/srv/mirror/d/x y": Try again (11)`:    {{path: "d/x y"}},
		`rsync: [sender] pondering ` + src + `/d/x y`:                       {{path: "d/x y"}},
		`ERROR: will not have d/x y`:                                        {{path: "d/x y"}},
		`[generator] thought of z: Permission denied (13)`:                  {{path: "z"}},
		`rsync: [receiver] pondered "/srv/mirror/gone": Try again (11)`:     nil,
		`bash: warning: setlocale: LC_ALL: cannot change locale (en_US): z`: nil,
	} {
		c := ParseStderr(line, src, testDestination)
		if got := failures(c); !slices.Equal(got, want) {
			t.Errorf("%s\nis about %+v\nexpected %+v", line, got, want)
		}
		for _, f := range c.Failures {
			if !f.Guessed {
				t.Errorf("%s\nis known", line)
			}
		}
		if len(want) == 0 && len(c.Unknown)+len(c.Other) != 1 {
			t.Errorf("%s\nis lost", line)
		}
	}
}

func TestIsNamed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		path, line string
		want       bool
	}{
		{"d/x", `pondered "/srv/mirror/d/x": Try again (11)`, true},
		{"d/x", `pondered d/x`, true},
		{"d/x", `pondered d/xy and d/x too`, true},
		{"d/x", `pondered d/xy`, false},
		{"d/x", `pondered ad/x`, false},
		{"n\nl", `pondered n\#012l: no`, true},
		{"", `pondered`, false},
	} {
		if got := IsNamed(test.path, test.line); got != test.want {
			t.Errorf("%q in %q: %v", test.path, test.line, got)
		}
	}
}

// No text of the table is shadowed by one before it.
func TestMessagesAreReached(t *testing.T) {
	t.Parallel()
	for i := range messages {
		m := &messages[i]
		line := m.text + "x" + m.before + "x" + m.behind
		if got, _ := find(line); got != m {
			t.Errorf("%q is taken for %q", line, got.text)
		}
		if m.reported != reported(line) {
			t.Errorf("%q is reported: %v", line, !m.reported)
		}
	}
}

// A path is left out of a run as far as rsync knows a rule for it.
func TestExcludesOfLongPaths(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("n", 200)
	deep := strings.Repeat(name+"/", 21) + "leaf"
	dir := strings.Repeat(name+"/", 19) + name
	stars := strings.Repeat(strings.Repeat("*", 200)+"/", 15) + "leaf"
	for _, test := range []struct {
		paths, want []string
	}{
		{[]string{"a", "b"}, []string{"--exclude=/a", "--exclude=/b"}},
		{[]string{deep, deep + "2", "b"}, []string{"--exclude=/" + dir, "--exclude=/b"}},
		{[]string{stars}, []string{"--exclude=/" + quotePattern(strings.Join(slices.Repeat([]string{strings.Repeat("*", 200)}, 10), "/"))}},
	} {
		if got := excludes(test.paths); !slices.Equal(got, test.want) {
			t.Errorf("got  %.300q\nwant %.300q", got, test.want)
		}
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	limit := Endpoint{}.MaxPath()
	name := strings.Repeat("n", 250)
	fits := strings.Repeat(name+"/", 16)
	fits += strings.Repeat("f", limit-len(fits))
	long := fits + "f"
	all := fake{fits: fakeFile, long: fakeFile}
	for i, c := range long {
		if c == '/' {
			all[long[:i]] = fakeDir
		}
	}
	plan := MakePlan(dirtied(made, fits, long), nil, all.lstat, limit)
	if !slices.Equal(plan.Contents, []string{fits}) || len(plan.TooLong) != 1 || plan.TooLong[0].Path != long {
		t.Errorf("%d listed, %d too long", len(plan.Contents), len(plan.TooLong))
	}
	delete(all, long) // it cannot have been there
	if plan := MakePlan(dirtied(madeDir, long), nil, all.lstat, limit); len(plan.TooLong)+len(plan.Deleted)+len(plan.Contents)+len(plan.Trees) > 0 {
		t.Errorf("what is gone is listed: %+v", plan)
	}
	all[long] = fakeDir
	if plan := MakePlan([]*dirty.Entry{{Path: long, Change: madeDir}}, nil, all.lstat, limit); len(plan.TooLong) != 1 || len(plan.Trees) > 0 {
		t.Errorf("a directory: %+v", plan)
	}
}
