// Package dirty keeps the paths that a remote has not acknowledged. A path
// enters when it may have changed and leaves only with a batch whose transfer
// began afterwards and succeeded; see Set.
package dirty

import (
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// The times that a path waits before it is ripe for a batch.
const (
	// CloseWait is how long a file that is still being made may take to be
	// closed before it is sent as it is.
	CloseWait = 20 * time.Millisecond
	// RetryWait is how soon a path that failed is tried again when it changes;
	// retryWaits times as much if it failed often.
	RetryWait  = time.Second
	retryWaits = 5
)

// The bounds of a set. At a hundred bytes or so an entry they hold a set below
// a few megabytes, however long a remote is away.
const (
	// Limit is the number of entries above which a set folds.
	Limit = 20000
	// DirectoryLimit is the number of entries in one directory above which
	// folding replaces them by the directory with all below it.
	DirectoryLimit = 512
)

// Entry is what is known about a dirty path.
type Entry struct {
	Path   string
	Change watch.Change
	// Seq is the number of the oldest mark that is not acknowledged yet.
	Seq uint64
	// Since is when that mark was made, NotBefore when the path is ripe.
	Since, NotBefore time.Time
	// Attempts counts the transfers that failed on this very path, Problem is
	// why the last one did, and Reason why the next will, "" if it need not.
	Attempts int
	Problem  string
	Reason   Reason
	// Cure is what it takes for that to be over.
	Cure Cure
	// TriedAt is when the last of them ended, and Barrier the last request to wait that had
	// come when it began. Rounds counts the transfers that
	// left the path to be done again, without a failure of its own.
	TriedAt time.Time
	Barrier uint64
	Rounds  int
	// Approved is how many deletions the user has approved on behalf of this path
	// and of those that were held with it.
	Approved int
	// Unlisted: this very path was not among those, and so its deletion is not approved.
	Unlisted bool
	// MovedTo is where in the tree that went which was here, "" if it went nowhere
	// else. It says nothing about what is beside it, and must be looked at, as it
	// may have gone from there, too.
	MovedTo string
	// Windowed: the entry waits for the window of the remote.
	Windowed bool
	// Deferred: the entry waits for others to come, with which it is to be
	// looked at; see Set.Defer.
	Deferred bool
}

// Cleared reports whether the deletion of this very path needs no judgement: the user
// has approved it, or what was there is elsewhere in the tree. What was in a
// directory need not be; see rsync.Deletion.
func (e *Entry) Cleared() bool { return e.IsApproved() || e.MovedTo != "" }

// IsApproved reports whether the user has approved the deletion of this very path.
func (e *Entry) IsApproved() bool { return e.Approved > 0 && !e.Unlisted }

// soon is when the entry is tried again that fails and was changed at a time: a
// change is a reason to try, but no path takes more than a few attempts a minute
// because it changes all the time.
func (e *Entry) soon(changed time.Time) time.Time {
	return later(changed.Add(RetryWait), e.TriedAt.Add(RetryWait*time.Duration(min(e.Attempts, retryWaits))))
}

// Failing reports whether the path fails while others succeed. It is tried on its
// own, and left out where it would fail others.
func (e *Entry) Failing() bool { return e.Attempts > 0 }

// Never is when a path is ripe that is tried with full passes only, unless it
// changes.
var Never = time.Unix(1<<40, 0)

// Parked reports whether the path cannot be on the remote, and that there is nothing to
// do about it before the next full pass.
func (e *Entry) Parked() bool { return e.Reason != "" && !e.NotBefore.Before(Never) }

// Set is the dirty paths of one remote. It is not safe for concurrent use; the
// remote's worker guards it.
//
// Everything is a member of its own, beside the paths: a full pass compares
// sizes and times, while a path that is known to be dirty is compared byte by
// byte, so the one does not stand for the other. Only when paths were folded into
// it, its Change has Content, and the pass must compare bytes as well.
type Set struct {
	entries map[string]*Entry
	// everything is non-nil when a full pass is due.
	everything *Entry
	// moves are renames to be repeated on the remote, in their order, before
	// the entries.
	moves []Move
	// writing holds the files that were last sent while still open.
	writing map[string]writing
	// parks: there may be entries that are parked. skips: those count for nothing.
	parks, skips bool
}

// NewSet returns an empty set.
func NewSet() *Set {
	return &Set{entries: make(map[string]*Entry), writing: make(map[string]writing)}
}

// SkipParked says whether what is parked is left out of Len and Oldest: nobody
// waits for it. What is LeftOut always is.
func (s *Set) SkipParked(skip bool) { s.skips = skip }

// Skips reports whether an entry counts for nothing: nobody waits for it.
func (s *Set) Skips(e *Entry) bool { return e.Parked() && (s.skips || e.Reason == LeftOut) }

// Parked returns the entries that are parked.
func (s *Set) Parked() []*Entry {
	var parked []*Entry
	if !s.parks {
		return nil
	}
	for _, e := range s.entries {
		if e.Parked() {
			parked = append(parked, e)
		}
	}
	return parked
}

// counted are the entries that somebody may wait for.
func (s *Set) counted() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for _, e := range s.entries {
			if !s.Skips(e) && !yield(e) {
				return
			}
		}
	}
}

