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
