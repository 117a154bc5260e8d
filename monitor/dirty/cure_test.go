package dirty

import (
	"testing"
	"time"

	"wsync/monitor/watch"
)

func TestNeedsPerson(t *testing.T) {
	for _, test := range []struct {
		cure     Cure
		failures int
		want     bool
	}{
		{ByTime, 1, false}, {ByTime, 1000, false},
		{IfLasting, 0, false}, {IfLasting, 1, false}, {IfLasting, 2, false}, {IfLasting, 3, true}, {IfLasting, 4, true},
		{ByPerson, 0, false}, {ByPerson, 1, true}, {ByPerson, 9, true},
	} {
		if got := test.cure.NeedsPerson(test.failures); got != test.want {
			t.Errorf("%v after %d failures: %t", test.cure, test.failures, got)
		}
	}
	if e := (Entry{Attempts: 1, Cure: ByPerson, Reason: BadName, NotBefore: Never}); e.NeedsPerson() {
		t.Error("what is parked needs somebody")
	}
}

// Whoever waits has what fails tried again, but not all the time.
func TestRetryFailing(t *testing.T) {
	now := time.Now()
	s := NewSet()
	for path, e := range map[string]*Entry{
		"once":   {Attempts: 1, TriedAt: now.Add(-time.Minute)},
		"often":  {Attempts: 9, TriedAt: now.Add(-time.Second)},
		"parked": {Attempts: 1, Reason: BadName, TriedAt: now.Add(-time.Minute)},
		"soon":   {Attempts: 1, TriedAt: now},
		"young":  {},
	} {
		e.Path, e.Change, e.Seq = path, watch.Content, 1
		at := now.Add(time.Hour)
		if e.Reason != "" {
			at = Never
		}
		s.Restore(Batch{Entries: []*Entry{e}}, at)
	}
	s.RetryFailing(now)
	for path, want := range map[string]time.Time{
		"once": now, "often": now.Add(4 * RetryWait), "soon": now.Add(RetryWait), "parked": Never, "young": now.Add(time.Hour),
	} {
		if got := s.entries[path].NotBefore; !got.Equal(want) {
			t.Errorf("%s is tried in %v, expected %v", path, got.Sub(now), want.Sub(now))
		}
	}
}
