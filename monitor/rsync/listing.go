package rsync

import (
	"strconv"
	"strings"
	"time"
)

// Listed is an entry of a destination.
type Listed struct {
	// Path is relative to the destination.
	Path string
	// Kind is the first letter of its mode: "-" for a file, "d" for a directory, "l" for
	// a symbolic link, or another.
	Kind    byte
	Mode    string // the other letters of its mode
	Size    int64
	ModTime time.Time // to the second
	// Target is where a link leads.
	Target string
}

// ListAll lists all that the destination has, but for what is wsync's own; each line is
// for ParseListed. Paths in except, and all below them, are left out.
func ListAll(e Endpoint, except []string, line func(line string)) Job {
	job := e.job(append([]string{"--list-only", "--recursive"}, excludes(except)...), nil)
	last := len(job.Args) - 1
	job.Args = append(job.Args[:last-1:last-1], job.Args[last]) // the destination is the source
	job.Listing = line
	return job
}

// List lists the given paths of the destination, as far as it has them, and maybe
// directories that lead to them; each line is for ParseListed.
func List(e Endpoint, paths []string, line func(line string)) Job {
	e.Began = time.Time{}
	args := []string{"--list-only", "--dirs", "--no-implied-dirs", "--from0", fromList}
	if e.Strategy.DeleteMissing {
		args = append(args, "--ignore-missing-args")
	}
	job := e.job(args, list(paths))
	last := len(job.Args) - 1
	job.Args[last-1], job.Args[last] = job.Args[last], job.Args[last-1] // the destination is the source
	job.Listing = line
	return job
}

// listedLine is a line of --list-only. Sizes have separators, as the locale has them.
var listedLine = expressionOf(`^([a-zD-])([rwxsStT-]{9})\S?\s+([\d,.]+)\s(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) (.*)$`)

// ParseListed reads a line of a ListAll; ok is false for others.
func ParseListed(line string) (l Listed, ok bool) {
	m := listedLine.FindStringSubmatch(line)
	if m == nil {
		return l, false
	}
	size, err := strconv.ParseInt(strings.NewReplacer(",", "", ".", "").Replace(m[3]), 10, 64)
	if err != nil {
		return l, false
	}
	at, err := time.ParseInLocation("2006/01/02 15:04:05", m[4], time.Local)
	if err != nil {
		return l, false
	}
	l = Listed{Path: m[5], Kind: m[1][0], Mode: m[2], Size: size, ModTime: at}
	if l.Kind == 'l' {
		l.Path, l.Target, _ = strings.Cut(l.Path, " -> ")
	}
	l.Path, l.Target = unescape(l.Path), unescape(l.Target)
	return l, l.Path != "."
}

// Among returns the entry with the one of names for which its line stands: in that of a
// link, its name and where it leads may look like another name.
func (l Listed) Among(names map[string]bool) Listed {
	if l.Kind != 'l' || names[l.Path] {
		return l
	}
	const leads = " -> "
	whole := l.Path + leads + l.Target
	for i := len(l.Path) + len(leads); ; {
		at := strings.Index(whole[i:], leads)
		if at < 0 {
			return l
		}
		if i += at; names[whole[:i]] {
			l.Path, l.Target = whole[:i], whole[i+len(leads):]
			return l
		}
		i += len(leads)
	}
}
