package rsync

import (
	"slices"
	"strings"
	"testing"
)

// elsewhere are words of a hint that send to the other side.
var elsewhere = map[string]*expression{
	here:  expressionOf(`on the remote|rsyncd\.conf|who writes there`),
	there: expressionOf(`who runs the daemon must|--identity-file|^chmod`),
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, test := range failureTests {
		message, hint := Words(test.code, ParseStderr(test.stderr, testSource, testDestination))
		if message != test.message {
			t.Errorf("%d, %q:\ngot  %s\nwant %s", test.code, test.stderr, message, test.message)
		}
		if !strings.Contains(hint, test.hint) || (hint == "") != (test.hint == "") {
			t.Errorf("%d, %q: hint %q, want %q", test.code, test.stderr, hint, test.hint)
		}
		if other := elsewhere[test.side]; other != nil && other.MatchString(hint) {
			t.Errorf("%d, %q: it is %s, and the hint is %q", test.code, test.stderr, test.side, hint)
		}
	}
	for _, k := range slices.Concat(known, ofSSH, ofKeys) { // and none is without a row
		if !slices.ContainsFunc(failureTests, func(test failureTest) bool { return k.text.MatchString(test.stderr) || anyLine(k.text, test.stderr) }) {
			t.Errorf("no row has %s", k.text.text)
		}
	}
	for code := range verdicts { // nor an exit code
		if code != 0 && !slices.ContainsFunc(failureTests, func(test failureTest) bool { return test.code == code }) {
			t.Errorf("no row has exit code %d", code)
		}
	}
}

func anyLine(text *expression, stderr string) bool {
	return slices.ContainsFunc(strings.Split(stderr, "\n"), func(line string) bool {
		return text.MatchString(strings.TrimPrefix(strings.TrimSuffix(line, "\r"), "rsync: "))
	})
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
		{"Warning: Identity file /k not accessible: No such file or directory.\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n", true},
		{"ssh: connect to host h port 22: Connection refused\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\n", false},
		{"", false},
	} {
		if got := Mute(test.stderr); got != test.want {
			t.Errorf("%q: %v", test.stderr, got)
		}
	}
}

// A full pass that failed has the words of its run, which are not explained twice.
func TestWordsOfARun(t *testing.T) {
	t.Parallel()
	run, hint := Words(11, ParseStderr("rsync: [receiver] write failed on \"/srv/mirror/big\": No space left on device (28)\n", testSource, testDestination))
	if said, again := PathWords(run); said != run || again != hint {
		t.Errorf("%q, %q; for the run %q, %q", said, again, run, hint)
	}
}
