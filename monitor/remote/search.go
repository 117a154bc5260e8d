package remote

import "time"

// Search is that names are looked for of files that have several, which have to be
// looked at because of marks from Seq on.
type Search struct {
	Seq   uint64
	Since time.Time
	Files int
}

// Oldest is as that of a batch.
func (s Search) Oldest() (seq uint64, since time.Time, ok bool) { return s.Seq, s.Since, s.Files > 0 }
