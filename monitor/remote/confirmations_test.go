package remote

import (
	"slices"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// entries have the numbers as marks, one each, made at start.
func entries(marks ...uint64) (all []*dirty.Entry) {
	for _, m := range marks {
		all = append(all, &dirty.Entry{Path: string(rune('a' + m)), Seq: m, Since: start})
	}
	return all
}

func TestConfirmationWaitsForQuiet(t *testing.T) {
	c := NewConfirmations()
	if _, ok := c.Due(); ok || !c.None() || c.Open() != None {
		t.Error("something is to be confirmed at first")
	}
	c.Add(entries(4), start)
	c.Add(entries(3), start.Add(time.Second))
	if at, ok := c.Due(); !ok || !at.Equal(start.Add(time.Second+confirmQuiet)) {
		t.Errorf("due at %v, %v", at, ok)
	}
	if b := c.Take(start.Add(confirmQuiet)); !b.Empty() {
		t.Error("taken before it is due")
	}
	c.Add(entries(5), start.Add(confirmLimit-time.Second))
	if at, _ := c.Due(); !at.Equal(start.Add(confirmLimit)) {
		t.Errorf("due at %v, expected at the limit of the oldest", at)
	}
	if b := c.Take(start.Add(confirmLimit)); b.Len() != 3 || !c.Running() || c.Len() != 3 || c.Open() != 3 {
		t.Errorf("took %d, running %v, open %d", b.Len(), c.Running(), c.Open())
	}
	if !c.Touches("d") || c.Touches("x") {
		t.Error("touches the wrong paths")
	}
	c.End()
	if c.Len() != 0 || c.Open() != None {
		t.Error("something is open at the end")
	}
}

func TestConfirmationHurries(t *testing.T) {
	c := NewConfirmations()
	c.Add(entries(1), start)
	c.Hurry(start)
	if b := c.Take(start); b.Len() != 1 {
		t.Error("not due at once")
	}
	for i := range uint64(confirmCount) + 1 {
		c.Restore(dirty.Batch{Entries: []*dirty.Entry{{Path: time.Duration(i).String(), Seq: i, Since: start}}}, start)
	}
	c.Add(entries(1), start)
	if at, _ := c.Due(); !at.Equal(start) || c.Room() != 0 {
		t.Errorf("very many are due at %v, with room for %d more", at, c.Room())
	}
}

// What a broken line may still carry out is confirmed later, and keeps nothing
// else waiting.
func TestLateConfirmation(t *testing.T) {
	c := NewConfirmations()
	c.AddLate(entries(1), start)
	if at, ok := c.Due(); !ok || !at.Equal(start.Add(LateTime)) || !c.None() {
		t.Errorf("due at %v, %v", at, ok)
	}
	c.Add(entries(2), start)
	if b := c.Take(start.Add(confirmQuiet)); b.Len() != 1 || b.Entries[0].Seq != 2 {
		t.Errorf("took %+v", b)
	}
	c.End()
	if b := c.Take(start.Add(LateTime)); b.Len() != 2 || b.Entries[0].Seq != 1 {
		t.Errorf("took %+v", b)
	}
}

// A directory may have stayed for the sake of something that went late, and its time is
// another than it was left with.
func TestLateConfirmationOfDirectories(t *testing.T) {
	c := NewConfirmations()
	c.AddLate([]*dirty.Entry{{Path: "d/e/f", Change: watch.Entry, Seq: 1, Since: start}}, start)
	b := c.Take(start.Add(LateTime))
	if !slices.ContainsFunc(b.Entries, func(e *dirty.Entry) bool { return e.Path == "d/e" }) {
		t.Errorf("took %+v", b)
	}
}

// A line that breaks again and again puts off no confirmation of what was under way when it
// broke before.
func TestLateConfirmationOfALineThatBreaksOften(t *testing.T) {
	c := NewConfirmations()
	now := start
	for i := range 100 {
		c.AddLate(entries(uint64(i+1)), now)
		now = now.Add(5 * time.Second)
	}
	if n := len(c.late); n > brokenApart {
		t.Errorf("%d apart", n)
	}
	if at, ok := c.Due(); !ok || at.After(start.Add(LateTime+brokenTogether)) {
		t.Errorf("the first are due after %v", at.Sub(start))
	}
	if until := c.LateUntil(); !until.Equal(now.Add(LateTime - 5*time.Second)) {
		t.Errorf("the last after %v", until.Sub(start))
	}
	b := c.Take(start.Add(LateTime + brokenTogether))
	if n := b.Len(); n == 0 || n > 5 {
		t.Errorf("%d are confirmed first", n)
	}
}
