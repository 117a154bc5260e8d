package dirty

import "time"

// AwaitWindow puts entries back, with their age, to be taken when the window of the remote
// opens at notBefore.
func (s *Set) AwaitWindow(b Batch, notBefore time.Time) {
	for _, e := range b.Entries {
		e.Windowed = true
	}
	s.Restore(b, notBefore)
}

// Windowed counts the entries that still wait for the window at now.
func (s *Set) Windowed(now time.Time) (n int) {
	for _, e := range s.entries {
		if e.Windowed && e.NotBefore.After(now) {
			n++
		}
	}
	return n
}

// WindowedMoves returns the entries of old names that wait for the window because the new
// ones do.
func (s *Set) WindowedMoves() (moved []*Entry) {
	for _, e := range s.entries {
		if e.Windowed && e.MovedTo != "" {
			moved = append(moved, e)
		}
	}
	return moved
}

// EndWindow makes all ripe at now that waits for the window: there is another one.
func (s *Set) EndWindow(now time.Time) {
	for _, e := range s.entries {
		if e.Windowed {
			e.NotBefore = earlier(e.NotBefore, now)
		}
	}
}
