package remote

import (
	"slices"

	"wsync/monitor/report"
)

// meetings are about other mirrors at the destination.
type meetings struct {
	// met is the one that was found, nil for none, and shown how the status shows
	// it.
	met   *Meeting
	shown *report.Held
	// takeOver are those that are to give way, by the word of a user, which counts
	// until a pass has seen all.
	takeOver []string
}

// found takes in which other mirror a transfer has found. What is found anew after it
// was to give way needs another approval.
func (m *meetings) found(met *Meeting, newID func() string) {
	if m.met == nil || m.takeOver != nil || !slices.Equal(m.met.IDs, met.IDs) {
		m.shown = &report.Held{ID: newID(), Other: met.Other, Reason: "another mirror has the same destination"}
	}
	m.met, m.takeOver = met, nil
}

// end takes in that there is no other mirror any more.
func (m *meetings) end() { *m = meetings{} }

// approvedSince reports whether another mirror that a transfer has found, if it has,
// is to give way by the word of a user who spoke when the transfer had begun: told is
// what it was to take over.
func (m *meetings) approvedSince(met *Meeting, told []string) bool {
	return met != nil && m.takeOver != nil && !slices.Equal(m.takeOver, told) && slices.Equal(m.takeOver, met.IDs)
}

// retry has it looked for anew.
func (m *meetings) retry() { m.met = nil }

// approve has the other mirror give way if that is what id names, and reports
// whether it is.
func (m *meetings) approve(id string) bool {
	if m.met == nil || m.shown == nil || id != m.shown.ID {
		return false
	}
	m.takeOver = m.met.IDs
	return true
}