// unpark makes what is parked below p ripe: p may be something else now.
func (s *Set) unpark(p string, now time.Time) {
	for _, e := range s.entries {
		if e.Parked() && relpath.Below(e.Path, p) {
			e.NotBefore = now
		}
	}
}

// Mark makes path dirty. seq must not decrease from call to call.
func (s *Set) Mark(p string, change watch.Change, seq uint64, now time.Time) {
	ripe := now
	if change&watch.Open != 0 {
		ripe = s.openFile(p, now)
	} else {
		delete(s.writing, p)
	}
	if s.parks && change&stateChange != 0 {
		s.unpark(p, now)
	}
	e, ok := s.entries[p]
	if !ok {
		ripe = later(ripe, s.ripeAbove(p))
		s.entries[p] = &Entry{Path: p, Change: change, Seq: seq, Since: now, NotBefore: ripe}
		if len(s.entries) > Limit {
			s.fold()
		}
		return
	}
	// Open stays only while every mark since the last transfer had it.
	open := e.Change & change & watch.Open
	if change&watch.Entry != 0 {
		e.Approved, e.MovedTo = 0, "" // that was about an earlier entry of this name
	}
	e.Change = (e.Change|change)&^watch.Open | open
	switch {
	case e.Failing():
		e.NotBefore = earlier(e.NotBefore, e.soon(now))
	case open == 0:
		e.NotBefore = earlier(e.NotBefore, ripe)
	}
}

// ripeAbove is when the directories above p are ripe that may be something else
// on the remote: nothing is to go through them before. One that fails may do so
// for long, and must not hold up others.
func (s *Set) ripeAbove(p string) (at time.Time) {
	for dir := relpath.Parent(p); dir != ""; dir = relpath.Parent(dir) {
		if d := s.entries[dir]; d != nil && d.Change&stateChange != 0 && !d.Failing() {
			at = later(at, d.NotBefore)
		}
	}
	return at
}

// MarkMoved makes path from dirty because it was renamed to another place of the
// tree.
func (s *Set) MarkMoved(from, to string, change watch.Change, seq uint64, now time.Time) {
	s.Mark(from, change, seq, now)
	if e, ok := s.entries[from]; ok { // it may have been folded
		e.MovedTo = to
	}
}

// NotMoved takes in that what went from one name to the other is not there any more.
func (s *Set) NotMoved(from, to string) {
	if e := s.entries[from]; e != nil && e.MovedTo == to {
		e.MovedTo = ""
	}
}

// MarkEverything makes a full pass due at notBefore, or earlier if one already is.
func (s *Set) MarkEverything(seq uint64, now, notBefore time.Time) {
	s.MovesToEntries()
	if s.everything == nil {
		s.everything = &Entry{Change: watch.Tree, Seq: seq, Since: now, NotBefore: notBefore}
		return
	}
	if s.everything.Failing() {
		notBefore = s.everything.soon(notBefore)
	}
	s.everything.Seq, s.everything.Since = min(s.everything.Seq, seq), earlier(s.everything.Since, now)
	s.everything.NotBefore = earlier(s.everything.NotBefore, notBefore)
}

// Len is the number of dirty paths.
func (s *Set) Len() int {
	n := len(s.entries) + len(s.moves)
	for _, e := range s.Parked() {
		if s.Skips(e) {
			n--
		}
	}
	return n
}

// Everything reports whether a full pass is due.
func (s *Set) Everything() bool { return s.everything != nil }

// Announces reports whether the set has path, or a directory above it with all that
// is in it, as new or replaced.
func (s *Set) Announces(path string) bool {
	if s.everything != nil {
		return true
	}
	if e := s.entries[path]; e != nil && e.Change&stateChange != 0 {
		return true
	}
	for dir := path; dir != ""; {
		dir = relpath.Parent(dir)
		if e := s.entries[dir]; e != nil && e.Change&watch.Tree != 0 {
			return true
		}
	}
	return slices.ContainsFunc(s.moves, func(m Move) bool { return relpath.Within(path, m.To) })
}

// Oldest returns the lowest Seq and the earliest Since of the set; ok is false
// for an empty one.
func (s *Set) Oldest() (seq uint64, since time.Time, ok bool) {
	return oldest(s.everything, s.moves, s.counted())
}

