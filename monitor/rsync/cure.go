package rsync

import (
	"slices"

	"wsync/monitor/dirty"
)

// cures is the one table of what it takes for a failure to be over, by what was said; the
// first that is found counts. What is not in it is over by itself: a network, or a
// server, that is away comes back. After an exit code of which the verdict is Attention
// nothing but a person helps.
var cures = []struct {
	text *expression
	cure dirty.Cure
}{
	{literal("rrsync error: Another instance of rrsync is already accessing"), dirty.ByTime},
	{literal("max connections"), dirty.ByTime},

	// Room, and disks.
	{literal("No space left on device"), dirty.IfLasting},
	{literal("Disk quota exceeded"), dirty.IfLasting},
	{literal("Input/output error"), dirty.IfLasting},
	{literal("Read-only file system"), dirty.ByPerson},
	{literal("Transport endpoint is not connected"), dirty.ByPerson},
	{expressionOf(`Stale (?:NFS )?file handle`), dirty.ByPerson},
	{expressionOf(`(?:Bad message|Structure needs cleaning) \(\d+\)`), dirty.ByPerson},

	// Logins.
	{literal("REMOTE HOST IDENTIFICATION HAS CHANGED"), dirty.ByPerson},
	{literal("Host key verification failed"), dirty.ByPerson},
	{literal("UNPROTECTED PRIVATE KEY FILE"), dirty.ByPerson},
	{literal("Too many authentication failures"), dirty.ByPerson},
	{literal("Bad owner or permissions on "), dirty.ByPerson},
	{literal("Bad configuration option"), dirty.ByPerson},
	{expressionOf(`^Unable to negotiate with `), dirty.ByPerson},
	{expressionOf(`: Permission denied \([a-z]`), dirty.ByPerson},
	{accountClosed, dirty.ByPerson},
	{passwordExpired, dirty.ByPerson},

	// What may not be done, here or there. What is here may be gone a moment later.
	{expressionOf(`^\[sender\] .*: Permission denied \(13\)|^cannot read the directory: permission denied`), dirty.IfLasting},
	{literal(accessDenied), dirty.ByPerson},
	{literal(notPermitted), dirty.ByPerson},
	{expressionOf(`^rrsync error: `), dirty.ByPerson},
	{expressionOf(`^sudo: `), dirty.ByPerson},
	{expressionOf(`^the remote has a directory in its place`), dirty.ByPerson},
	{expressionOf(`^Unknown --(?:user|group)map name on receiver`), dirty.ByPerson},
}

// CureOf returns what it takes for the failure of a run to be over, from the verdict on it
// and from what was said.
func CureOf(verdict Verdict, c Complaints) dirty.Cure {
	lines := slices.Concat(c.Unattributed, c.Other)
	for _, f := range c.Failures {
		lines = append(lines, f.Message)
	}
	if cure, known := cureIn(lines); known {
		return cure
	}
	if verdict == Attention {
		return dirty.ByPerson
	}
	return dirty.ByTime
}

// PathCure returns the same for the message of a Failure.
func PathCure(message string) dirty.Cure {
	cure, _ := cureIn([]string{message})
	return cure
}

func cureIn(lines []string) (cure dirty.Cure, known bool) {
	for _, c := range cures {
		if slices.ContainsFunc(lines, c.text.MatchString) {
			return c.cure, true
		}
	}
	return dirty.ByTime, false
}
