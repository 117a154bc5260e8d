package remote

import (
	"math/rand/v2"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// Requests that an earlier monitor has made may arrive after the pass at the start: there is
// another one when they no longer can.
func TestLateOfAnEarlierMonitor(t *testing.T) {
	before := testMachine()
	before.confirmations.AddLate([]*dirty.Entry{{Path: "a", Change: watch.Entry, Seq: 1, Since: start}}, start)
	until := before.LateUntil()
	if !until.Equal(start.Add(LateTime)) {
		t.Fatalf("until %v", until)
	}
	now := start.Add(10 * time.Second)
	for _, test := range []struct {
		name       string
		left, want time.Time
	}{
		{"in time", until, until}, {"over", now.Add(-time.Second), time.Time{}},
		{"with the clock set back", now.Add(time.Hour), now.Add(LateTime)},
	} {
		m := NewMachine(Options{Random: rand.New(rand.NewPCG(1, 2)), LateUntil: test.left}, now)
		m.Define(Definition{Remote: config.Remote{Name: "r"}, Settings: report.Settings{FullPassInterval: 24 * time.Hour}}, 0, now)
		m.Arm()
		if !m.LateUntil().Equal(test.want) {
			t.Errorf("%s: until %v, want %v", test.name, m.LateUntil(), test.want)
		}
		if test.want.IsZero() {
			continue
		}
		m.Everything(PassStart, 1, now, now)
		m.End(m.Send(noRepositories{}, 1, false, now), Outcome{}, nil, now)
		mark := func() uint64 { return 2 }
		if step, at := m.Next(now, mark); step != Sleep || !at.Equal(test.want) {
			t.Errorf("%s: step %d at %v", test.name, step, at)
		}
		if step, _ := m.Next(test.want, mark); step != Send || !m.LateUntil().IsZero() {
			t.Errorf("%s: step %d when they can no longer arrive", test.name, step)
		}
	}
}
