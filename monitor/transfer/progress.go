package transfer

import (
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/rsync"
)

// publish says how far the transfer is.
func (t *transfer) publish() { t.asker.Progress(t.counter.Progress) }

// followSize is the size in bytes from which on a file is worth knowing how much of it has
// left.
const followSize = 1 << 20

// lookedStep is after how many entries it is said how many were looked at.
const lookedStep = 1000

// looked takes in that an entry of the workspace was looked at.
func (t *transfer) looked() {
	if t.counter.Looked++; t.counter.Looked%lookedStep == 0 {
		t.publish()
	}
}

// awaits says what of the names of a sweep is to be sent, as far as is known: what a look
// has found, which was before; all, where nobody has looked; or nothing, where most is
// expected to be equal.
func (t *transfer) awaits(s sweep) {
	switch {
	case s.unlike || s.equal || t.Confirm && s.look == nil:
		t.counter.look()
	case s.look == nil || t.endpoint.Strategy.Basic:
		t.counter.found = nil
	}
}

// expect takes in that names are to be sent, and reports whether a large file is among
// them.
func (t *transfer) expect(names []string) (large bool) {
	lstat := rsync.LstatIn(t.lane.root)
	for _, name := range names {
		if !t.counter.isFound(name) {
			continue
		}
		if info, err := lstat(name); err == nil && info.Mode().IsRegular() {
			t.counter.expect(name, info.Size())
			large = large || info.Size() >= followSize
		}
	}
	t.counter.Looking = t.counter.found != nil && t.counter.TotalFiles == t.counter.Files && t.counter.Looking
	t.publish()
	return large
}

// sentListed takes in that all of names that had to be sent was.
func (t *transfer) sentListed(names []string) {
	t.counter.drop(names)
	t.publish()
}

// expectFlight takes in what a flight is to put.
func (t *transfer) expectFlight(steps []direct.Step) {
	for _, s := range steps {
		if s.Kind == direct.PutFile {
			t.counter.expect(s.Path, s.Info.Size())
		}
	}
	t.publish()
}

// landed takes in what a flight has put.
func (t *transfer) landed(steps []direct.Step, refused map[*dirty.Entry]bool) {
	for _, s := range steps {
		switch {
		case s.Kind != direct.PutFile:
		case refused[s.Entry]:
			t.counter.drop([]string{s.Path})
		default:
			t.counter.put(s.Path, s.Info.Size())
		}
	}
	t.publish()
}
