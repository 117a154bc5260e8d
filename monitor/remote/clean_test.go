package remote

import (
	"testing"
	"time"

	"wsync/config"
)

// Until when a remote equals the workspace is about one directory: in another one nothing
// is old enough not to be compared, also not for a transfer that had begun before.
func TestAnotherRoot(t *testing.T) {
	one, other := config.RootIdentity{Device: 1, Inode: 2, FileSystem: "a"}, config.RootIdentity{Device: 1, Inode: 3, FileSystem: "a"}
	moved := config.RootIdentity{Device: 9, Inode: 2, FileSystem: "a"} // the same, after a boot
	m := testMachine()
	now := start
	define := func(root *config.RootIdentity) {
		now = now.Add(time.Minute)
		m.Define(Definition{Remote: config.Remote{Name: "r"}, Root: root}, 1, now)
	}
	define(&one)
	began := now
	m.clean.nothingOpen(began)
	for _, same := range []*config.RootIdentity{&one, nil, &moved} {
		if define(same); !m.clean.asOf.Equal(began.Add(-CleanMargin)) {
			t.Fatalf("%v counts as another directory", same)
		}
	}
	define(&other)
	if stamp := m.clean.nothingOpen(began); !m.clean.asOf.Equal(time.Unix(0, 0)) || !stamp.IsZero() {
		t.Errorf("clean as of %v, stamp %v", m.clean.asOf, stamp)
	}
	if m.clean.nothingOpen(now.Add(time.Minute)); m.clean.asOf.Before(now) {
		t.Errorf("clean as of %v after a transfer that began later", m.clean.asOf)
	}
}

// As long as nothing is known to be equal, a second pass looks into what may have changed
// since the first transfer began: it may have been sent by that, and look the same.
func TestSecondPassLooksInto(t *testing.T) {
	m := testMachine()
	pass := func(now time.Time) *Sending {
		m.Everything(PassEvents, 1, now, now)
		return m.Send(noRepositories{}, 1, false, now)
	}
	first := pass(start)
	if !first.Order.Since.IsZero() {
		t.Errorf("the first pass looks into what has changed since %v", first.Order.Since)
	}
	m.Mark("a", made, 2, start)
	m.End(first, Outcome{}, nil, start.Add(time.Second))
	if second := pass(start.Add(2 * time.Second)); !second.Order.Since.Equal(start.Add(-CleanMargin)) {
		t.Errorf("the second pass looks into what has changed since %v", second.Order.Since)
	}
}
