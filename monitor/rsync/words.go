package rsync

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Words puts the reason of a failed run into one sentence, preferring what ssh
// or the system said over what rsync made of it, and names a next step if
// there is one.
func Words(code int, c Complaints) (message, hint string) {
	_, meaning := Classify(code)
	var said string
	switch {
	case len(c.Other) > 0:
		said = c.Other[len(c.Other)-1]
		for _, line := range c.Other {
			// ssh's last word is often only that it closed the connection.
			if strings.Contains(line, "ermission denied") || strings.Contains(line, "verification failed") ||
				strings.Contains(line, "ssh:") || strings.Contains(line, "not found") || strings.Contains(line, "@ERROR") ||
				strings.Contains(line, "rrsync error: ") {
				said = line
				break
			}
		}
	case len(c.Failures) > 0:
		said = c.Failures[0].Message
	case len(c.Unattributed) > 0:
		said = c.Unattributed[0]
	}
	lines := append(append([]string{said}, c.Unattributed...), c.Other...)
	for _, f := range c.Failures {
		lines = append(lines, f.Message)
	}
	said = strings.TrimSpace(withoutSide(said))
	means, hint := explain(lines)
	if means == "" && hint == "" && code == codeNotFound {
		hint = installRsync // however the remote's shell says it
	}
	if means != "" {
		meaning = means
	}
	switch {
	case said == "":
		return meaning, hint
	case code == codeSSH || strings.HasPrefix(said, "ssh:"):
		// ssh's own words say it best.
		return said, hint
	}
	return meaning + ": " + said, hint
}

// PathWords puts the message of a Failure into one sentence, and names a next
// step if there is one.
func PathWords(message string) (said, hint string) {
	means, hint := explain([]string{message})
	said = withoutSide(message)
	if means != "" {
		said = means + ": " + said
	}
	return said, hint
}

