package remote

import (
	"context"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/report"
)

// Order is what a transfer is asked for.
type Order struct {
	Batch  dirty.Batch
	Remote config.Remote
	// Mark is the number of the last mark that the batch may have.
	Mark uint64
	// Confirm: the batch was brought in line by the direct lane, and rsync is to
	// compare it.
	Confirm bool
	// Beside: another transfer is under way. This one must do without rsync, and
	// leaves what it cannot do so.
	Beside bool
	// Comparison: nothing is sent, but a step of this comparison made; nil for a
	// transfer.
	Comparison *report.Comparison
	// Position is where a comparison goes on that is made in the background, nil for
	// another one.
	Position *Position
	// Room is how many more paths may wait for a confirmation.
	Room int
	// Failing are the entries that fail on their own, and Except those of their
	// paths that a full pass leaves alone, since they are tried on their own.
	Failing []*dirty.Entry
	Except  []string
	// Since: a full pass must look into files that may have changed later than
	// this; zero if sizes and times are enough.
	Since time.Time
	// Adopt: the destination is used for the first time, and nothing foreign that
	// it holds may be deleted.
	Adopt bool
	// MayAdopt: the user has approved that the pass deletes and overwrites what it holds.
	MayAdopt bool
	// Overtaken: on the remote, something else than a directory may be above a path of
	// the batch, without a mark of that: it would be gone through there. All that is
	// marked by now is to be asked for before; see Asker.Told.
	Overtaken bool
	// Uncompared: a full pass is open and not part of the batch, because it has failed for
	// example, so that nobody knows what the remote has above a path. Only rsync makes sure of
	// the directories that lead there.
	Uncompared bool
	// Limits are those of the guard, and Recent the deletions of the last moments.
	Limits guard.Limits
	Recent Count
	// Approved are deletions that the user has approved, nil for none.
	Approved *Approval
	// Holding: deletions are being held, so that none may slip through.
	Holding bool
	// Unapproved is that of guard.Deletions.
	Unapproved bool
	// TakeOver are the other mirrors whose marks are to be removed.
	TakeOver []string
	// Shut: what is larger than config.WindowSize is to be left for the remote's window.
	Shut bool
	// Away are the paths at which file systems were mounted of which the remote
	// may hold something, and are not any more. AwayHeld: that is held already.
	Away     []string
	AwayHeld bool
	// Postponed are deletions, of which those may go now that are due at Began; see Deletes.
	Postponed Postponed
	Began     time.Time
}

// Asker has given an order, and is asked and told while it is carried out. Its
// methods may be called from any goroutine.
type Asker interface {
	// Root looks at the workspace's root once more, which was done before the
	// batch was taken: why nothing may be sent, or "".
	Root() string
	// Adopted is called when the destination holds nothing foreign, or what it
	// holds may be deleted, before anything is sent.
	Adopted()
	// Told waits until all that has changed so far is marked, and reports whether it is:
	// it does not wait for ever.
	Told(ctx context.Context) bool
	// Announced reports whether a path that is new on the remote is so because it,
	// or a directory above it, is new here: of that there may be a mark since the
	// batch was taken, or one that is about to come.
	Announced(ctx context.Context, path string) bool
	// Calm reports whether more deletions are to be expected.
	Calm() Calm
	// OnlyRsync is called when nothing is left of the order but what goes by rsync: from
	// now on something may go beside it, by the direct lane if direct is set, and by another
	// run of rsync otherwise.
	OnlyRsync(direct bool)
	// Progress is called now and then with how far it is.
	Progress(p Progress)
}

// Calm says whether more deletions are to be expected: Settled, if no name has come
// or gone for a moment, or if that has been waited for long enough; and Quiet for
// those that do not count, which wait longer.
type Calm struct{ Settled, Quiet bool }

// Count is a number of entries: of all, and of those that count for the guard.
type Count struct{ Entries, Counted int }

// Plus returns the sum.
func (c Count) Plus(d Count) Count { return Count{c.Entries + d.Entries, c.Counted + d.Counted} }

// Minus returns the difference.
func (c Count) Minus(d Count) Count { return Count{c.Entries - d.Entries, c.Counted - d.Counted} }

