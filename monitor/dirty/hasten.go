package dirty

import "time"

// Hasten makes the entries that match ripe at now, if they are not earlier. One
// that fails keeps its back-off.
func (s *Set) Hasten(match func(path string) bool, now time.Time) {
	for p, e := range s.entries {
		if !e.Failing() && match(p) {
			e.NotBefore = earlier(e.NotBefore, now)
		}
	}
}

// RetryFailing makes all that fails ripe as soon as may be: somebody waits for it.
func (s *Set) RetryFailing(now time.Time) {
	retry := func(e *Entry) {
		if e.Failing() && !e.Parked() {
			e.NotBefore = earlier(e.NotBefore, later(now, e.TriedAt.Add(RetryWait*time.Duration(min(e.Attempts, retryWaits)))))
		}
	}
	for _, e := range s.entries {
		retry(e)
	}
	if s.everything != nil {
		retry(s.everything)
	}
}

// HastenFailing makes the failing entries that match ripe a moment after now: what
// made them fail may have changed.
func (s *Set) HastenFailing(match func(path string) bool, now time.Time) {
	for p, e := range s.entries {
		if e.Failing() && match(p) {
			e.NotBefore = earlier(e.NotBefore, now.Add(RetryWait))
		}
	}
}