// The exit codes of ssh, of a shell that finds no program, and of a daemon that refuses.
const (
	codeSSH      = 255
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

// explain looks for what is known about the first line, or else any other.
func explain(lines []string) (means, hint string) {
	for _, k := range known {
		for _, line := range lines {
			if k.text.MatchString(line) {
				return k.means + whose(line, k.means), k.hint
			}
		}
	}
	for _, line := range lines {
		if means, hint := rights(line); hint != "" {
			return means, hint
		}
	}
	return "", ""
}

// ailing are meanings that are about a file system of this machine or of the remote.
var ailing = []string{meansDead, meansStale, meansFaulty, meansDown}

const (
	meansDead   = "the file system that is mounted does not answer"
	meansStale  = "the server of the file system knows it no longer"
	meansFaulty = "the disk or its file system does not work"
	meansDown   = "the server of the file system does not answer"
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

const (
	makeRoom     = "make room on the remote; wsync goes on by itself"
	installRsync = "install rsync on the remote"
)

// knownText is a text of which something is known.
type knownText struct {
	text        *expression
	means, hint string
	// verdict replaces that on an exit code which only says that the connection
	// broke, or that the daemon refused: the remote was reached. Done for none.
	verdict Verdict
}

// known are texts of ssh, the system and rsync that have a better explanation
// or a next step. The first that is found counts. What is said of a path that may
// not be read or written is not among them, see rights.
var known = []knownText{
	{literal("No space left on device"), "the disk is full", makeRoom, Done},
	{literal("Disk quota exceeded"), "the quota on the remote is used up", makeRoom, Done},
	{literal("Read-only file system"), "the remote's file system is read-only", "mount it writable; wsync goes on by itself", Done},
	{expressionOf(`^skipping non-regular file `), "only root can make a device there", "", Done},
	{literal("Transport endpoint is not connected"), meansDead, "mount it again; wsync goes on by itself", Done},
	{expressionOf(`Stale (?:NFS )?file handle`), meansStale, "mount it again; wsync goes on by itself", Done},
	{literal("Input/output error"), meansFaulty, "the kernel's log (dmesg) says why; wsync goes on by itself", Done},
	{expressionOf(`(?:Bad message|Structure needs cleaning) \(\d+\)`), "the file system is damaged", "check it with fsck; wsync goes on by itself", Done},
	{literal("Host is down"), meansDown, "bring it back; wsync goes on by itself", Done},
	{literal("REMOTE HOST IDENTIFICATION HAS CHANGED"), "", "if the host was set up anew, remove its old key with ssh-keygen -R", Done},
	{literal("Host key verification failed"), "", "connect once by hand with ssh to check and accept the host's key", Done},
	{literal("UNPROTECTED PRIVATE KEY FILE"), "", "chmod 600 the key file: ssh uses none that others may read", Done},
	{expressionOf(`^Load key ".*": Permission denied`), "", "the key file must be readable for the user who runs the daemon", Done},
	// The names of the ways to log in, where a system's error has its number.
	{expressionOf(`Permission denied \([a-z]`), "", "check the user name and the key, or run ssh-add; ssh to the host must work without a question", Done},
	{literal("Too many authentication failures"), "", "the agent offers many keys before the right one: name it with --identity-file, or with IdentitiesOnly in ~/.ssh/config", Done},
	{literal("Bad owner or permissions on "), "", "chmod 600 that file, which nobody else may write", Done},
	{literal("Could not resolve hostname"), "", "check the host's name, or its entry in ~/.ssh/config", Done},
	{literal("Connection refused"), "", "nothing listens there", Done},
	{expressionOf(`^(?:\S*sh: )?(?:line )?(?:\d+: )?/\S*rsync\S*: (?:No such file or directory|(?:[Cc]ommand )?not found)\.?$|^\S*sh:(?:\d+:)? no such file or directory: /\S*rsync|Unknown command: '?/\S*rsync`), "there is no such rsync on the remote", "install it there, or set rsync-path to where it is", Attention},
	{expressionOf(`(?:rsync: (?:command )?not found|command not found: rsync|Unknown command: '?rsync)`), "there is no rsync on the remote", installRsync, Attention},
	{literal("rrsync error: Another instance of rrsync is already accessing"), "the remote lets one rsync in at a time, and another one is there", "rrsync -no-lock lets several in", Trouble},
	{expressionOf(`rrsync error: sending to read-only server`), "the key may only read there", "take -ro from rrsync in the remote's authorized_keys", Attention},
	{expressionOf(`rrsync error: option --(?:delete|remove)\S* has been disabled`), "the key may not delete there", "take -no-del from rrsync in the remote's authorized_keys: a mirror has to delete", Attention},
	{expressionOf(`rrsync error: option (?:-b|--backup-dir|--delay-updates) has been disabled`), "the key may not overwrite there", "take -no-overwrite from rrsync in the remote's authorized_keys", Attention},
	{expressionOf(`^Unknown --usermap name on receiver`), "the remote does not know the user", "make the user there, or set owner to a number: an rsync daemon that uses chroot knows no names", Done},
	{expressionOf(`^Unknown --groupmap name on receiver`), "the remote does not know the group", "make the group there, or set group to a number: an rsync daemon that uses chroot knows no names", Done},
	{expressionOf(`sudo: command not found|sudo: not found|command not found: sudo|Unknown command: '?sudo`), "there is no sudo on the remote", "set sudo=off, or install sudo there", Attention},
	{literal("you must have a tty to run sudo"), "sudo does not let rsync be run there without a terminal", "take requiretty away for the user in sudoers(5) there, such as: Defaults:deploy !requiretty", Attention},
	{expressionOf(`^sudo: |^Sorry, user \S+ (?:is not allowed to execute|may not run sudo)|is not in the sudoers file`), "sudo does not let rsync be run there", "the user needs a line in sudoers(5) there, such as: deploy ALL=(root) NOPASSWD: /usr/bin/rsync", Attention},
	{literal("auth failed on module"), "the rsync daemon refused the user or the password", "attach with --user and --password-file", Done},
	{literal("Unknown module"), "the rsync daemon has no such module", "rsync HOST:: lists its modules", Done},
	{literal("module is read only"), "the rsync daemon's module is read-only", "set read only = no for the module", Done},
	{expressionOf(`^@ERROR: access denied to `), "the rsync daemon does not let this machine in", "see hosts allow and hosts deny of the module in rsyncd.conf there", Done},
	{literal("@ERROR: chroot failed"), "the rsync daemon cannot enter the module's directory", "make the directory that path names in rsyncd.conf there; use chroot = yes needs a daemon that runs as root", Done},
	{expressionOf(`^@ERROR: chdir failed`), "the rsync daemon cannot enter the module's directory", "make the directory that path names in rsyncd.conf there, which the module's uid must be able to enter", Done},
	{literal("max connections"), "the rsync daemon has no connection free", "", Trouble},
}

func literal(text string) *expression { return expressionOf(regexp.QuoteMeta(text)) }

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

// mute are what rsync says when no rsync has answered: something else has, or
// nothing. Four bytes are those in which a version begins.
var mute = expressionOf(`is your shell clean\?|connection unexpectedly closed \([0-3] bytes received so far\)`)

// Mute reports whether a run failed because nothing on the remote answered as an
// rsync does, and nothing on standard error says why.
func Mute(stderr string) bool {
	if !mute.MatchString(stderr) || strings.Contains(stderr, "rrsync error: ") {
		return false
	}
	means, hint := explain(strings.Split(stderr, "\n"))
	return means == "" && hint == ""
}
