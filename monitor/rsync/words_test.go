package rsync

import (
	"slices"
	"strings"
	"testing"
)

type wordsTest struct {
	code    int
	stderr  string
	message string
	hint    string // a part of it; "" for none
}

var wordsTests = []wordsTest{
	{11, `rsync: [receiver] write failed on "/srv/mirror/big": No space left on device (28)`,
		`the disk is full: write failed on "/srv/mirror/big": No space left on device (28)`, "make room"},
	{23, `rsync: [receiver] mkstemp "/srv/mirror/.x.aaaaaa" failed: Disk quota exceeded (122)`,
		`the quota on the remote is used up: mkstemp "/srv/mirror/.x.aaaaaa" failed: Disk quota exceeded (122)`, "make room"},
	{23, `rsync: [receiver] mkstemp "/srv/mirror/.x.zls0SY" failed: Read-only file system (30)`,
		`the remote's file system is read-only: mkstemp "/srv/mirror/.x.zls0SY" failed: Read-only file system (30)`, "mount it writable"},
	{255, "Host key verification failed.\r\n", "Host key verification failed.", "connect once by hand"},
	{255, "@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@\nHost key verification failed.\n",
		"Host key verification failed.", "ssh-keygen -R"},
	{255, "u@h: Permission denied (publickey).\n", "u@h: Permission denied (publickey).", "ssh-add"},
	{255, "ssh: Could not resolve hostname nope: Name or service not known\n", "ssh: Could not resolve hostname nope: Name or service not known", "~/.ssh/config"},
	{255, "ssh: connect to host h port 22: Connection refused\n", "ssh: connect to host h port 22: Connection refused", "nothing listens"},
	{127, "bash: line 1: rsync: command not found\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n",
		"there is no rsync on the remote: bash: line 1: rsync: command not found", "install rsync"},
	{127, "sh: 1: rsync: not found\n", "there is no rsync on the remote: sh: 1: rsync: not found", "install rsync"},
	{5, "@ERROR: auth failed on module mod\n", "the rsync daemon refused the user or the password: @ERROR: auth failed on module mod", "--password-file"},
	{5, "@ERROR: Unknown module 'none'\n", "the rsync daemon has no such module: @ERROR: Unknown module 'none'", "lists its modules"},
	{1, "ERROR: module is read only\nrsync error: syntax or usage error (code 1) at main.c(1185) [Receiver=3.5.0]\nrsync: [sender] read error: Connection reset by peer (104)\n",
		"the rsync daemon's module is read-only: ERROR: module is read only", "read only = no"},
	{5, "@ERROR: access denied to mod from web (10.0.0.1)\n",
		"the rsync daemon does not let this machine in: @ERROR: access denied to mod from web (10.0.0.1)", "hosts deny"},
	{5, "@ERROR: chroot failed\n", "the rsync daemon cannot enter the module's directory: @ERROR: chroot failed", "runs as root"},
	{5, "@ERROR: chdir failed\n", "the rsync daemon cannot enter the module's directory: @ERROR: chdir failed", "uid must be able to enter"},
	{5, "@ERROR: max connections (3) reached -- try again later\n",
		"the rsync daemon has no connection free: @ERROR: max connections (3) reached -- try again later", ""},
	{10, "rsync: [sender] failed to connect to h (10.0.0.1): Connection refused (111)\n",
		"the connection failed: failed to connect to h (10.0.0.1): Connection refused (111)", "nothing listens"},
	{23, `rsync: [sender] link_stat "/home/u/ws/m" failed: Transport endpoint is not connected (107)`,
		`the file system that is mounted does not answer, on this machine: link_stat "/home/u/ws/m" failed: Transport endpoint is not connected (107)`, "mount it again"},
	{23, `rsync: [sender] readdir("/home/u/ws/m"): Input/output error (5)`,
		`the disk or its file system does not work, on this machine: readdir("/home/u/ws/m"): Input/output error (5)`, "dmesg"},
	{11, `rsync: [receiver] write failed on "/srv/mirror/f": Input/output error (5)`,
		`the disk or its file system does not work, on the remote: write failed on "/srv/mirror/f": Input/output error (5)`, "dmesg"},
	{23, `rsync: opendir "/srv/mirror/d" failed: Stale NFS file handle (70)`,
		`the server of the file system knows it no longer: opendir "/srv/mirror/d" failed: Stale NFS file handle (70)`, "mount it again"},
	{23, `rsync: [sender] readdir("/home/u/ws/m"): Bad message (74)`,
		`the file system is damaged: readdir("/home/u/ws/m"): Bad message (74)`, "fsck"},
	{23, `rsync: [sender] opendir "/home/u/ws/m" failed: Stale file handle (116)`,
		`the server of the file system knows it no longer, on this machine: opendir "/home/u/ws/m" failed: Stale file handle (116)`, "mount it again"},
	{23, `rsync: [sender] readlink_stat("/home/u/ws/m") failed: Host is down (112)`,
		`the server of the file system does not answer, on this machine: readlink_stat("/home/u/ws/m") failed: Host is down (112)`, "bring it back"},
	{23, `skipping non-regular file "dev/x"`, `only root can make a device there: skipping non-regular file "dev/x"`, ""},
	{12, "", "the connection broke", ""},
	{77, "", "rsync failed with an unknown code", ""},
	{255, "Load key \"/k\": Permission denied\r\nu@h: Permission denied (publickey).\r\n", `Load key "/k": Permission denied`, "the key file must be readable"},
	{255, "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\nu@h: Permission denied (publickey,password).\n",
		"u@h: Permission denied (publickey,password).", "chmod 600 the key"},
	{255, "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\n",
		"Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures", "--identity-file"},
	{255, "Bad owner or permissions on /home/u/.ssh/config\n", "Bad owner or permissions on /home/u/.ssh/config", "chmod 600"},
	{127, "zsh:1: command not found: rsync\n", "there is no rsync on the remote: zsh:1: command not found: rsync", "install rsync"},
	{127, "fish: Unknown command: rsync\n", "there is no rsync on the remote: fish: Unknown command: rsync", "install rsync"},
	{127, "", "there is no rsync on the remote", "install rsync"},
	{12, "sudo: a password is required\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n",
		"sudo does not let rsync be run there: sudo: a password is required", "NOPASSWD"},
	{127, "sh: 1: sudo: not found\n", "there is no sudo on the remote: sh: 1: sudo: not found", "sudo=off"},
	{12, "sudo: sorry, you must have a tty to run sudo\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n",
		"sudo does not let rsync be run there without a terminal: sudo: sorry, you must have a tty to run sudo", "!requiretty"},
	{12, "Sorry, user deploy may not run sudo on web.\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n",
		"sudo does not let rsync be run there: Sorry, user deploy may not run sudo on web.", "NOPASSWD"},
	{127, "bash: line 1: /opt/rsync: No such file or directory\n", "there is no such rsync on the remote: bash: line 1: /opt/rsync: No such file or directory", "rsync-path"},
	{127, "sh: 1: /opt/rsync: not found\n", "there is no such rsync on the remote: sh: 1: /opt/rsync: not found", "rsync-path"},
	{127, "zsh:1: no such file or directory: /opt/rsync\n", "there is no such rsync on the remote: zsh:1: no such file or directory: /opt/rsync", "rsync-path"},
	{127, "fish: Unknown command: /opt/rsync\n", "there is no such rsync on the remote: fish: Unknown command: /opt/rsync", "rsync-path"},
	{4, "Unknown --usermap name on receiver: www\n", "the remote does not know the user: Unknown --usermap name on receiver: www", "set owner to a number"},
	{4, "Unknown --groupmap name on receiver: www\n", "the remote does not know the group: Unknown --groupmap name on receiver: www", "set group to a number"},
	{12, "/usr/bin/rrsync error: Another instance of rrsync is already accessing this directory.\n",
		"the remote lets one rsync in at a time, and another one is there: /usr/bin/rrsync error: Another instance of rrsync is already accessing this directory.", "-no-lock"},
	{12, "/usr/bin/rrsync error: sending to read-only server is not allowed\n",
		"the key may only read there: /usr/bin/rrsync error: sending to read-only server is not allowed", "take -ro from rrsync"},
	{12, "/usr/bin/rrsync error: option --delete-missing-args has been disabled on this server.\n",
		"the key may not delete there: /usr/bin/rrsync error: option --delete-missing-args has been disabled on this server.", "take -no-del from rrsync"},
	{12, "/usr/bin/rrsync error: option --backup-dir has been disabled on this server.\n",
		"the key may not overwrite there: /usr/bin/rrsync error: option --backup-dir has been disabled on this server.", "take -no-overwrite from rrsync"},
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, test := range wordsTests {
		message, hint := Words(test.code, ParseStderr(test.stderr, testSource, testDestination))
		if message != test.message {
			t.Errorf("%d, %q:\ngot  %s\nwant %s", test.code, test.stderr, message, test.message)
		}
		if !strings.Contains(hint, test.hint) || (hint == "") != (test.hint == "") {
			t.Errorf("%d, %q: hint %q, want %q", test.code, test.stderr, hint, test.hint)
		}
	}
	for _, k := range known { // and none is without a row
		if !slices.ContainsFunc(wordsTests, func(test wordsTest) bool { return k.text.MatchString(test.stderr) || anyLine(k.text, test.stderr) }) {
			t.Errorf("no row has %s", k.text.text)
		}
	}
}

