package rsync

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

var (
	calledPath = expressionOf(`^[a-z_]+\((.*)\) failed`)
	pathEnd    = expressionOf(`"\)?(?: failed|: | \(in | \((?:from |[A-Z])| returned | is a directory|, |$)`)
	linkedEnd  = expressionOf(`"(?: \(in [^)]*\))? [-=]> `)
	linking    = expressionOf(`(?:^|\] |: )(?:symlink|rename|link|copyfile|copy|keep_backup failed:) "`)
	inModule   = expressionOf(`^\)? \(in ([^)]*)\)`)
	tempName   = expressionOf(`(?s)^\.(.+)\.[A-Za-z0-9]{6}$`)
	tempEntry  = expressionOf(`(?s)^\.(.+)\.[0-9]{1,6}$`) // of what takes the place of something
	escaped    = expressionOf(`\\#([0-7]{3})`)
	quoteEnd   = expressionOf(`"(?:; mode not set)?$`)
)

// paths finds the path that a line is about, of which rest begins with the path.
// Where a name makes it ambiguous, it returns all that may be meant: to try one
// path too many is no harm, to take a path that failed for clean is.
func (m *message) paths(line, rest, source, destination string) []string {
	var found paths
	roots := rootsOf(line, source, destination)
	switch m.naming {
	case relative:
		if m.behind != "" {
			rest = rest[:strings.LastIndex(rest, m.behind)]
		}
		found.addSaid(unescape(rest), roots)
	case written:
		found.addPossiblyTemporary(unescape(rest[:strings.LastIndex(rest, m.behind)]), roots, line)
	case quoted:
		if end := quoteEnd.FindStringIndex(rest); end != nil {
			found.addSaid(unescape(rest[:end[0]]), roots)
		}
	case called:
		if c := calledPath.FindStringSubmatch(rest); c != nil {
			found.addSaid(unescape(c[1]), roots)
		}
	default:
		found.addQuoted(line, roots, destination)
	}
	return found
}

// guess finds paths of the workspace that a line names of which nobody knows what
// it means: what is in quotes, or stands at its end.
func guess(said, source, destination string) []string {
	var found paths
	roots := []string{source, destination}
	found.addQuoted(said, roots, destination)
	for end := said; ; {
		for i := range len(end) {
			if i == 0 || strings.IndexByte(" \"'(", end[i-1]) >= 0 {
				found.addSaid(strings.Trim(unescape(end[i:]), `"')`), roots)
			}
		}
		cut := strings.LastIndex(end, ": ")
		if cut < 0 {
			break
		}
		end = end[:cut] // what follows is why
	}
	return slices.DeleteFunc(found, func(p string) bool {
		_, err := os.Lstat(filepath.Join(source, p))
		return p == "" || err != nil
	})
}

// IsNamed reports whether path stands in one of rsync's lines as a whole.
func IsNamed(path, line string) bool {
	line = unescape(line)
	for from := 0; path != ""; {
		i := strings.Index(line[from:], path)
		if i < 0 {
			break
		}
		i += from
		end := i + len(path)
		if (i == 0 || strings.IndexByte(" /\"'(", line[i-1]) >= 0) && (end == len(line) || strings.IndexByte(" :,;\"')", line[end]) >= 0) {
			return true
		}
		from = i + 1
	}
	return false
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

// addSaid adds name, which is from the top of the tree, or else below one of roots.
func (ps *paths) addSaid(name string, roots []string) {
	if strings.HasPrefix(name, "/") {
		ps.below(name, roots)
	} else {
		ps.add(name)
	}
}

// addQuoted adds the path in a line that is in quotes, and in which there may be
// quotes as well.
func (ps *paths) addQuoted(line string, roots []string, destination string) {
	_, inQuotes, ok := strings.Cut(line, `"`)
	if !ok {
		return
	}
	end := pathEnd
	if linking.MatchString(line) {
		end = linkedEnd
	}
	for _, m := range end.FindAllStringIndex(inQuotes, -1) {
		name, under := unescape(inQuotes[:m[0]]), roots
		if module := inModule.FindStringSubmatch(inQuotes[m[0]+1:]); module != nil {
			// A daemon's paths begin at its module.
			name = "/" + module[1] + "/" + strings.TrimLeft(name, "/")
			under = []string{"/" + strings.TrimLeft(destination, "/")}
		}
		ps.addWritten(name, under, line)
	}
}

// addPossiblyTemporary adds name, which is from the top of the tree or below one of
// roots, from a line of a receiver.
func (ps *paths) addPossiblyTemporary(name string, roots []string, line string) {
	if !strings.HasPrefix(name, "/") {
		const top = "/top" // any
		name, roots = top+"/"+name, []string{top}
	}
	ps.addWritten(name, roots, line)
}

// addWritten adds what name, from line, is below each of roots. In the lines of
// a receiver it may be a temporary file.
func (ps *paths) addWritten(name string, roots []string, line string) {
	dir, base := path.Split(name)
	var temp []string
	if strings.Contains(line, "mkstemp ") || strings.Contains(line, "rename ") || strings.Contains(line, "[receiver") {
		temp = tempName.FindStringSubmatch(base)
	} else if making.MatchString(line) {
		// Or the name is its own: only with something in its place is it temporary.
		ps.below(name, roots)
		temp = tempEntry.FindStringSubmatch(base)
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
