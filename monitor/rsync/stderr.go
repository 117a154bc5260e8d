package rsync

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	// Reason is why it cannot succeed however often it is tried, "" if it may.
	Reason dirty.Reason
}

// Complaints is what rsync, and ssh below it, said on standard error.
type Complaints struct {
	// Failures are the paths that were named.
	Failures []Failure
	// Unattributed are error lines that name no path of the workspace. While
	// there is one, nothing is known about the paths that are not in Failures.
	Unattributed []string
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

// DiskFull tells that there was no room on the remote.
func (c Complaints) DiskFull() bool {
	return c.contain("No space left on device") || c.contain("Disk quota exceeded")
}

// contain tells that text is in any line.
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
	calledPath = regexp.MustCompile(`(?:unlink|rmdir|symlink|mknod)\((.*)\) failed`)
	pathEnd    = regexp.MustCompile(`"(?:\)? failed|: | \(in |, |$)`)
	linkedEnd  = regexp.MustCompile(`"(?: \(in [^)]*\))? -> "`)
	linking    = regexp.MustCompile(`(?:^|\] |: )(?:symlink|rename|link|copyfile|copy) "`)
	inModule   = regexp.MustCompile(`^ \(in ([^)]*)\)`)
	tempName   = regexp.MustCompile(`(?s)^\.(.+)\.[A-Za-z0-9]{6}$`)
	escaped    = regexp.MustCompile(`\\#([0-7]{3})`)
	attribute  = regexp.MustCompile(`failed to set (?:times|permissions|attributes|mode)|(?:chown|chgrp|lchown|chmod|utimens?) "`)
	vanished   = regexp.MustCompile(`^(?:file|directory) has vanished: |\[sender\].*: (?:No such file or directory \(2\)|Not a directory \(20\)|Is a directory \(21\))`)
	noTarget   = regexp.MustCompile(`^rsync: (?:\[(?:Receiver|receiver|generator)[^\]]*\] )?(?:mkdir|change_dir(?:#\d)?) "(.*)"(?: \(in [^)]*\))? failed: No such file or directory`)
	openTarget = regexp.MustCompile(`: error: (?:[a-z]+: )?(.*?)(?:: [a-z]+)?: No such file or directory$`) // openrsync's words, behind its name or a line of its source
	forbidden  = regexp.MustCompile(`^daemon refused to receive (?:file|directory) "(.*)"$`)
	who        = regexp.MustCompile(`^rsync: (?:\[([a-zA-Z]+)(?:=[0-9.a-z]+)?\] )?`)
)

// ignored are lines that follow another one or say nothing about a path.
var ignored = []string{
	"*** Skipping any contents",
	"Warning: Permanently added",
}

