package monitor

import (
	"errors"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

func TestStates(t *testing.T) {
	failed := &dirty.Entry{Path: "bad", Seq: 1, Attempts: 2, Problem: "no", Change: watch.Content}
	for name, test := range map[string]struct {
		prepare func(w *worker)
		want    report.State
		message string
	}{
		"starting":          {func(w *worker) { w.everArmed = false }, report.Starting, ""},
		"in sync":           {func(w *worker) {}, report.InSync, ""},
		"pending":           {func(w *worker) { w.set.Mark("f", watch.Content, 1, time.Now()) }, report.Pending, ""},
		"a pass is pending": {func(w *worker) { w.set.MarkEverything(1, time.Now(), time.Now()) }, report.Pending, ""},
		"syncing":           {func(w *worker) { w.cancel = func() {} }, report.Syncing, ""},
		"retrying":          {func(w *worker) { w.failures, w.failure = 1, outcome{err: errors.New("why")} }, report.Retrying, "why"},
		"offline":           {func(w *worker) { w.failures, w.failure = 1, outcome{err: errors.New("why"), offline: true} }, report.Offline, "why"},
		"offline, and trying": {func(w *worker) {
			w.failures, w.failure, w.cancel = 1, outcome{err: errors.New("why"), offline: true}, func() {}
		}, report.Offline, "why"},
		"a path fails": {func(w *worker) { w.set.Restore(dirty.Batch{Entries: []*dirty.Entry{failed}}, time.Now()) }, report.Retrying, "no"},
		"a path that fails is tried": {func(w *worker) {
			w.inFlight, w.cancel = dirty.Batch{Entries: []*dirty.Entry{failed}}, func() {}
		}, report.Syncing, "no"},
		"halted":           {func(w *worker) { w.halt = "gone" }, report.Halted, "gone"},
		"held":             {func(w *worker) { w.hold = &hold{id: "1", reason: "many", entries: []*dirty.Entry{failed}} }, report.Halted, "many"},
		"paused":           {func(w *worker) { w.paused = true }, report.Paused, ""},
		"paused over all":  {func(w *worker) { w.paused, w.failures, w.failure = true, 1, outcome{err: errors.New("why")} }, report.Paused, "why"},
		"halted over fail": {func(w *worker) { w.halt, w.failures, w.failure = "gone", 1, outcome{err: errors.New("why")} }, report.Halted, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &worker{set: dirty.NewSet(), confirmations: remote.NewConfirmations(), everArmed: true, remote: config.Remote{Name: "r"}}
			test.prepare(w)
			now := time.Now()
			s := w.status(now)
			if s.State != test.want || s.Error != test.message || !s.Since.Equal(now) || s.Name != "r" {
				t.Errorf("%s, %q, expected %s, %q", s.State, s.Error, test.want, test.message)
			}
			if again := w.status(now.Add(time.Second)); !again.Since.Equal(now) {
				t.Error("the same state is new")
			}
			if open := s.Pending > 0 || s.PendingEverything; open && s.State == report.InSync || open != (s.OldestPending != nil) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A barrier is reached when nothing older is open, in the set, under way or
// held.
func TestBarrierWaitsForAll(t *testing.T) {
	old := dirty.Batch{Entries: []*dirty.Entry{{Path: "f", Seq: 3, Since: time.Now()}}}
	for name, test := range map[string]struct {
		prepare func(w *worker)
		want    uint64
		proven  uint64
	}{
		"nothing":       {func(w *worker) {}, 7, 7},
		"a later mark":  {func(w *worker) { w.set.Mark("f", watch.Content, 6, time.Now()) }, 7, 7},
		"in the set":    {func(w *worker) { w.set.Restore(old, time.Now()) }, 0, 0},
		"everything":    {func(w *worker) { w.set.MarkEverything(2, time.Now(), time.Now()) }, 0, 0},
		"under way":     {func(w *worker) { w.inFlight = old }, 0, 0},
		"held":          {func(w *worker) { w.hold = &hold{id: "1", entries: old.Entries} }, 0, 0},
		"a held pass":   {func(w *worker) { w.hold = &hold{id: "1", pass: old.Entries[0]} }, 0, 0},
		"unconfirmed":   {func(w *worker) { w.confirmations.Restore(old, time.Now()) }, 7, 0},
		"confirming":    {func(w *worker) { w.confirmations.Restore(old, time.Time{}); w.confirmations.Take(time.Now()) }, 7, 0},
		"not yet armed": {func(w *worker) { w.everArmed = false }, 0, 0},
	} {
		w := &worker{set: dirty.NewSet(), confirmations: remote.NewConfirmations(), everArmed: true, changed: func(bool) {}}
		w.barriers.Add(7, 5)
		test.prepare(w)
		w.answer()
		if w.barriers.Acknowledged != test.want {
			t.Errorf("%s: reached %d, expected %d", name, w.barriers.Acknowledged, test.want)
		}
		if w.barriers.Verified != test.proven {
			t.Errorf("%s: proven %d, expected %d", name, w.barriers.Verified, test.proven)
		}
	}
}

// What folded into a full pass was announced: it is no drift.
func TestFoldIsNoDrift(t *testing.T) {
	b := newBench(t)
	b.pass()
	write(t, b.src, "announced")
	for i := range dirty.Limit + 1 {
		b.seq++
		b.set.Mark(numbered("x", 1)[0]+string(rune('a'+i%26))+time.Duration(i).String()+"/f", watch.Content, b.seq, b.now)
	}
	if !b.set.Everything() {
		t.Fatal("nothing folded")
	}
	b.drain()
	if b.passes.Drift != 0 {
		t.Errorf("a drift of %d", b.passes.Drift)
	}
}
