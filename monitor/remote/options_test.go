package remote

import (
	"math/rand/v2"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/report"
)

// TestOwnInterval: a remote's own time between full passes counts instead of that of the
// settings, from the last pass on when it is shorter.
func TestOwnInterval(t *testing.T) {
	now := time.Unix(1000, 0)
	m := NewMachine(Options{Random: rand.New(rand.NewPCG(1, 2))}, now)
	define := func(own time.Duration) {
		m.Define(Definition{Remote: config.Remote{Name: "r", FullPass: config.Interval(own)}, Settings: report.Settings{FullPassInterval: time.Hour}}, 1, now)
	}
	define(0)
	m.passes.Done(PassStart, 0, now, m.passes.Interval)
	for _, step := range []struct{ own, next time.Duration }{{10 * time.Minute, 10 * time.Minute}, {2 * time.Minute, 2 * time.Minute}, {0, 2 * time.Minute}} {
		define(step.own)
		if at, ok := m.passes.Next(); !ok || at.Sub(now) != step.next {
			t.Errorf("%v: the next one is after %v, want %v", step.own, at.Sub(now), step.next)
		}
	}
	if m.passes.Interval != time.Hour {
		t.Errorf("the default is %v", m.passes.Interval)
	}
}

// TestReconfigure: what a change of options asks for, and no more, follows from it.
func TestReconfigure(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		change func(r *config.Remote)
		want   config.Effect
	}{
		"nothing":     {func(*config.Remote) {}, config.Effect{}},
		"full-pass":   {func(r *config.Remote) { r.FullPass = config.Interval(time.Hour) }, config.Effect{}},
		"rsync-path":  {func(r *config.Remote) { r.RsyncPath = "/r" }, config.Effect{Transfers: true}},
		"trash":       {func(r *config.Remote) { r.Trash = config.Age(time.Hour) }, config.Effect{Transfers: true, Pass: true}},
		"unsupported": {func(r *config.Remote) { r.SkipUnsupported = true }, config.Effect{}},
	} {
		m := NewMachine(Options{Random: rand.New(rand.NewPCG(1, 2))}, now)
		d := Definition{Remote: config.Remote{Name: "r"}}
		m.Define(d, 1, now)
		c.change(&d.Remote)
		e := m.Define(d, 2, now)
		if got := (config.Effect{Transfers: e.Reset && e.Cancel, Pass: m.set.Everything()}); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
