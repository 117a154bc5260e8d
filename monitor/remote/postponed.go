package remote

import (
	"iter"
	"slices"
	"strings"
	"time"

	"wsync/monitor/relpath"
)

// PostponedLimit is how many deletions are postponed at most. What is beyond stays as well,
// and is postponed by a full pass when there is room: later, never sooner.
const PostponedLimit = 10000

// Postponed are deletions that a remote is not due for yet: of names that are gone here, and
// that it has, each with all that is below it. It is a value: who has one keeps it as it
// is, also while there is a later one.
type Postponed struct {
	names []Postponement // in the order of their paths
	// more: there were others, for which there was no room.
	more bool
}

// Postponement is one of these deletions.
type Postponement struct {
	Gone
	// Due is when the name is to be deleted.
	Due time.Time
}

// Gone is a name that is gone here and stays on the remote for now.
type Gone struct {
	Path string
	// Dir: the remote has a directory there.
	Dir bool
	// MovedTo is as that of dirty.Entry.
	MovedTo string
}

// NewPostponed returns what was postponed before.
func NewPostponed(names []Postponement, more bool) Postponed {
	names = slices.Clone(names)
	slices.SortFunc(names, inOrder)
	names = slices.CompactFunc(names, func(a, b Postponement) bool { return a.Path == b.Path })
	return Postponed{names: names, more: more}
}

func inOrder(a, b Postponement) int { return strings.Compare(a.Path, b.Path) }

// All are the names in their order.
func (p Postponed) All() iter.Seq[Postponement] { return slices.Values(p.names) }

// Len is how many there are, and More reports whether there are others that were not
// counted.
func (p Postponed) Len() int   { return len(p.names) }
func (p Postponed) More() bool { return p.more }

// Same reports whether q is p itself, or has nothing either.
func (p Postponed) Same(q Postponed) bool {
	return p.more == q.more && len(p.names) == len(q.names) && (len(p.names) == 0 || &p.names[0] == &q.names[0])
}

// find is where a path is, or would be.
func (p Postponed) find(path string) (at int, found bool) {
	return slices.BinarySearchFunc(p.names, path, func(q Postponement, path string) int { return strings.Compare(q.Path, path) })
}

// below are the names below a directory.
func (p Postponed) below(dir string) []Postponement {
	from, _ := p.find(dir + "/")
	to, _ := p.find(dir + "0") // which follows the slash
	return p.names[from:to]
}

// Within are the names at a path and below it; all of them for the root.
func (p Postponed) Within(path string) []Postponement {
	if path == "" {
		return p.names
	}
	at, found := p.find(path)
	if !found {
		return p.below(path)
	}
	return append([]Postponement{p.names[at]}, p.below(path)...)
}

// over is the postponement with which a path is to go: its own, or the nearest above it.
func (p Postponed) over(path string) (q Postponement, ok bool) {
	for ; path != "" && len(p.names) > 0; path = relpath.Parent(path) {
		if at, found := p.find(path); found {
			return p.names[at], true
		}
	}
	return q, false
}

// Due is when a name is to be deleted with all that is below it; ok is false if its
// deletion is not postponed.
func (p Postponed) Due(name string) (due time.Time, ok bool) {
	over, ok := p.over(name)
	if !ok {
		return due, false
	}
	due = over.Due
	for _, q := range p.below(name) {
		if q.Due.After(due) {
			due = q.Due
		}
	}
	return due, true
}

// Update postpones the deletion of names until due, where it is not postponed yet, by itself
// or with what is above it, and forgets others, but for what is below them by itself. See
// PostponedLimit.
func (p Postponed) Update(gone []Gone, due time.Time, forget []string) Postponed {
	names := slices.Clone(p.names)
	for _, g := range gone {
		q := Postponement{Gone: g, Due: due}
		if over, ok := p.over(g.Path); ok {
			q.Due = over.Due
			if over.MovedTo != "" {
				q.MovedTo = over.MovedTo + g.Path[len(over.Path):]
			}
		}
		if _, found := p.find(g.Path); !found {
			names = append(names, q)
		}
	}
	drop := make(map[string]bool, len(forget))
	for _, path := range forget {
		drop[path] = true
	}
	names = slices.DeleteFunc(names, func(q Postponement) bool { return drop[q.Path] })
	return NewPostponed(names, p.more).folded().cut()
}

// foldTime is how much sooner than a directory above it a name may be due that goes with that:
// a tree that is removed takes a moment.
const foldTime = time.Second

// folded leaves out what goes with a directory above it, almost at the same time. What was
// renamed by itself is known by itself.
func (p Postponed) folded() Postponed {
	p.names = slices.DeleteFunc(slices.Clone(p.names), func(q Postponement) bool {
		over, ok := p.over(relpath.Parent(q.Path))
		return ok && over.Due.Sub(q.Due) < foldTime && (q.MovedTo == "" || over.MovedTo != "" && q.MovedTo == over.MovedTo+q.Path[len(over.Path):])
	})
	return p
}

// cut leaves out those that are due last, if there are too many.
func (p Postponed) cut() Postponed {
	if len(p.names) <= PostponedLimit {
		return p
	}
	names := slices.Clone(p.names)
	slices.SortStableFunc(names, func(a, b Postponement) int { return a.Due.Compare(b.Due) })
	return NewPostponed(names[:PostponedLimit], true)
}

// WithMore is p with the word that there were others, or that there are none.
func (p Postponed) WithMore(more bool) Postponed {
	p.more = more
	return p
}