func anyLine(text *expression, stderr string) bool {
	return slices.ContainsFunc(strings.Split(stderr, "\n"), text.MatchString)
}

// What may not be read or written is said with the path and the side, and never
// with advice about logins: the system has the same words for all of them.
func TestRights(t *testing.T) {
	t.Parallel()
	const reader, writer = "the user who runs the daemon must be able to read ", "the user who writes there must be able to "
	for _, test := range []struct{ message, hint string }{
		{`[sender] opendir "/home/u/ws/a" failed: Permission denied (13)`, reader + "/home/u/ws/a,"},
		{`[sender] send_files failed to open "/home/u/ws/f": Permission denied (13)`, reader + "/home/u/ws/f,"},
		{`[sender] readlink_stat("/home/u/ws/a/f") failed: Permission denied (13)`, reader + "/home/u/ws/a/f,"},
		{`[sender] change_dir "/home/u/ws" failed: Permission denied (13)`, reader + "/home/u/ws,"},
		{`send_files failed to open "/home/u/ws/f": Permission denied (13)`, reader + "/home/u/ws/f,"}, // rsync 3.1
		{`[receiver] mkstemp "/srv/mirror/d/.f.AbC123" failed: Permission denied (13)`, writer + "write into /srv/mirror/d,"},
		{`[Receiver] mkdir "/srv/mirror/" failed: Permission denied (13)`, writer + "write into /srv,"},
		{`[generator] recv_generator: mkdir "/srv/mirror/d/e" failed: Permission denied (13)`, writer + "write into /srv/mirror/d,"},
		{`[receiver] rename "/srv/mirror/.f.AbC123" -> "f": Permission denied (13)`, writer + "write into /srv/mirror,"},
		{`[generator] delete_file: unlink(d/f) failed: Permission denied (13)`, writer + "write into d,"},
		{`[generator] opendir "/srv/mirror/d" failed: Permission denied (13)`, writer + "read /srv/mirror/d,"},
		{`[receiver] mkstemp "d/.f.AbC123" (in mod) failed: Permission denied (13)`, writer + "write into d (in mod),"},
		{`[generator] failed to set permissions on "/srv/mirror/f": Operation not permitted (1)`, "/srv/mirror/f belongs to somebody else there"},
		{`[generator] failed to set times on "/srv/mirror/f": Operation not permitted (1)`, "/srv/mirror/f belongs to somebody else there"},
		{`[receiver] chgrp "/srv/mirror/f" failed: Operation not permitted (1)`, ""},
		{`[receiver] write failed on "/srv/mirror/f": Cannot allocate memory (12)`, ""},
	} {
		said, hint := PathWords(test.message)
		if !strings.HasPrefix(hint, test.hint) || (hint == "") != (test.hint == "") {
			t.Errorf("%s\nhint %q, want %q", test.message, hint, test.hint)
		}
		if said != withoutSide(test.message) || strings.Contains(said, "[") {
			t.Errorf("%s\nsays %q", test.message, said)
		}
		for _, code := range []int{3, 11, 23} {
			if _, other := Words(code, ParseStderr("rsync: "+test.message+"\n", testSource, testDestination)); other != hint {
				t.Errorf("%s\ncode %d has the hint %q", test.message, code, other)
			}
		}
	}
}

