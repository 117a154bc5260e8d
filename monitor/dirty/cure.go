package dirty

// Cure is what it takes for a failure to be over.
type Cure int

// The cures.
const (
	// ByTime: it may be over the next time, as when a network is back.
	ByTime Cure = iota
	// IfLasting: that, as long as it has not failed often in a row. On a full disk, what is
	// deleted meanwhile may make room.
	IfLasting
	// ByPerson: it fails until somebody does something.
	ByPerson
)

// lasting is how often in a row something has failed for it not to be over by itself.
const lasting = 3

// NeedsPerson reports whether somebody has to do something about what has failed so often
// in a row.
func (c Cure) NeedsPerson(failures int) bool {
	return failures > 0 && (c == ByPerson || c == IfLasting && failures >= lasting)
}

// NeedsPerson reports whether the path fails until somebody does something about it.
// What is parked does, too, but of that others think.
func (e *Entry) NeedsPerson() bool { return !e.Parked() && e.Cure.NeedsPerson(e.Attempts) }
