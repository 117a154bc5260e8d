// Package hook runs the commands of the options on-sync and on-sync-remote: with the paths
// that were changed on a remote, one run after the other, and beside all that is sent.
package hook

import (
	"maps"
	"slices"
	"strings"

	"wsync/monitor/relpath"
	"wsync/monitor/report"
)

// The bounds of what a command is told. Beyond them it is told Everything.
const (
	MaxPaths = report.MaxDeletedPaths
	MaxBytes = report.MaxPathBytes // of all names together
)

// Everything is the line that stands for all of the workspace.
const Everything = "."

// Paths are paths of the workspace that were changed on a remote, each once. The zero
// value is none.
type Paths struct {
	names map[string]bool
	bytes int
	all   bool
}

// Add adds a path. One with a line break in its name is told by the directory that it is in:
// a line must be no more than one.
func (p *Paths) Add(name string) {
	for strings.ContainsAny(name, "\n\r") {
		name = relpath.Parent(name)
	}
	switch {
	case p.all || p.names[name]:
		return
	case name == "" || name == Everything || len(p.names) >= MaxPaths || p.bytes+len(name) > MaxBytes:
		*p = Paths{all: true}
		return
	case p.names == nil:
		p.names = make(map[string]bool)
	}
	p.names[name] = true
	p.bytes += len(name)
}

// AddList adds what was sent, deleted or renamed; of the last both names. What is not named
// is anything.
func (p *Paths) AddList(l report.PathList) {
	for _, path := range l.Paths {
		p.Add(path.Name())
		if before := path.Before(); before != "" {
			p.Add(before)
		}
	}
	if l.Unnamed() > 0 {
		p.Add(Everything)
	}
}

// Join adds all of q.
func (p *Paths) Join(q Paths) {
	if q.all {
		p.Add(Everything)
	}
	for name := range q.names {
		p.Add(name)
	}
}

// Len is the number of lines.
func (p Paths) Len() int {
	if p.all {
		return 1
	}
	return len(p.names)
}

// Lines are the paths in their order, each with a line break.
func (p Paths) Lines() string {
	if p.all {
		return Everything + "\n"
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.names)) {
		b.WriteString(name + "\n")
	}
	return b.String()
}

// ReadLines reads Lines.
func ReadLines(text string) (p Paths) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			p.Add(line)
		}
	}
	return p
}
