package report

import "time"

// Verification is what a comparison of all contents with a remote has found, which
// somebody asked for (wsync verify) or which was made in the background.
type Verification struct {
	// Began is when it began, and Ended when it ended.
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// Background: nobody had asked for it.
	Background bool `json:"background,omitempty"`
	// Files and Bytes are how much was compared by its contents.
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	// Differences is the number of entries that differed, without those that were on
	// their way, of which there were Pending.
	Differences int `json:"differences"`
	Pending     int `json:"pending,omitempty"`
	// Repaired is how many of the differences went the way of changes from then on.
	Repaired int `json:"repaired,omitempty"`
	// Open is how many of the differences are there still, as far as is known, and Found
	// are MaxFound of them at most.
	Open  int          `json:"open,omitempty"`
	Found []Difference `json:"found,omitempty"`
}

// MaxFound is how many elements Verification.Found has at most.
const MaxFound = 20

// Verifying is a verification in the background that has begun.
type Verifying struct {
	Since time.Time `json:"since"`
	// Files and Bytes were compared by their contents so far. TotalFiles and TotalBytes are
	// how much there is, 0 if that is not known.
	Files      int   `json:"files"`
	Bytes      int64 `json:"bytes"`
	TotalFiles int   `json:"total_files,omitempty"`
	TotalBytes int64 `json:"total_bytes,omitempty"`
	// Error is why it does not go on, "" if it does.
	Error string `json:"error,omitempty"`
}
