package directory

import (
	"maps"
	"slices"
	"strings"
	"time"

	"wsync/config/filesystem"
)

const (
	// pollInterval is the least time between two rounds of those that cannot be
	// watched.
	pollInterval = time.Second
	// silentInterval is the default of watch.Options.PollInterval.
	silentInterval = 10 * time.Second
	// pollShare bounds the cost: a round that took t is followed by at least
	// pollShare*t without one, that is, at most 5 % of the time is spent.
	pollShare = 20
	// pollTurn is how long to poll before anything else is done.
	pollTurn = 20 * time.Millisecond
)

// Polled is what is known of a directory that is polled.
type Polled struct {
	// Why it is polled: there is no watch, or it cannot be read.
	Why error
	// Silent names what may change in it without an event; "" if nothing does.
	Silent string
	// Entries are those of the last look; nil if that failed.
	Entries Snapshot
}

// Polls are the directories that are polled, round by round: their entries are
// compared with what they were the time before. K is what a backend knows a
// directory by. They belong to one goroutine.
type Polls[K comparable] struct {
	// Unwatched have no watch. Silent have one, and may change without an event
	// all the same: for what is done on another machine, or behind a FUSE.
	Unwatched, Silent map[K]*Polled
	// Interval is the least time between two rounds of the silent ones.
	Interval time.Duration

	// left is what is left of the round, and cost what it took so far.
	left       []K
	cost       time.Duration
	silent     bool // it is with those of Silent
	next       time.Time
	nextSilent time.Time
}

// NewPolls returns the polls of nothing. An interval of 0 is ten seconds.
func NewPolls[K comparable](interval time.Duration) Polls[K] {
	if interval <= 0 {
		interval = silentInterval
	}
	return Polls[K]{Unwatched: make(map[K]*Polled), Silent: make(map[K]*Polled), Interval: interval}
}

// Of returns what is known of a directory that is polled, nil of another one.
func (p *Polls[K]) Of(k K) *Polled {
	if state := p.Unwatched[k]; state != nil {
		return state
	}
	return p.Silent[k]
}

// Forget ends the polling of a directory.
func (p *Polls[K]) Forget(k K) {
	delete(p.Unwatched, k)
	delete(p.Silent, k)
}

// Start begins a round, with those of Silent or without.
func (p *Polls[K]) Start(silent bool) {
	p.left = p.left[:0]
	p.silent = silent
	if silent {
		p.left = slices.AppendSeq(p.left, maps.Keys(p.Silent))
	}
	p.left = slices.AppendSeq(p.left, maps.Keys(p.Unwatched))
	p.cost = 0
}

// Cancel ends the round.
func (p *Polls[K]) Cancel() { p.left = nil }

// Busy reports whether a round is not over.
func (p *Polls[K]) Busy() bool { return len(p.left) > 0 }

// StartDue begins a round if it is time to.
func (p *Polls[K]) StartDue(now time.Time) {
	if p.Busy() {
		return
	}
	if silent := len(p.Silent) > 0 && !now.Before(p.nextSilent); silent || len(p.Unwatched) > 0 && !now.Before(p.next) {
		p.Start(silent)
	}
}

// Some goes on with the round until it is over or a turn's time is up. look polls
// one directory.
func (p *Polls[K]) Some(look func(K, *Polled)) {
	if !p.Busy() {
		return
	}
	start := time.Now()
	for p.Busy() && time.Since(start) < pollTurn {
		last := len(p.left) - 1
		k := p.left[last]
		p.left = p.left[:last]
		if state := p.Of(k); state != nil {
			look(k, state)
		}
	}
	p.cost += time.Since(start)
	if !p.Busy() {
		rest := pollShare * p.cost
		p.next = time.Now().Add(max(pollInterval, rest))
		if p.silent {
			p.nextSilent = time.Now().Add(max(p.Interval, rest))
		}
	}
}

// Next is when it is time for a round, zero for never.
func (p *Polls[K]) Next() time.Time {
	var next time.Time
	if len(p.Silent) > 0 {
		next = p.nextSilent
	}
	if len(p.Unwatched) > 0 && (next.IsZero() || p.next.Before(next)) {
		next = p.next
	}
	return next
}

// SilentTypes lists why directories may change without an event.
func (p *Polls[K]) SilentTypes() string {
	names := make(map[string]bool)
	for _, state := range p.Silent {
		names[state.Silent] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

// overFile names what is mounted over a single file.
const overFile = "a mounted file"

// Types knows the types of file systems by their devices.
type Types struct {
	// Find stands for filesystem.Of if it is set.
	Find  func(path string) filesystem.Type
	known map[uint64]filesystem.Type
}

// Of returns the type of the file system that is device dev; path is on it.
func (t *Types) Of(dev uint64, path string) filesystem.Type {
	found, ok := t.known[dev]
	if !ok {
		find := t.Find
		if find == nil {
			find = filesystem.Of
		}
		found = find(path)
		if t.known == nil {
			t.known = make(map[uint64]filesystem.Type)
		}
		t.known[dev] = found
	}
	return found
}

// Forget forgets all of them: a device that is gone may be another one's now.
func (t *Types) Forget() { clear(t.known) }

// Silence names what may change without an event in the directory at path, which is
// at or below the one whose mounts are followed, and on device dev; "" for nothing.
func Silence(types *Types, mounts *Mounts, dev uint64, path string) string {
	if t := types.Of(dev, path); t.Silent {
		return t.Name
	}
	if mounts.OverFile(strings.TrimPrefix(path[len(mounts.dir):], "/")) {
		return overFile
	}
	return ""
}
