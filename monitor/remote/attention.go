package remote

import "wsync/monitor/dirty"

// attention reports whether something fails until somebody does something about it, and
// the last request to wait that cannot be answered before, as was tried since it came.
func (m *Machine) attention(failing []*dirty.Entry) (needed bool, stuck uint64) {
	if m.retry.needsPerson() {
		needed, stuck = true, m.barriers.Stuck(0, m.retry.barrier)
	}
	for _, e := range failing {
		if e.NeedsPerson() {
			needed, stuck = true, max(stuck, m.barriers.Stuck(e.Seq, e.Barrier))
		}
	}
	return needed, stuck
}

// failing are the paths that fail, and the full pass if that does, but for what nobody
// waits for.
func (m *Machine) failing() (all []*dirty.Entry) {
	add := func(e *dirty.Entry) {
		if e.Failing() && !(e.Parked() && (m.remote.SkipUnsupported || e.Reason == dirty.LeftOut)) {
			all = append(all, e)
		}
	}
	for _, e := range m.set.Failing() {
		add(e)
	}
	if pass := m.set.FailingPass(); pass != nil {
		add(pass)
	}
	for _, b := range m.underWay() {
		for _, e := range b.Entries {
			add(e)
		}
		if b.Everything != nil {
			add(b.Everything)
		}
	}
	return all
}

// firstFailing is the failing path, or full pass, that is shown, nil for none: one that
// needs somebody, or else that which is tried next.
func firstFailing(all []*dirty.Entry) (first *dirty.Entry) {
	for _, e := range all {
		if first == nil || before(e, first) {
			first = e
		}
	}
	return first
}

func before(a, b *dirty.Entry) bool {
	switch needs := a.NeedsPerson(); {
	case needs != b.NeedsPerson():
		return needs
	case !a.NotBefore.Equal(b.NotBefore):
		return a.NotBefore.Before(b.NotBefore)
	}
	return a.Path < b.Path
}
