package remote

import (
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

func TestStates(t *testing.T) {
	failed := &dirty.Entry{Path: "bad", Seq: 1, Attempts: 2, Problem: "no", Change: watch.Content}
	for name, test := range map[string]struct {
		prepare func(m *Machine)
		want    report.State
		message string
	}{
		"starting":          {func(m *Machine) { m.armed = false }, report.Starting, ""},
		"in sync":           {func(m *Machine) {}, report.InSync, ""},
		"pending":           {func(m *Machine) { m.set.Mark("f", watch.Content, 1, time.Now()) }, report.Pending, ""},
		"a pass is pending": {func(m *Machine) { m.set.MarkEverything(1, time.Now(), time.Now()) }, report.Pending, ""},
		"syncing":           {func(m *Machine) { m.running = &Sending{} }, report.Syncing, ""},
		"retrying":          {func(m *Machine) { m.retry.failures, m.retry.failure = 1, &Failure{Message: "why"} }, report.Retrying, "why"},
		"offline":           {func(m *Machine) { m.retry.failures, m.retry.failure = 1, &Failure{Kind: Offline, Message: "why"} }, report.Offline, "why"},
		"offline, and trying": {func(m *Machine) {
			m.retry.failures, m.retry.failure, m.running = 1, &Failure{Kind: Offline, Message: "why"}, &Sending{}
		}, report.Offline, "why"},
		"a path fails": {func(m *Machine) { m.set.Restore(dirty.Batch{Entries: []*dirty.Entry{failed}}, time.Now()) }, report.Retrying, "no"},
		"a path that fails is tried": {func(m *Machine) {
			m.running = &Sending{Order: Order{Batch: dirty.Batch{Entries: []*dirty.Entry{failed}}}}
		}, report.Syncing, "no"},
		"halted": {func(m *Machine) { m.halt = "gone" }, report.Halted, "gone"},
		"held": {func(m *Machine) {
			m.holds.held = &held{id: "1", reason: "many", Hold: Hold{Entries: []*dirty.Entry{failed}}}
		}, report.Halted, "many"},
		"paused":           {func(m *Machine) { m.paused = true }, report.Paused, ""},
		"paused over all":  {func(m *Machine) { m.paused, m.retry.failures, m.retry.failure = true, 1, &Failure{Message: "why"} }, report.Paused, "why"},
		"halted over fail": {func(m *Machine) { m.halt, m.retry.failures, m.retry.failure = "gone", 1, &Failure{Message: "why"} }, report.Halted, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			m := testMachine()
			test.prepare(m)
			now := time.Now()
			s := m.Status(now)
			if s.State != test.want || s.Error != test.message || !s.Since.Equal(now) || s.Name != "r" {
				t.Errorf("%s, %q, expected %s, %q", s.State, s.Error, test.want, test.message)
			}
			if again := m.Status(now.Add(time.Second)); !again.Since.Equal(now) {
				t.Error("the same state is new")
			}
			if open := s.Pending > 0 || s.PendingEverything; open && s.State == report.InSync || open != (s.OldestPending != nil) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A barrier is reached when nothing older is open, in the set, under way or
// held.
func TestBarrierWaitsForAll(t *testing.T) {
	old := dirty.Batch{Entries: []*dirty.Entry{{Path: "f", Seq: 3, Since: time.Now()}}}
	for name, test := range map[string]struct {
		prepare  func(m *Machine)
		want     uint64
		verified uint64
	}{
		"nothing":                  {func(m *Machine) {}, 7, 7},
		"a later mark":             {func(m *Machine) { m.set.Mark("f", watch.Content, 6, time.Now()) }, 7, 7},
		"in the set":               {func(m *Machine) { m.set.Restore(old, time.Now()) }, 0, 0},
		"everything":               {func(m *Machine) { m.set.MarkEverything(2, time.Now(), time.Now()) }, 0, 0},
		"under way":                {func(m *Machine) { m.running = &Sending{Order: Order{Batch: old}} }, 0, 0},
		"under way beside another": {func(m *Machine) { m.running, m.beside = &Sending{}, &Sending{Order: Order{Batch: old}} }, 0, 0},
		"left of what goes beside": {func(m *Machine) { m.running = &Sending{left: old} }, 0, 0},
		"held":                     {func(m *Machine) { m.holds.held = &held{id: "1", Hold: Hold{Entries: old.Entries}} }, 0, 0},
		"a held pass":              {func(m *Machine) { m.holds.held = &held{id: "1", Hold: Hold{Pass: old.Entries[0]}} }, 0, 0},
		"unconfirmed":              {func(m *Machine) { m.confirmations.Restore(old, time.Now()) }, 7, 0},
		"confirming":               {func(m *Machine) { m.confirmations.Restore(old, time.Time{}); m.confirmations.Take(time.Now()) }, 7, 0},
		"not yet armed":            {func(m *Machine) { m.armed = false }, 0, 0},
	} {
		m := testMachine()
		m.barriers.Add(7, 5)
		test.prepare(m)
		m.Answer()
		if m.barriers.Acknowledged != test.want {
			t.Errorf("%s: reached %d, expected %d", name, m.barriers.Acknowledged, test.want)
		}
		if m.barriers.Verified != test.verified {
			t.Errorf("%s: verified %d, expected %d", name, m.barriers.Verified, test.verified)
		}
	}
}
