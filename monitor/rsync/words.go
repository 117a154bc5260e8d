package rsync

import "strings"

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
				strings.Contains(line, "ssh:") || strings.Contains(line, "not found") || strings.Contains(line, "@ERROR") {
				said = line
				break
			}
		}
	case len(c.Failures) > 0:
		said = c.Failures[0].Message
	case len(c.Unattributed) > 0:
		said = c.Unattributed[0]
	}
	said = strings.TrimSpace(said)
	all := strings.Join(append(append([]string{said}, c.Unattributed...), c.Other...), "\n")
	for _, f := range c.Failures {
		all += "\n" + f.Message
	}
	means, hint := explain(all)
	if means != "" {
		meaning = means
	}
	switch {
	case said == "":
		return meaning, hint
	case code == 255 || strings.HasPrefix(said, "ssh:"):
		// ssh's own words say it best.
		return said, hint
	}
	return meaning + ": " + said, hint
}

// PathWords puts the message of a Failure into one sentence, and names a next
// step if there is one.
func PathWords(message string) (said, hint string) {
	means, hint := explain(message)
	if means == "" {
		return message, hint
	}
	return means + ": " + message, hint
}

// explain looks for what is known about a text.
func explain(text string) (means, hint string) {
	for _, k := range known {
		if strings.Contains(text, k.text) {
			return k.means, k.hint
		}
	}
	return "", ""
}

// known are texts of ssh, the system and rsync that have a better explanation
// or a next step. The first that is found counts.
var known = []struct{ text, means, hint string }{
	{"No space left on device", "the disk is full", "make room on the remote; wsync goes on by itself"},
	{"Disk quota exceeded", "the quota on the remote is used up", "make room on the remote; wsync goes on by itself"},
	{"Read-only file system", "the remote's file system is read-only", "mount it writable; wsync goes on by itself"},
	{"REMOTE HOST IDENTIFICATION HAS CHANGED", "", "if the host was set up anew, remove its old key with ssh-keygen -R"},
	{"Host key verification failed", "", "connect once by hand with ssh to check and accept the host's key"},
	{"Permission denied (", "", "check the user name and the key, or run ssh-add; ssh to the host must work without a question"},
	{"Could not resolve hostname", "", "check the host's name, or its entry in ~/.ssh/config"},
	{"Connection refused", "", "nothing listens there; wsync keeps trying"},
	{"rsync: command not found", "there is no rsync on the remote", "install rsync on the remote"},
	{"rsync: not found", "there is no rsync on the remote", "install rsync on the remote"},
	{"auth failed on module", "the rsync daemon refused the user or the password", "attach with --user and --password-file"},
	{"Unknown module", "the rsync daemon has no such module", "rsync HOST:: lists its modules"},
	{"module is read only", "the rsync daemon's module is read-only", "set read only = no for the module"},
	{"max connections", "the rsync daemon has no connection free", ""},
}