func oldest(everything *Entry, moves []Move, entries iter.Seq[*Entry]) (seq uint64, since time.Time, ok bool) {
	seq = math.MaxUint64
	visit := func(s uint64, t time.Time) {
		seq = min(seq, s)
		if !ok || t.Before(since) {
			since = t
		}
		ok = true
	}
	if everything != nil {
		visit(everything.Seq, everything.Since)
	}
	for _, m := range moves {
		visit(m.Seq, m.Since)
	}
	for e := range entries {
		visit(e.Seq, e.Since)
	}
	return seq, since, ok
}

// All returns the entries.
func (s *Set) All() iter.Seq[*Entry] { return maps.Values(s.entries) }

// Moves returns the renames that are to be repeated, in their order.
func (s *Set) Moves() []Move { return slices.Clone(s.moves) }

// Failing returns the entries that fail on their own.
func (s *Set) Failing() []*Entry {
	var failing []*Entry
	for _, e := range s.entries {
		if e.Failing() {
			failing = append(failing, e)
		}
	}
	return failing
}

// Pass returns the full pass that is due, nil for none.
func (s *Set) Pass() *Entry { return s.everything }

// FailingPass returns the full pass that is due if it fails, nil otherwise.
func (s *Set) FailingPass() *Entry {
	if s.everything == nil || !s.everything.Failing() {
		return nil
	}
	return s.everything
}

// Hurry makes all ripe at now that waits because it failed, or had to be done
// again.
func (s *Set) Hurry(now time.Time) {
	hurry := func(e *Entry) {
		if e.Failing() || e.Rounds > 0 {
			e.NotBefore = earlier(e.NotBefore, now)
		}
	}
	for _, e := range s.entries {
		hurry(e)
	}
	if s.everything != nil {
		hurry(s.everything)
	}
}

// Approved reports whether the user has approved deletions that are still in the set.
func (s *Set) Approved() bool {
	if s.everything != nil && s.everything.Approved > 0 {
		return true
	}
	for _, e := range s.entries {
		if e.Approved > 0 {
			return true
		}
	}
	return false
}

// Ripe returns when the next batch can be taken; ok is false for an empty set.
func (s *Set) Ripe() (at time.Time, ok bool) {
	visit := func(e *Entry) {
		if e.Parked() {
			return
		}
		if !ok || e.NotBefore.Before(at) {
			at, ok = e.NotBefore, true
		}
	}
	if s.everything != nil {
		visit(s.everything)
	}
	for _, e := range s.entries {
		visit(e)
	}
	if len(s.moves) > 0 {
		visit(&Entry{NotBefore: s.moves[0].Since})
	}
	return at, ok
}

// Batch is what one transfer is to bring in line.
type Batch struct {
	// Everything, when non-nil, asks for a full pass, before the entries.
	Everything *Entry
	// Moves come before the entries; there are none beside Everything.
	Moves   []Move
	Entries []*Entry
}

// Empty reports whether there is nothing to do.
func (b Batch) Empty() bool { return b.Everything == nil && len(b.Moves) == 0 && len(b.Entries) == 0 }

// Len is the number of paths, Everything not counted.
func (b Batch) Len() int { return len(b.Moves) + len(b.Entries) }

// Oldest is like Set.Oldest.
func (b Batch) Oldest() (seq uint64, since time.Time, ok bool) {
	return oldest(b.Everything, b.Moves, slices.Values(b.Entries))
}

// Take removes and returns all that is ripe at now, and with a full pass what is
// parked.
func (s *Set) Take(now time.Time) Batch {
	b := Batch{Moves: s.moves}
	s.moves = nil
	if s.everything != nil && !s.everything.NotBefore.After(now) {
		b.Everything, s.everything = s.everything, nil
	}
	for p, e := range s.entries {
		if e.NotBefore.After(now) && !(b.Everything != nil && e.Parked()) {
			continue
		}
		b.Entries = append(b.Entries, s.take(p, now))
	}
	if len(s.entries) == 0 && len(b.Entries) > 1024 {
		// A map keeps the room of its largest time; a burst must not.
		s.entries = make(map[string]*Entry)
	}
	s.forgetWriting(now)
	return b
}

