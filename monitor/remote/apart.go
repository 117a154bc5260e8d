package remote

import (
	"slices"
	"time"

	"wsync/monitor/dirty"
)

// apart is what is kept out of all transfers because it is unreachable.
type apart struct {
	*Unreachable // nil for nothing
	// away are the paths at which something was mounted that is not any more.
	away []string
}

// add takes in what a transfer has found unreachable, and returns what is to be judged
// anew: all of it if something was mounted or unmounted since the transfer began, or
// if what it relied on to be kept apart is not any more, by the user's word.
func (a *apart) add(found *Unreachable, newID func() string) dirty.Batch {
	if !slices.Equal(found.Away, a.away) || a.Unreachable == nil && found.Held == nil {
		return dirty.Batch{Entries: found.Entries}
	}
	if found.Held != nil {
		found.Held.ID = newID()
	}
	if u := a.Unreachable; u != nil {
		known := make(map[string]bool, len(u.Entries))
		for _, e := range u.Entries {
			known[e.Path] = true
		}
		found.Entries = slices.DeleteFunc(found.Entries, func(e *dirty.Entry) bool { return known[e.Path] })
		found.Entries = append(u.Entries, found.Entries...)
		if found.Held == nil {
			found.Held, found.Names = u.Held, u.Names
		} else if found.Held.Count == u.Held.Count && found.Held.Reason == u.Held.Reason {
			found.Held = u.Held // the same, which keeps its ID
		}
	}
	a.Unreachable = found
	return dirty.Batch{}
}

// batch is what is kept apart.
func (a *apart) batch() dirty.Batch {
	if a.Unreachable == nil {
		return dirty.Batch{}
	}
	return dirty.Batch{Entries: a.Entries}
}

// end returns what was kept apart, to be judged anew.
func (a *apart) end() dirty.Batch {
	b := a.batch()
	a.Unreachable = nil
	return b
}

// SetAway takes in at which paths something was mounted that is not any more.
func (m *Machine) SetAway(away []string, now time.Time) {
	m.apart.away = away
	if m.apart.Unreachable != nil && !slices.Equal(m.apart.Away, away) {
		m.set.Restore(m.apart.end(), now)
	}
}

// Unmounted takes in that something is not mounted any more, at these paths. A
// transfer that is under way may have seen half of it.
func (m *Machine) Unmounted(paths []string, seq uint64, now time.Time) Effects {
	for _, path := range paths {
		m.set.Mark(path, wholly, seq, now)
	}
	return Effects{Cancel: len(paths) > 0}
}

// approveUnreachable takes what is unreachable for deleted, by the user's word.
func (m *Machine) approveUnreachable(now time.Time) (forget []string) {
	u := m.apart.Unreachable
	approveEntries(u.Entries, u.Names, u.Held.Count)
	m.holds.approvals.give(u.Names, now) // whoever comes upon them, a full pass for example
	m.recent = nil
	m.set.Restore(m.apart.end(), now)
	return u.Away
}