// Outcome is how a transfer ended. Without a failure, everything in the batch is
// on the remote but what Again, Later, Failed and Hold have of it.
type Outcome struct {
	// Failure is that nothing is known to be on the remote, nil for none.
	Failure *Failure
	// Again is to be done again at once, Later in a moment.
	Again, Later dirty.Batch
	// Large are files that are for a transfer of their own, which may begin at once.
	Large dirty.Batch
	// Failed are the paths that could not be brought in line; their Problem says
	// why.
	Failed []*dirty.Entry
	// Causes are those of another full pass.
	Causes Cause
	// Replaced: the remote has lost all, because the destination is another
	// directory than before, in which may be what is somebody else's.
	Replaced bool
	// Hold are deletions that wait for approval, nil for none.
	Hold *Hold
	// Unreachable is what was set apart, nil for nothing; Reachable are the paths of
	// the order's Away of which the remote holds nothing.
	Unreachable *Unreachable
	Reachable   []string
	// Kept are directories that the remote keeps, nil for none.
	Kept *Kept
	// Left are names that stay on the remote for now, because their deletion is not due.
	// LeftMore: there were more, which nobody remembers. Settled are names of the order's
	// Postponed that are not to be deleted any more: they are deleted, or here again.
	Left     []Gone
	LeftMore bool
	Settled  []string
	// Obstacles stand in the way to paths of the batch, and are on the remote now
	// where it may have had directories before.
	Obstacles []*dirty.Entry
	// Unconfirmed are the paths that are there by the remote's word. Late are those
	// of a flight that broke: requests may still be carried out.
	Unconfirmed, Late []*dirty.Entry

	// Sent is when the last request of the direct lane had left, Acknowledged when
	// its last reply was there, Verified when rsync was done; zero if the batch did
	// not go that way.
	Sent, Acknowledged, Verified time.Time

	// Record is what was done, by name.
	Record Record

	Files   int   // sent
	Bytes   int64 // sent
	Deleted Count // because paths are gone
	Created int   // entries that were new, as far as is known
	Drift   int   // entries that a full pass had to repair
	// Strategy says in words how the remote is served.
	Strategy []string
	// Cannot are the options that the remote is not able to follow, and why not.
	Cannot map[string]string
}

// FailureKind is what is to be made of a failure.
type FailureKind int

// The kinds of failures.
const (
	// Trouble may be over at the next time.
	Trouble FailureKind = iota
	// Offline: the remote was not reached.
	Offline
	// Attention: somebody must do something first.
	Attention
	// Met: another mirror has the destination.
	Met
	// Canceled: nobody wants the outcome any more.
	Canceled
)

// Failure is why nothing is known to be on the remote.
type Failure struct {
	Kind FailureKind
	// Cure is what it takes for it to be over.
	Cure dirty.Cure
	// Message is a sentence without a capital and a full stop, Hint a next step or
	// "".
	Message, Hint string
	// Other is the mirror that was met.
	Other *Meeting
}

// Error implements error.
func (f *Failure) Error() string { return f.Message }

// Cause is why a full pass is due after a transfer; there may be several.
type Cause int

// The causes.
const (
	// Lost: the remote had lost something that nothing announced.
	Lost Cause = 1 << iota
	// Drifted: somebody else has changed it.
	Drifted
	// Interrupted: a transfer was, and may have left something behind.
	Interrupted
	// Misspelt: the remote may have an entry under a name that differs in case
	// only.
	Misspelt
)

// Hold is a set of deletions that must wait for the user's word.
type Hold struct {
	Verdict guard.Verdict
	// Names are the entries that would be deleted, each once, whoever found it;
	// Sample are some of them.
	Names  guard.Names
	Sample []string
	// Entries are the paths that are gone; Pass: deletions of a full pass are held
	// as well or instead.
	Entries []*dirty.Entry
	Pass    *dirty.Entry
	// Partial: no full pass has found it, or one that has left alone what fails, so that
	// its names need not be all.
	Partial bool
	// Overwritten is how many of Names are files that would not be deleted but
	// overwritten, Overwrites are some of them, and Missing is how many entries the
	// destination lacks: at its first use.
	Overwritten int
	Overwrites  []report.Overwrite
	Missing     int
	// All: nothing at all may be sent, because the destination holds what may be
	// somebody else's.
	All bool
}

// Batch is what is held.
func (h *Hold) Batch() dirty.Batch { return dirty.Batch{Everything: h.Pass, Entries: h.Entries} }

// The names of a hold that are kept in mind.
const (
	// SampleSize is how many are shown.
	SampleSize = 5
	// SampleReserve is how many may be, when those are back that were shown first.
	SampleReserve = 1000
)

// Unreachable is what a remote holds of file systems that are mounted no longer. It
// is neither sent nor deleted, until they are back or the user approves. All else
// goes on, other deletions as well.
type Unreachable struct {
	Away    []string // where they were mounted
	Entries []*dirty.Entry
	// Held is how it is shown, nil if it was not counted anew; its ID is given by
	// the Machine. Names are what it counts.
	Held  *report.Held
	Names guard.Names
}

// Meeting is that another mirror was found at the destination.
type Meeting struct {
	// IDs are those of the others, in order.
	IDs []string
	// Other names one of them, and Place is where it was found.
	Other, Place string
}

// Comparer carries out a comparison, step by step. It belongs to one goroutine.
type Comparer interface {
	// Step makes one step, while no transfer is under way but those that go beside it.
	Step(ctx context.Context, o Order, a Asker) StepEnd
	// Close removes all that is kept of the comparison.
	Close()
}