// Restore puts entries of a failed batch back, with their age, ripe at
// notBefore. What was marked in the meantime is merged. Moves come back as
// entries, because nobody knows which of them were repeated.
func (s *Set) Restore(b Batch, notBefore time.Time) {
	if b.Empty() {
		return
	}
	b = b.WithoutMoves()
	s.MovesToEntries() // what comes back may be below their names
	if e := b.Everything; e != nil {
		e.NotBefore = notBefore
		if f := s.everything; f != nil {
			ripe := f.NotBefore
			if e.Failing() {
				ripe = e.soon(ripe)
			}
			e.NotBefore = earlier(notBefore, ripe)
			e.Seq, e.Since = min(e.Seq, f.Seq), earlier(e.Since, f.Since)
			e.Change |= f.Change
			e.Approved = max(e.Approved, f.Approved)
		}
		s.everything = e
	}
	for _, e := range b.Entries {
		e.NotBefore = notBefore
		if f, ok := s.entries[e.Path]; ok {
			e.Change |= f.Change
			e.Seq, e.Since = min(e.Seq, f.Seq), earlier(e.Since, f.Since)
			if f.Change&watch.Entry != 0 && f.Seq > e.Seq {
				e.Approved, e.Unlisted, e.MovedTo = f.Approved, f.Unlisted, f.MovedTo // what was said was about an earlier entry of this name
			}
			ripe := f.NotBefore
			if e.Failing() {
				ripe = e.soon(ripe)
			}
			e.NotBefore = earlier(notBefore, ripe)
		}
		s.entries[e.Path] = e
		s.parks = s.parks || e.Parked()
	}
	if len(s.entries) > Limit {
		s.fold()
	}
}

// Defer puts entries back, with their age, to be taken at notBefore together with
// all that were deferred before and are still waiting.
func (s *Set) Defer(b Batch, now, notBefore time.Time) {
	if b.Empty() {
		return
	}
	for _, e := range b.Entries {
		e.Deferred = true
	}
	s.Restore(b, notBefore)
	for _, e := range s.entries {
		if e.Deferred && e.NotBefore.After(now) {
			e.NotBefore = notBefore
		}
	}
}

// EndDeferral makes all that was deferred ripe at now: nothing more is to come
// with it.
func (s *Set) EndDeferral(now time.Time) {
	for _, e := range s.entries {
		if e.Deferred {
			e.NotBefore = earlier(e.NotBefore, now)
		}
	}
}

// MovesToEntries turns the moves into entries: they are not to be repeated.
func (s *Set) MovesToEntries() {
	moves := s.moves
	s.moves = nil
	for _, m := range moves {
		s.Restore(Batch{Moves: []Move{m}}, m.Since)
	}
}

// fold replaces the entries of crowded directories by the directory, and if
// that is not enough all entries by a full pass. What is parked stays as it is: it
// is the reason for no other path to fail.
func (s *Set) fold() {
	count := make(map[string]int)
	for p, e := range s.entries {
		if !e.Parked() {
			count[relpath.Parent(p)]++
		}
	}
	folded := make(map[string]*Entry)
	for p, e := range s.entries {
		dir := relpath.Parent(p)
		if dir == "" || count[dir] <= DirectoryLimit || e.Parked() {
			continue
		}
		delete(s.entries, p)
		merge(folded, dir, e)
	}
	for dir, e := range folded {
		merge(s.entries, dir, e)
	}
	if len(s.entries)-len(s.Parked()) <= Limit/2 {
		return
	}
	s.MovesToEntries()
	parked := make(map[string]*Entry)
	for p, e := range s.entries {
		if e.Parked() {
			parked[p] = e
			continue
		}
		if s.everything == nil {
			s.everything = &Entry{Change: watch.Tree, Seq: e.Seq, Since: e.Since, NotBefore: e.NotBefore}
		}
		absorb(s.everything, e)
	}
	s.everything.Change |= watch.Content
	s.entries = parked
}

// merge folds e into the entry of dir in entries.
func merge(entries map[string]*Entry, dir string, e *Entry) {
	d, ok := entries[dir]
	if !ok {
		d = &Entry{Path: dir, Seq: e.Seq, Since: e.Since, NotBefore: e.NotBefore, Approved: e.Approved}
		entries[dir] = d
	}
	d.Change = (d.Change | watch.Tree | watch.Entry | watch.Content) &^ watch.Open
	d.Approved, d.Unlisted = min(d.Approved, e.Approved), d.Unlisted || e.Unlisted // it stands for others, too
	absorb(d, e)
}

// absorb makes d at least as old and as ripe as e.
func absorb(d, e *Entry) {
	d.Seq = min(d.Seq, e.Seq)
	d.Since = earlier(d.Since, e.Since)
	d.NotBefore = earlier(d.NotBefore, e.NotBefore)
	d.Rounds = max(d.Rounds, e.Rounds)
	if e.Attempts > d.Attempts {
		d.TriedAt, d.Barrier = e.TriedAt, e.Barrier
		d.Attempts, d.Problem, d.Cure, d.Reason = e.Attempts, e.Problem, e.Cure, "" // for another path
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
