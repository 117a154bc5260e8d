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
	// takeOver are those that are to give way.
	takeOver []string
}

// found takes in which other mirror a transfer has found, nil for none. What is
// found anew after it was to give way needs another approval.
func (m *meetings) found(met *Meeting, newID func() string) {
	if met == nil {
		*m = meetings{}
		return
	}
	if m.met == nil || m.takeOver != nil || !slices.Equal(m.met.IDs, met.IDs) {
		m.shown = &report.Held{ID: newID(), Other: met.Other, Reason: "another mirror has the same destination"}
	}
	m.met, m.takeOver = met, nil
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
