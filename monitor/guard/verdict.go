package guard

import "fmt"

// Limits are the settings of the guard against mass deletion.
type Limits struct {
	// Share is the share (0 to 1) of the entries that were there before, and
	// Count the number, above both of which deletions are held.
	Share float64
	Count int
	// AllowEmpty: the workspace may become empty.
	AllowEmpty bool
}

// Deletions are what is to be judged.
type Deletions struct {
	// Entries is how many entries would be deleted, and Counted how many of them
	// count; see Tools.
	Entries, Counted int
	// Recent and RecentCounted are the same of the deletions of the last moments:
	// few at a time are many in the end.
	Recent, RecentCounted int
	// Holding: others are held, so that none that belongs to them may slip
	// through.
	Holding bool
	// Unapproved: others were held, and nobody has let them go, nor are they all there
	// again: these may be what is left of them.
	Unapproved bool
	// Settled: no more are to be expected right now, or that has been waited for long
	// enough; Quiet: long enough for what does not count.
	Settled, Quiet bool
}

// premature reports whether more may be to come, with which they are to be judged.
// What joins a hold need not wait for that. What does not count waits longer: all of
// it counts when the directory goes, too, that keeps it from counting.
func (d Deletions) premature(count int) bool {
	if free := d.Entries + d.Recent - d.Counted - d.RecentCounted; free > count && !d.Quiet {
		return true
	}
	return d.Entries+d.Recent > count && !d.Settled && (!d.Holding || d.Counted == 0)
}

// Workspace is what is left. It is looked at only where the verdict depends on it.
type Workspace interface {
	// Empty reports whether the workspace holds nothing.
	Empty() (bool, error)
	// Left is the number of entries in it that count; it may stop at limit.
	Left(limit int) int
}

// Action is what is to be done with deletions.
type Action int

// Allow lets them go, Wait has them judged again in a moment, together with what
// has been added to them by then, and Hold keeps them for the user's word.
const (
	Allow Action = iota
	Wait
	Hold
)

// Verdict is the guard's decision, and with Hold the reason for it.
type Verdict struct {
	Action Action
	Reason string
	// Empty: the reason is that the workspace holds nothing.
	Empty bool
}

// otherHeld is the reason to hold what is gone after deletions were held.
const otherHeld = "other deletions are held"

// Judge decides about deletions.
func Judge(l Limits, d Deletions, w Workspace) Verdict {
	if d.Entries == 0 {
		return Verdict{Action: Allow}
	}
	if d.premature(l.Count) {
		return Verdict{Action: Wait}
	}
	switch empty, err := w.Empty(); {
	case err != nil:
		return Verdict{Action: Hold, Reason: fmt.Sprintf("the workspace cannot be read: %v", err)}
	case empty && !l.AllowEmpty:
		return Verdict{Action: Hold, Reason: "the workspace is empty, and was not before", Empty: true}
	case d.Counted == 0:
		return Verdict{Action: Allow}
	case d.Holding:
		return Verdict{Action: Hold, Reason: otherHeld}
	}
	few := Verdict{Action: Allow}
	if d.Unapproved {
		few = Verdict{Action: Hold, Reason: fmt.Sprintf("%d more would be deleted, and deletions that were held before have not been approved", d.Counted)}
	}
	counted := d.Counted + d.RecentCounted
	if counted <= l.Count {
		return few
	}
	left := w.Left(l.enough(counted))
	if !l.tooMany(counted, left) {
		return few
	}
	before := ""
	if d.RecentCounted > 0 {
		before = fmt.Sprintf(" after %d a moment before", d.RecentCounted)
	}
	return Verdict{Action: Hold, Reason: fmt.Sprintf("%d entries would be deleted at once%s, and %d are left", d.Counted, before, left)}
}

// enough is how many entries have to be left for so many deletions to be few:
// counting may stop where the answer is known.
func (l Limits) enough(deletions int) int {
	if l.Share <= 0 {
		return deletions
	}
	return int(float64(deletions)*(1-l.Share)/l.Share) + 1
}

// tooMany reports whether so many deletions look like an accident: more than Count,
// and more than Share of the entries that were there before. left is the number of
// entries that are left.
func (l Limits) tooMany(deletions, left int) bool {
	return deletions > l.Count && float64(deletions) > l.Share*float64(deletions+left)
}

// Restate says why deletions are still held that were held before: nothing lets
// them go but the user's word or their return. was is the first verdict, most is how
// many of them counted then, and d are those that are left of them.
func Restate(l Limits, was Verdict, most int, d Deletions, w Workspace) string {
	now := Judge(l, d, w)
	switch {
	case now.Action == Hold:
		return now.Reason
	case was.Empty:
		return "the workspace was empty when its deletions were held"
	case d.Counted < most:
		return fmt.Sprintf("%d entries are gone of %d that went at once", d.Counted, most)
	}
	return fmt.Sprintf("%d entries went at once", most)
}