// ParseStderr reads rsync's standard error. source is the absolute path of the
// workspace, destination the remote's directory as in config.Remote, for a
// daemon "module/path". Where a line may be about several paths, those count
// that exist in the workspace.
func ParseStderr(stderr, source, destination string) Complaints {
	var c Complaints
	for line := range strings.SplitSeq(stderr, "\n") {
		line = strings.TrimRight(line, "\r")
		switch {
		case strings.HasPrefix(line, deletionsSkipped):
			c.DeletionsSkipped = true
		case strings.HasPrefix(line, "Deletions stopped due to --max-delete"):
			c.DeletionsHeld = true
		case strings.TrimSpace(line) == "" || hasAnyPrefix(line, ignored):
		case strings.HasPrefix(line, "rsync error: ") || strings.HasPrefix(line, "rsync warning: "):
			c.Summary = line
		case strings.HasPrefix(line, "rsync: "), strings.HasPrefix(line, "file has vanished: "), strings.HasPrefix(line, "directory has vanished: "),
			strings.HasPrefix(line, "ERROR: "), strings.HasPrefix(line, "cannot delete non-empty directory: "),
			strings.HasPrefix(line, "could not make way for "), strings.HasPrefix(line, "skipping non-regular file "):
			message := strings.TrimPrefix(line, "rsync: ") // with who says it, for Words
			paths := likely(pathsOf(line, source, destination), source)
			if m := noTarget.FindStringSubmatch(line); m != nil && unescape(m[1]) != source && (len(paths) == 0 || slices.Contains(paths, "")) {
				c.MissingDestination = true
			}
			if len(paths) == 0 {
				c.Unattributed = append(c.Unattributed, message)
			}
			for _, p := range paths {
				c.Failures = append(c.Failures, Failure{
					Path:      p,
					Message:   message,
					Attribute: attribute.MatchString(line),
					Vanished:  vanished.MatchString(line),
					Reason:    reasonOf(line, attribute.MatchString(line)),
				})
			}
		case strings.HasPrefix(line, "WARNING: "):
			// rsync tries again by itself, and complains with ERROR in the end.
		default:
			if m := openTarget.FindStringSubmatch(line); m != nil && strings.TrimRight(m[1], "/") == strings.TrimRight(destination, "/") {
				c.MissingDestination = true
			}
			c.Other = append(c.Other, line)
		}
	}
	return c
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// pathsOf finds the path that a line is about. Where a name makes it ambiguous,
// it returns all that may be meant: to try one path too many is no harm, to take
// a path that failed for clean is.
func pathsOf(line, source, destination string) []string {
	var found paths
	if name, ok := strings.CutPrefix(line, "cannot delete non-empty directory: "); ok {
		found.add(unescape(name))
		return found
	}
	if rest, ok := strings.CutPrefix(line, "could not make way for "); ok {
		_, name, _ := strings.Cut(rest, ": ") // after "new regular file", for example
		found.add(unescape(name))
		return found
	}
	if rest, ok := strings.CutPrefix(line, "ERROR: "); ok {
		if end := strings.LastIndex(rest, " failed verification"); end >= 0 {
			found.add(unescape(rest[:end]))
		} else if m := forbidden.FindStringSubmatch(rest); m != nil {
			found.add(unescape(m[1]))
		}
		return found
	}
	roots := rootsOf(line, source, destination)
	if m := calledPath.FindStringSubmatch(line); m != nil {
		name := unescape(m[1])
		if strings.HasPrefix(name, "/") {
			found.below(name, roots)
		} else {
			found.add(name)
		}
		return found
	}
	_, quoted, ok := strings.Cut(line, `"`)
	if !ok {
		return nil
	}
	end := pathEnd
	if linking.MatchString(line) {
		end = linkedEnd
	}
	for _, m := range end.FindAllStringIndex(quoted, -1) {
		name, under := unescape(quoted[:m[0]]), roots
		if module := inModule.FindStringSubmatch(quoted[m[0]+1:]); module != nil {
			// A daemon's paths begin at its module.
			name = "/" + module[1] + "/" + strings.TrimLeft(name, "/")
			under = []string{"/" + strings.TrimLeft(destination, "/")}
		}
		found.addWritten(name, under, line)
	}
	return found
}

// likely returns those of several paths that exist in the workspace, or all if
// none does.
func likely(found []string, source string) []string {
	if len(found) < 2 {
		return found
	}
	var existing []string
	for _, p := range found {
		if _, err := os.Lstat(filepath.Join(source, p)); err == nil {
			existing = append(existing, p)
		}
	}
	if len(existing) == 0 {
		return found
	}
	return existing
}

// rootsOf are the directories below which the path of a line is: that of the
// side that speaks, if it says which, as rsync does since 3.2.
func rootsOf(line, source, destination string) []string {
	if m := who.FindStringSubmatch(line); m != nil {
		switch m[1] {
		case "sender":
			return []string{source}
		case "receiver", "Receiver", "generator":
			return []string{destination}
		}
	}
	return []string{source, destination}
}

// cutName is the length in bytes from which on a name may be too long for that
// of rsync's temporary file, which adds 8 bytes. A name is cut between
// characters, of up to 6 bytes.
const cutName = 255 - 8 - 1 - 6

// paths are paths relative to the workspace, each once.
type paths []string

// addWritten adds what name, from line, is below each of roots. In the lines of
// a receiver it may be a temporary file.
func (ps *paths) addWritten(name string, roots []string, line string) {
	dir, base := path.Split(name)
	var temp []string
	if strings.Contains(line, "mkstemp ") || strings.Contains(line, "rename ") || strings.Contains(line, "[receiver") {
		temp = tempName.FindStringSubmatch(base)
	}
	switch {
	case temp == nil:
		ps.below(name, roots)
	case len(temp[1]) < cutName && strings.Trim(temp[1], ".") != "":
		ps.below(dir+temp[1], roots)
		ps.below(dir+"."+temp[1], roots) // its own dot is not doubled
	default:
		// The end of the name may be cut off, or dots of it: any in the directory
		// may be meant.
		var directories paths
		directories.below(dir, roots)
		for _, p := range directories {
			if p != "" {
				ps.add(p)
			}
		}
	}
}

// below adds what name is below each of roots. A destination relative to the
// login directory is found wherever it stands.
func (ps *paths) below(name string, roots []string) {
	for _, root := range roots {
		root = strings.TrimRight(root, "/")
		if strings.HasPrefix(root, "/") {
			ps.addBelow(name, root)
			continue
		}
		for i := 1; root != "" && i < len(name); i++ {
			if name[i-1] == '/' {
				ps.addBelow(name[i:], root)
			}
		}
	}
}

// addBelow adds what is left of name without root.
func (ps *paths) addBelow(name, root string) {
	if rest, ok := strings.CutPrefix(name, root); ok && (rest == "" || rest[0] == '/') {
		ps.add(strings.TrimLeft(rest, "/"))
	}
}

// add adds p unless it leads out of the tree.
func (ps *paths) add(p string) {
	if p, ok := inside(p); ok && !slices.Contains(*ps, p) {
		*ps = append(*ps, p)
	}
}

// inside cleans a relative path, and refuses one that leads out of the tree.
func inside(p string) (string, bool) {
	p = path.Clean(p)
	switch {
	case p == ".":
		return "", true
	case p == ".." || strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/"):
		return "", false
	}
	return p, true
}

// unescape undoes rsync's \#ooo for bytes that it does not print.
func unescape(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(m string) string {
		n, err := strconv.ParseUint(m[2:], 8, 8)
		if err != nil {
			return m
		}
		return string([]byte{byte(n)})
	})
}
