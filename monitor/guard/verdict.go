package guard

import "fmt"

const (
	// few is how many deletions of the last moments go at once.
	few = 10
	// nearlyAll is the share of a small tree above which deletions are held: of one
	// in which there cannot be more than Limits.Count.
	nearlyAll = 0.9
)

// Limits are the settings of the guard against mass deletion.
type Limits struct {
	// Share is the share (0 to 1) of the entries that were there before, and
	// Count the number, above both of which deletions are held. Up to Count, it is
	// nearlyAll if that is more.
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
func (l Limits) premature(d Deletions) bool {
	if free := d.Entries + d.Recent - d.Counted - d.RecentCounted; free > l.Count && !d.Quiet {
		return true
	}
	if d.Settled || d.Holding && d.Counted > 0 {
		return false
	}
	return d.Entries+d.Recent > l.Count || d.Counted > 0 && d.Counted+d.RecentCounted > l.few()
}

// few is how many deletions are no accident, whatever their share.
func (l Limits) few() int { return min(few, l.Count) }

// Many reports whether so many deletions may be an accident.
func (l Limits) Many(deletions int) bool { return deletions > l.few() }

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
	if l.premature(d) {
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
	otherwise := Verdict{Action: Allow}
	if d.Unapproved {
		otherwise = Verdict{Action: Hold, Reason: fmt.Sprintf("%d more would be deleted, and deletions that were held before have not been approved", d.Counted)}
	}
	counted := d.Counted + d.RecentCounted
	if counted <= l.few() {
		return otherwise
	}
	left := w.Left(l.enough(counted))
	if !l.tooMany(counted, left) {
		return otherwise
	}
	before := ""
	if d.RecentCounted > 0 {
		before = fmt.Sprintf(" after %d a moment before", d.RecentCounted)
	}
	would, remain := fmt.Sprintf("%d entries", d.Counted), fmt.Sprintf("%d are", left)
	if d.Counted == 1 {
		would = "1 entry"
	}
	if left == 1 {
		remain = "1 is"
	}
	return Verdict{Action: Hold, Reason: fmt.Sprintf("%s would be deleted at once%s, and %s left", would, before, remain)}
}

// share is the share of the entries there were above which so many deletions are held.
func (l Limits) share(deletions int) float64 {
	if deletions > l.Count {
		return l.Share
	}
	return max(l.Share, nearlyAll)
}

// enough is how many entries have to be left for so many deletions to be no accident:
// counting may stop where the answer is known.
func (l Limits) enough(deletions int) int {
	share := l.share(deletions)
	if share <= 0 {
		return deletions
	}
	return int(float64(deletions)*(1-share)/share) + 1
}

// tooMany reports whether so many deletions look like an accident: more than a few,
// and more than their share of the entries that were there before. left is the number
// of entries that are left.
func (l Limits) tooMany(deletions, left int) bool {
	return deletions > l.few() && float64(deletions) > l.share(deletions)*float64(deletions+left)
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
		return fmt.Sprintf("%d of %d entries are gone that went at once", d.Counted, most)
	}
	return fmt.Sprintf("%d entries went at once", most)
}
