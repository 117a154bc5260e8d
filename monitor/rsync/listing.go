package rsync

import (
	"regexp"
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

// listedLine is a line of --list-only. Sizes have separators, as the locale has them.
var listedLine = regexp.MustCompile(`^([a-zD-])[rwxsStT-]{9}\S?\s+([\d,.]+)\s(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) (.*)$`)

// ParseListed reads a line of a ListAll; ok is false for others.
func ParseListed(line string) (l Listed, ok bool) {
	m := listedLine.FindStringSubmatch(line)
	if m == nil {
		return l, false
	}
	size, err := strconv.ParseInt(strings.NewReplacer(",", "", ".", "").Replace(m[2]), 10, 64)
	if err != nil {
		return l, false
	}
	at, err := time.ParseInLocation("2006/01/02 15:04:05", m[3], time.Local)
	if err != nil {
		return l, false
	}
	l = Listed{Path: m[4], Kind: m[1][0], Size: size, ModTime: at}
	if l.Kind == 'l' {
		l.Path, l.Target, _ = strings.Cut(l.Path, " -> ")
	}
	l.Path, l.Target = unescape(l.Path), unescape(l.Target)
	return l, l.Path != "."
}
