package remote

import (
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

// What a transfer has found unreachable is judged anew if that may not be so any
// more when it ends.
func TestUnreachableIsJudgedAnew(t *testing.T) {
	away := []string{"m"}
	found := func(held *report.Held) *Unreachable {
		return &Unreachable{Away: away, Entries: []*dirty.Entry{{Path: "m", Change: wholly, Seq: 1, Since: start}}, Held: held}
	}
	held := func() *report.Held { return &report.Held{Count: 3, Reason: "m was unmounted"} }
	before := func(m *Machine) { m.apart.add(found(held()), m.newID(start)) }
	for name, test := range map[string]struct {
		// before is what is so when the transfer begins, meanwhile what happens then.
		before, meanwhile func(m *Machine)
		held              *report.Held
		want              report.State
	}{
		"it is away":                  {nil, nil, held(), report.Halted},
		"it is away, as was known":    {before, nil, nil, report.Halted},
		"it is back":                  {nil, func(m *Machine) { m.SetAway(nil, start) }, held(), report.Pending},
		"it is back, and was held":    {before, func(m *Machine) { m.SetAway(nil, start) }, nil, report.Pending},
		"another one is away as well": {before, func(m *Machine) { m.SetAway([]string{"m", "n"}, start) }, nil, report.Pending},
		"the user resumes":            {before, func(m *Machine) { m.order(report.Orders{Retry: 1}, 1, start) }, nil, report.Pending},
		"the user approves": {before, func(m *Machine) {
			if e := m.order(report.Orders{Approve: m.apart.Held.ID}, 1, start); len(e.Forget) != 1 {
				t.Errorf("approved: %+v", e)
			}
		}, nil, report.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			m := testMachine()
			m.SetAway(away, start)
			if test.before != nil {
				test.before(m)
			}
			s := &Sending{began: start, Order: Order{Away: away, AwayHeld: test.before != nil}}
			if test.meanwhile != nil {
				test.meanwhile(m)
			}
			m.End(s, Outcome{Unreachable: found(test.held)}, nil, start.Add(time.Second))
			got := m.Status(start.Add(time.Second))
			if got.State != test.want || got.Pending == 0 || (got.State == report.Halted) != (got.Held != nil) {
				t.Errorf("%s, %d pending, held %+v", got.State, got.Pending, got.Held)
			}
		})
	}
}

// What the user has approved is approved for whoever comes upon it.
func TestUnreachableIsApprovedOnce(t *testing.T) {
	m := testMachine()
	m.SetAway([]string{"m"}, start)
	u := &Unreachable{Away: []string{"m"}, Entries: []*dirty.Entry{{Path: "m", Change: wholly, Seq: 1, Since: start}}, Held: &report.Held{Count: 1}}
	u.Names.Add("m/f", true)
	m.apart.add(u, m.newID(start))
	m.recent.add(Count{7, 7}, start)
	m.order(report.Orders{Approve: m.apart.Held.ID}, 1, start)
	m.Everything(PassEvents, 2, start, start)
	s := m.Send(noRepositories{}, 2, true, start.Add(time.Second))
	if s.Order.Approved == nil || !s.Order.Approved.Covers("m/f") || s.Order.Recent != (Count{}) {
		t.Errorf("%+v", s.Order)
	}
}
