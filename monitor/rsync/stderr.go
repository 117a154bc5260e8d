package rsync

import (
	"slices"
	"strings"

	"wsync/monitor/dirty"
)

// Failure is a path that rsync could not bring in line.
type Failure struct {
	// Path is relative to the workspace; "" is the root.
	Path string
	// Message is rsync's line, for PathWords.
	Message string
	// Attribute: only mode, owner or times could not be set; the contents are
	// there.
	Attribute bool
	// Vanished: the path disappeared from the workspace meanwhile, or became
	// another kind of entry.
	Vanished bool
	// Here: it is the workspace that could not be read.
	Here bool
	// Reason is why it cannot succeed however often it is tried, "" if it may.
	Reason dirty.Reason
	// Guessed: nobody knows what the line means, but it names the path.
	Guessed bool
}

// Complaints is what rsync, and ssh below it, said on standard error.
type Complaints struct {
	// Failures are the paths that were named.
	Failures []Failure
	// Unattributed are error lines that name no path of the workspace. While
	// there is one, nothing is known about the paths that are not in Failures.
	// Unknown are those of them of which nobody knows what they mean.
	Unattributed, Unknown []string
	// Pinned are directories that could not be deleted because there is something
	// in them that rsync leaves alone.
	Pinned []string
	// Other are the remaining lines: ssh's words, and those of the remote's shell.
	Other []string
	// Summary is rsync's last line.
	Summary string
	// DeletionsSkipped: after a read error rsync deleted nothing.
	// DeletionsHeld: --max-delete stopped deletions.
	DeletionsSkipped, DeletionsHeld bool
	// MissingDestination: a run, which may have been a dry one, found no
	// destination. That is rsync's word only: others say "No such file or
	// directory" of much else.
	MissingDestination bool
}

// DiskFull reports whether there was no room on the remote.
func (c Complaints) DiskFull() bool {
	return c.contain("No space left on device") || c.contain("Disk quota exceeded")
}

// NamesPaths reports whether paths failed, by lines that are known.
func (c Complaints) NamesPaths() bool {
	return slices.ContainsFunc(c.Failures, func(f Failure) bool { return !f.Guessed && !f.Vanished })
}

// Join returns what both have said.
func (c Complaints) Join(other Complaints) Complaints {
	if c.Summary == "" {
		c.Summary = other.Summary
	}
	return Complaints{
		Failures:           slices.Concat(c.Failures, other.Failures),
		Unattributed:       slices.Concat(c.Unattributed, other.Unattributed),
		Unknown:            slices.Concat(c.Unknown, other.Unknown),
		Pinned:             slices.Concat(c.Pinned, other.Pinned),
		Other:              slices.Concat(c.Other, other.Other),
		Summary:            c.Summary,
		DeletionsSkipped:   c.DeletionsSkipped || other.DeletionsSkipped,
		DeletionsHeld:      c.DeletionsHeld || other.DeletionsHeld,
		MissingDestination: c.MissingDestination || other.MissingDestination,
	}
}

// contain reports whether text is in any line.
func (c Complaints) contain(text string) bool {
	for _, f := range c.Failures {
		if strings.Contains(f.Message, text) {
			return true
		}
	}
	for _, lines := range [][]string{c.Unattributed, c.Other} {
		for _, line := range lines {
			if strings.Contains(line, text) {
				return true
			}
		}
	}
	return false
}

var (
	attribute  = expressionOf(`failed to set (?:times|permissions|attributes|mode)|(?:chown|chgrp|lchown|chmod|utimens?) "`)
	vanished   = expressionOf(`^(?:file|directory) has vanished: |\[sender\].*: (?:No such file or directory \(2\)|Not a directory \(20\)|Is a directory \(21\))`)
	noTarget   = expressionOf(`^rsync: (?:\[(?:Receiver|receiver|generator)[^\]]*\] )?(?:mkdir|change_dir(?:#\d)?) "(.*)"(?: \(in [^)]*\))? failed: No such file or directory`)
	openTarget = expressionOf(`: error: (?:[a-z]+: )?(.*?)(?:: [a-z]+)?: No such file or directory$`) // openrsync's words, behind its name or a line of its source
	who        = expressionOf(`^(?:rsync: )?(?:\[(sender|receiver|Receiver|generator|client|server)(?:=[0-9.a-z]+)?\] )?`)
)

// ParseStderr reads rsync's standard error. source is the absolute path of the
// workspace, destination the remote's directory as in config.Remote, for a
// daemon "module/path". Where a line may be about several paths, those count
// that exist in the workspace.
func ParseStderr(stderr, source, destination string) Complaints {
	var c Complaints
	for line := range strings.SplitSeq(stderr, "\n") {
		line = strings.TrimRight(line, "\r")
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "Warning: Permanently added"):
		case strings.HasPrefix(line, deletionsSkipped):
			c.DeletionsSkipped = true
		case strings.HasPrefix(line, "Deletions stopped due to --max-delete"):
			c.DeletionsHeld = true
		case strings.HasPrefix(line, "rsync error: ") || strings.HasPrefix(line, "rsync warning: "):
			c.Summary = line
		case c.takeOpen(line, source, destination):
		case !c.take(line, source, destination):
			c.Other = append(c.Other, line)
		}
	}
	return c
}

// take takes in a line of rsync's; ok is false if it is none.
func (c *Complaints) take(line, source, destination string) (ok bool) {
	said, words := who.ReplaceAllString(line, ""), strings.TrimPrefix(line, "rsync: ") // with who says it, for Words
	m, rest := find(said)
	var found paths
	switch {
	case m == nil && strings.HasPrefix(line, "WARNING: "), m != nil && m.about == harmless:
		// rsync tries again by itself, and complains with ERROR in the end.
		return true
	case m == nil && !hasAnyPrefix(line, prefixes) && said == line:
		return false
	case m == nil:
		found = guess(said, source, destination)
		m = &message{attribute: attribute.MatchString(line)}
	default:
		found = likely(m.paths(line, rest, source, destination), source)
	}
	if t := noTarget.FindStringSubmatch(line); t != nil && unescape(t[1]) != source && (len(found) == 0 || found[0] == "") {
		c.MissingDestination = true
	}
	switch {
	case m.pins:
		c.Pinned = append(c.Pinned, found...)
		return true
	case len(found) == 0 || m.about == aboutAll:
		c.Unattributed = append(c.Unattributed, words)
		if m.text == "" {
			c.Unknown = append(c.Unknown, words)
		}
		return true
	}
	reason := m.reason
	if reason == "" {
		reason = reasonOf(line, m.attribute)
	}
	for _, p := range found {
		c.Failures = append(c.Failures, Failure{
			Path: p, Message: words, Attribute: m.attribute, Vanished: vanished.MatchString(line), Reason: reason, Guessed: m.text == "",
			Here: strings.HasPrefix(line, "rsync: [sender"),
		})
	}
	return true
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
