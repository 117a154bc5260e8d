package rsync

import (
	"testing"

	"wsync/monitor/dirty"
)

// The kinds of failures, as ssh, rsync and rsync daemons say them.
func TestCureOf(t *testing.T) {
	t.Parallel()
	const closed = "\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n"
	for _, test := range []struct {
		code   int
		stderr string
		want   dirty.Cure
	}{
		{255, "ssh: connect to host h port 22: Connection refused\n", dirty.ByTime},
		{255, "ssh: connect to host h port 22: Network is unreachable\n", dirty.ByTime},
		{255, "ssh: connect to host h port 22: Connection timed out\n", dirty.ByTime},
		{255, "ssh: Could not resolve hostname h: Temporary failure in name resolution\n", dirty.ByTime},
		{255, "kex_exchange_identification: Connection closed by remote host\n", dirty.ByTime},
		{10, "rsync: [sender] failed to connect to h (10.0.0.1): Connection refused (111)\n", dirty.ByTime},
		{30, "", dirty.ByTime},
		{5, "@ERROR: max connections (3) reached -- try again later\n", dirty.ByTime},
		{12, "/usr/bin/rrsync error: Another instance of rrsync is already accessing this directory." + closed, dirty.ByTime},
		{77, "", dirty.ByTime},

		{11, "rsync: [receiver] write failed on \"/srv/mirror/big\": No space left on device (28)\n", dirty.IfLasting},
		{23, "rsync: [receiver] mkstemp \"/srv/mirror/.x.aaaaaa\" failed: Disk quota exceeded (122)\n", dirty.IfLasting},
		{23, "rsync: [sender] send_files failed to open \"/home/u/ws/a\": Permission denied (13)\n", dirty.IfLasting},
		{23, "rsync: [sender] readdir(\"/home/u/ws/m\"): Input/output error (5)\n", dirty.IfLasting},

		{255, "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.\n", dirty.ByPerson},
		{255, "No ED25519 host key is known for h and you have requested strict checking.\nHost key verification failed.\n", dirty.ByPerson},
		{255, "u@h: Permission denied (publickey).\n", dirty.ByPerson},
		{255, "u@h: Permission denied (publickey,password).\n", dirty.ByPerson},
		{255, "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\n", dirty.ByPerson},
		{255, "Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-rsa\n", dirty.ByPerson},
		{255, "Bad owner or permissions on /home/u/.ssh/config\n", dirty.ByPerson},
		{255, "Your account has expired; please contact your system administrator.\nConnection closed by 127.0.0.1 port 22\n", dirty.ByPerson},
		{12, "WARNING: Your password has expired.\nPassword change required but no TTY available." + closed, dirty.ByPerson},
		{4, "rsync: The server is configured to refuse --delete\n", dirty.ByPerson},
		{5, "@ERROR: auth failed on module mod\n", dirty.ByPerson},
		{5, "@ERROR: Unknown module 'none'\n", dirty.ByPerson},
		{1, "ERROR: module is read only\n", dirty.ByPerson},
		{127, "sh: 1: rsync: not found\n", dirty.ByPerson},
		{12, "bash: line 1: rsync: command not found" + closed, dirty.ByPerson},
		{12, "/usr/bin/rrsync error: option --delete has been disabled on this server." + closed, dirty.ByPerson},
		{12, "sudo: a password is required" + closed, dirty.ByPerson},
		{23, "rsync: [receiver] mkstemp \"/srv/mirror/.x.zls0SY\" failed: Read-only file system (30)\n", dirty.ByPerson},
		{23, "rsync: [receiver] mkstemp \"/srv/mirror/.x.zls0SY\" failed: Permission denied (13)\n", dirty.ByPerson},
		{23, "rsync: [generator] failed to set times on \"/x/sub\" (in a): Operation not permitted (1)\n", dirty.ByPerson},
	} {
		said := ParseStderr(test.stderr, testSource, testDestination)
		if got := CureOf(Judge(test.code, said), said); got != test.want {
			t.Errorf("%d, %q: %v, expected %v", test.code, test.stderr, got, test.want)
		}
		for _, f := range said.Failures {
			if got := PathCure(f.Message); got != test.want {
				t.Errorf("%q: %v for the path, expected %v", f.Message, got, test.want)
			}
		}
	}
}
