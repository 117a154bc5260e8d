package rsync

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for _, test := range []struct {
		code    int
		stderr  string
		message string
		hint    string // a part of it; "" for none
	}{
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
		{5, "@ERROR: max connections (3) reached -- try again later\n",
			"the rsync daemon has no connection free: @ERROR: max connections (3) reached -- try again later", ""},
		{10, "rsync: [sender] failed to connect to h (10.0.0.1): Connection refused (111)\n",
			"the connection failed: failed to connect to h (10.0.0.1): Connection refused (111)", "nothing listens"},
		{12, "", "the connection broke", ""},
		{77, "", "rsync failed with an unknown code", ""},
	} {
		message, hint := Words(test.code, ParseStderr(test.stderr, testSource, testDestination))
		if message != test.message {
			t.Errorf("%d, %q:\ngot  %s\nwant %s", test.code, test.stderr, message, test.message)
		}
		if !strings.Contains(hint, test.hint) || (hint == "") != (test.hint == "") {
			t.Errorf("%d, %q: hint %q, want %q", test.code, test.stderr, hint, test.hint)
		}
	}
	for _, k := range known { // and none is forgotten
		if _, hint := Words(23, Complaints{Unattributed: []string{"x " + k.text + " y"}}); hint != k.hint {
			t.Errorf("%s: hint %q", k.text, hint)
		}
	}
}
