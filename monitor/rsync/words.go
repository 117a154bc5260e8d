package rsync

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Words puts the reason of a failed run into one sentence, preferring what ssh
// or the system said over what rsync made of it, and names a next step if
// there is one.
func Words(code int, c Complaints) (message, hint string) {
	_, meaning := Classify(code)
	said := lead(code, c)
	e, ssh := explainRun(code, c, said)
	switch {
	case e.line == "":
	case lastWord.MatchString(e.line) && len(c.Other) > 0:
		said = c.Other[0]
	default:
		said = e.line
	}
	said = strings.TrimSpace(withoutSide(said))
	switch {
	case e.means != "":
		meaning = e.means
	case said != "" && (ssh || code == codeSSH || strings.HasPrefix(said, "ssh:")):
		return said, e.hint // ssh's own words say it best
	}
	if said == "" {
		return meaning, e.hint
	}
	return meaning + ": " + said, e.hint
}

// explainRun is what is known of a failed run, of first before all else that was said. ssh:
// it was ssh that failed.
func explainRun(code int, c Complaints, first string) (e explained, ssh bool) {
	lines := slices.Concat([]string{first}, c.Unattributed, c.Other)
	for _, f := range c.Failures {
		lines = append(lines, f.Message)
	}
	if nothingCame(code, c) {
		if e = explainSSH(lines); e.line != "" {
			return e, true
		}
	}
	if e = explain(lines); e.line == "" {
		e.means, e.hint = unanswered(code, c)
	}
	return e, false
}

// lead is the line that says most, where none is known.
func lead(code int, c Complaints) string {
	switch {
	case !nothingCame(code, c) && len(c.Failures) > 0: // it has a path; what is in Other as well ended nothing
		return c.Failures[0].Message
	case len(c.Other) > 0:
		for _, line := range c.Other {
			// ssh's last word is often only that it closed the connection.
			if strings.Contains(line, "ermission denied") || strings.Contains(line, "verification failed") ||
				strings.Contains(line, "ssh:") || strings.Contains(line, "not found") || strings.Contains(line, "@ERROR") ||
				strings.Contains(line, "rrsync error: ") || strings.Contains(line, uncleanShell) {
				return line
			}
		}
		return c.Other[len(c.Other)-1]
	case len(c.Failures) > 0:
		return c.Failures[0].Message
	case len(c.Unattributed) > 0:
		return c.Unattributed[0]
	}
	return ""
}

// unanswered is what is known of a run by its exit code, though not by what was said.
func unanswered(code int, c Complaints) (means, hint string) {
	switch {
	case code == codeNotFound: // however the remote's shell says it
		return "", installRsync
	case code == codeNotRun:
		return "", "rsync on the remote must be a program that the user there may run"
	case slices.ContainsFunc(c.Other, func(line string) bool { return strings.Contains(line, uncleanShell) }):
		return "what answers on the remote is no rsync", quietShell
	}
	return "", ""
}

// PathWords puts the message of a Failure into one sentence, and names a next
// step if there is one.
func PathWords(message string) (said, hint string) {
	e := explain([]string{message})
	said = withoutSide(message)
	if e.means != "" && !strings.HasPrefix(said, e.means) { // as the words of a whole run are
		said = e.means + ": " + said
	}
	return said, e.hint
}

// The exit codes of ssh, of a shell that finds no program or cannot run it, and of a daemon that refuses.
const (
	codeSSH      = 255
	codeNotRun   = 126
	codeRefused  = 5
	codeNotFound = 127
)

// side begins a message of rsync's, since 3.2, with who says it.
var side = expressionOf(`^\[([a-zA-Z]+)(?:=[0-9.a-z]+)?\] `)

func withoutSide(message string) string { return side.ReplaceAllString(message, "") }

// Judge returns the verdict on a failed run, from its exit code and what was
// said: whether rsync gets hold of the exit code of the remote's shell, or only
// sees the connection end, is a matter of moments.
func Judge(code int, c Complaints) Verdict {
	verdict, _ := Classify(code)
	if verdict != Unreachable && code != codeRefused {
		return verdict
	}
	for _, k := range known {
		if k.verdict != Done && slices.ContainsFunc(c.Other, k.text.MatchString) {
			return k.verdict
		}
	}
	return verdict
}

// explained is what is known of a line, the zero value for nothing.
type explained struct{ line, means, hint string }

// explain looks for what is known about the first line, or else any other.
func explain(lines []string) explained {
	if e := search(known, lines); e.line != "" {
		return e
	}
	for _, line := range lines {
		if means, hint := rights(line); hint != "" {
			return explained{line, means, hint}
		}
	}
	return explained{}
}

