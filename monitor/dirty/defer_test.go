package dirty

import (
	"testing"
	"time"

	"wsync/monitor/watch"
)

// What is deferred in several parts is taken as one.
func TestDeferredAreTakenTogether(t *testing.T) {
	s, now := NewSet(), time.Now()
	at := func(ms int) time.Time { return now.Add(time.Duration(ms) * time.Millisecond) }
	for i, name := range []string{"a", "b"} {
		s.Mark(name, watch.Entry, uint64(i+1), now)
		s.Defer(s.Take(now), at(10*i), at(10*i+100))
	}
	s.Mark("open", watch.Entry|watch.Open, 3, now)
	if taken := s.Take(at(105)); taken.Len() != 1 || taken.Entries[0].Path != "open" {
		t.Fatalf("%d are taken", taken.Len())
	}
	taken := s.Take(at(110))
	if taken.Len() != 2 {
		t.Fatalf("%d are taken together", taken.Len())
	}
	for _, e := range taken.Entries {
		if e.Deferred {
			t.Errorf("%s is still deferred", e.Path)
		}
	}
	s.Defer(Batch{}, now, at(1))
	if s.Len() != 0 {
		t.Error("nothing was deferred, and is there")
	}
}

// When nothing more is to come, nobody waits.
func TestDeferralEnds(t *testing.T) {
	s, now := NewSet(), time.Now()
	s.Mark("a", watch.Entry, 1, now)
	s.Defer(s.Take(now), now, now.Add(time.Hour))
	s.Mark("failing", watch.Entry, 2, now)
	s.Restore(s.Take(now), now.Add(time.Hour))
	s.EndDeferral(now)
	if taken := s.Take(now); taken.Len() != 1 || taken.Entries[0].Path != "a" {
		t.Errorf("%d are taken", taken.Len())
	}
}
