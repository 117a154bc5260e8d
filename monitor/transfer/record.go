package transfer

import (
	"slices"

	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/rsync"
)

// recordFlight takes in what a flight has brought in line, but for removals.
func (t *transfer) recordFlight(plan direct.Plan, result direct.Result) {
	refused := make(map[*dirty.Entry]bool, len(result.Failed))
	for _, e := range result.Failed {
		refused[e] = true
	}
	t.landed(plan.Steps, refused)
	var made map[string]bool // whose attributes are another step
	for _, s := range plan.Steps {
		switch {
		case s.Removes(), s.Kind == direct.Leave, s.Parent, refused[s.Entry], made[s.Path] && s.Kind == direct.SetAttributes:
			continue
		case s.Kind == direct.MakeDirectory:
			if made == nil {
				made = make(map[string]bool)
			}
			made[s.Path] = true
		}
		t.record.AddSent(s.Path)
	}
	for _, m := range t.Batch.Moves[:len(t.Batch.Moves)-len(result.MovesFailed)] {
		t.record.AddRenamed(m.From, m.To)
	}
}

// recordBroken takes in what a flight may have removed that broke.
func (t *transfer) recordBroken(plan direct.Plan) {
	for _, s := range plan.Steps {
		if s.Removes() {
			t.record.AddUnsure(s.Path)
		}
	}
}

// recordCleared takes in a removal by a flight that needed no judgement.
func (t *transfer) recordCleared(s direct.Step) {
	if s.Path == s.Entry.Path && s.Entry.MovedTo != "" {
		t.record.AddRenamed(s.Path, s.Entry.MovedTo)
		return
	}
	t.record.AddDeleted(s.Path)
}

// recordDeleted takes in a deletion by rsync. What is elsewhere in the tree, by the new
// names of entries, was renamed; with a directory goes what is in it.
func (t *transfer) recordDeleted(name string, renamed map[string]string) {
	if rsync.IsProbe(name) {
		return
	}
	for at := name; at != "" && len(renamed) > 0; at = relpath.Parent(at) {
		to, ok := renamed[at]
		if !ok {
			continue
		}
		to += name[len(at):]
		if _, err := t.lane.Lstat(to); err != nil {
			break // it has gone since
		}
		if at == name {
			t.record.AddRenamed(name, to)
		}
		return
	}
	t.record.AddDeleted(name)
}

// renamed are the new names of entries of the batch that have one.
func (t *transfer) renamed() (names map[string]string) {
	for _, e := range t.Batch.Entries {
		if e.MovedTo != "" {
			if names == nil {
				names = make(map[string]string)
			}
			names[e.Path] = e.MovedTo
		}
	}
	return names
}

// recordSent takes in an entry that rsync sends, by its name and code. The attributes of
// directories change with what is in them, and a confirmation mends no more than fractions
// of a second.
func (t *transfer) recordSent(name, code string) {
	path, dir := cutSlash(name)
	if path == "" || path == "." || rsync.IsProbe(path) {
		return
	}
	if rsync.IsNew(code) || rsync.IsSent(code) || !dir && !t.Confirm {
		t.record.AddSent(path)
	}
}

// recordUnsure takes in paths that were to be deleted, with all below them, when the
// transfer failed on the way: rsync may have said less than it has done.
func (t *transfer) recordUnsure(names []string) {
	if t.out.Failure == nil {
		return
	}
	done := make(map[string]bool, len(t.record.Deleted.Paths))
	for _, p := range t.record.Deleted.Paths {
		done[p.Name()] = true
	}
	for _, name := range slices.DeleteFunc(slices.Clone(names), func(name string) bool { return done[name] }) {
		t.record.AddUnsure(name)
	}
}