// search finds the first of a table that is about any line.
func search(table []knownText, lines []string) explained {
	for _, k := range table {
		for _, line := range lines {
			if k.text.MatchString(line) {
				return explained{line, k.text.expand(k.means, line) + whose(line, k.means), k.text.expand(k.hint, line)}
			}
		}
	}
	return explained{}
}

// ailing are meanings that are about a file system of this machine or of the remote.
var ailing = []string{meansDead, meansStale, meansFaulty, meansDown, meansFiles, meansUsed, meansCircle}

const (
	meansDead   = "the file system that is mounted does not answer"
	meansStale  = "the server of the file system knows it no longer"
	meansFaulty = "the disk or its file system does not work"
	meansDown   = "the server of the file system does not answer"
	meansFiles  = "a process has too many files open"
	meansUsed   = "it is in use"
	meansCircle = "symbolic links lead in a circle"
)

// whose says on which side that is which a line means, if it is one of ailing and the
// line tells, as those of rsync do since 3.2.
func whose(line, means string) string {
	m := side.FindStringSubmatch(line)
	switch {
	case m == nil || !slices.Contains(ailing, means):
		return ""
	case m[1] == "sender":
		return ", on this machine"
	}
	return ", on the remote"
}

// The ends of rsync's messages about what may not be done: EACCES for lack of
// rights, EPERM for what only the owner or the superuser may do.
const (
	accessDenied = "Permission denied (13)"
	notPermitted = "Operation not permitted (1)"
)

var (
	// named is the path of a message, before " failed", for example, and a daemon's
	// module.
	named = expressionOf(`^[^"]*"(.*?)"( \(in [^)]*\))?(?:: |\)? failed| -> |$)`)
	// reads are what fails when the named path itself may not be read; all else
	// fails for the directory that it is in.
	reads = expressionOf(`(?:opendir|send_files failed to open|read errors mapping|change_dir|failed to open files-from)`)
	// owned is what only the owner of the named path may do.
	owned = expressionOf(`failed to set (?:times|permissions)|unlink|rmdir|rename|delete_file`)
	// calls is a path in parentheses instead of quotes.
	calls = expressionOf(`(?:unlink|rmdir|symlink|mknod|delete_file: [a-z]+)\((.*)\) failed`)
)

// rights explains a message about a path that may not be read or written. The
// system's word is the same for all of them, so that the side that says it and
// what it was doing tell what is lacking.
func rights(message string) (means, hint string) {
	denied, forbidden := strings.Contains(message, accessDenied), strings.Contains(message, notPermitted)
	if !denied && !forbidden {
		return "", ""
	}
	name, module := "", ""
	if m := named.FindStringSubmatch(message); m != nil {
		name, module = strings.TrimRight(m[1], "/"), m[2]
	} else if m := calls.FindStringSubmatch(message); m != nil {
		name = strings.TrimRight(m[1], "/")
	}
	if name == "" {
		return "", ""
	}
	m := side.FindStringSubmatch(message)
	local := m != nil && m[1] == "sender" || m == nil && strings.Contains(message, "send_files")
	switch {
	case forbidden:
		if local || !owned.MatchString(message) {
			return "", ""
		}
		return "", fmt.Sprintf("%s belongs to somebody else there: give it to the user who writes there", name+module)
	case local:
		return "", fmt.Sprintf("the user who runs the daemon must be able to read %s, and to enter the directories above it", name)
	case reads.MatchString(message):
		return "", fmt.Sprintf("the user who writes there must be able to read %s, and to enter the directories above it", name+module)
	}
	return "", fmt.Sprintf("the user who writes there must be able to write into %s, and to enter the directories above it", path.Dir(name)+module)
}

// uncleanShell is what rsync says of an answer that no rsync gives.
const uncleanShell = "is your shell clean?"

// mute are what rsync says when no rsync has answered: something else has, or
// nothing. Four bytes are those in which a version begins.
var mute = expressionOf(`is your shell clean\?|connection unexpectedly closed \([0-3] bytes received so far\)`)

// Mute reports whether a run failed because nothing on the remote answered as an
// rsync does, and nothing on standard error says why.
func Mute(stderr string) bool {
	if !mute.MatchString(stderr) || strings.Contains(stderr, "rrsync error: ") {
		return false
	}
	lines := strings.Split(stderr, "\n")
	return explainSSH(lines).line == "" && explain(lines).line == ""
}