// A remote that has refused was reached, whatever rsync made of it.
func TestJudge(t *testing.T) {
	t.Parallel()
	const closed = "\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n"
	for _, test := range []struct {
		code   int
		stderr string
		want   Verdict
	}{
		{12, "", Unreachable},
		{12, closed, Unreachable},
		{12, "bash: line 1: rsync: command not found" + closed, Attention},
		{127, "bash: line 1: rsync: command not found" + closed, Attention},
		{12, "/usr/bin/rrsync error: option --delete has been disabled on this server." + closed, Attention},
		{12, "/usr/bin/rrsync error: Another instance of rrsync is already accessing this directory." + closed, Trouble},
		{255, "ssh: connect to host h port 22: Connection refused\n", Unreachable},
		{5, "@ERROR: max connections (3) reached -- try again later\n", Trouble},
		{5, "@ERROR: Unknown module 'none'\n", Attention},
		{23, "rsync: not found", Partial},
		{0, "rsync: not found", Done},
	} {
		if got := Judge(test.code, ParseStderr(test.stderr, testSource, testDestination)); got != test.want {
			t.Errorf("%d, %q: %v, expected %v", test.code, test.stderr, got, test.want)
		}
	}
}

// Whether anything like rsync has answered shows in what is missing.
func TestMute(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stderr string
		want   bool
	}{
		{"protocol version mismatch -- is your shell clean?\n(see the rsync manpage for an explanation)\nrsync error: protocol incompatibility (code 2) at compat.c(610) [sender=3.5.0]\n", true},
		{"rsync: connection unexpectedly closed (0 bytes received so far) [sender]\nrsync error: error in rsync protocol data stream (code 12) at io.c(232) [sender=3.5.0]\n", true},
		{"rsync: connection unexpectedly closed (3 bytes received so far) [sender]\n", true},
		{"rsync: connection unexpectedly closed (812 bytes received so far) [sender]\n", false},
		{"bash: line 1: rsync: command not found\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n", false},
		{"/usr/bin/rrsync error: invalid rsync-command syntax or options\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n", false},
		{"ssh: connect to host h port 22: Connection refused\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n", false},
		{"", false},
	} {
		if got := Mute(test.stderr); got != test.want {
			t.Errorf("%q: %v", test.stderr, got)
		}
	}
}
