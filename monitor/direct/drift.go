package direct

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"wsync/monitor/dirty"
)

// What others do at the destination has no events. What it costs next to nothing to
// notice is that they made or removed something in the destination itself, or in
// a directory in which a change has to be made anyway: that sets the directory's
// time, which is the workspace's when this side has left it.

// RememberTimes remembers the destination as a transfer has left it. What was made by
// other means than this lane is known by then. In TempDir another mirror may have
// left its mark.
func (l *Lane) RememberTimes() {
	if l.leftAt != nil {
		return // nothing was sent since, and nobody has looked
	}
	l.leftAt = map[string]TimeReply{"": l.target.Modified(""), TempDir: l.target.Modified(TempDir)}
	l.target.Flush()
}

// AwaitTimes waits for what RememberTimes asked for: what somebody else does from then on
// shows.
func (l *Lane) AwaitTimes() {
	for _, reply := range l.leftAt {
		_, _ = reply.Wait() // Drifted looks at it
	}
}

// ForgetTimes forgets how the destination was left: from now on it is changed by other
// means than this lane, until the next RememberTimes.
func (l *Lane) ForgetTimes() { l.leftAt = nil }

// Drifted reports whether somebody else has made or removed something in the
// destination itself since Settle, or has removed it. A flight sees that with the next
// change; this is for when there is none. It costs a look at two directories, by SFTP
// one round trip, and forgets nothing. A destination that does not answer has not
// drifted, as far as is known.
func (l *Lane) Drifted() bool {
	if len(l.leftAt) == 0 {
		return false
	}
	now := make(map[string]TimeReply, len(l.leftAt))
	for dir := range l.leftAt {
		now[dir] = l.target.Modified(dir)
	}
	l.target.Flush()
	for dir, before := range l.leftAt {
		was, err := before.Wait()
		is, errNow := now[dir].Wait()
		if err == nil && (errors.Is(errNow, fs.ErrNotExist) || errNow == nil && !is.Equal(was)) {
			return true
		}
	}
	return false
}

// askTimes asks when the directories were changed last in which somebody else's
// changes would show. The answers come before those to the other requests, so that
// nobody has to wait for them; seesDrift looks at them.
func (f *flight) askTimes(moves []dirty.Move, steps []Step) {
	target := f.lane.target
	for dir, before := range f.lane.leftAt {
		now := target.Modified(dir)
		f.times = append(f.times, func() bool {
			was, err := before.Wait()
			is, errNow := now.Wait()
			return err == nil && errNow == nil && !is.Equal(was)
		})
	}
	f.lane.leftAt = nil
	if len(moves) > 0 {
		return // the directories have other names yet
	}
	for _, s := range steps {
		if s.Kind != SetAttributes || !s.Parent || s.Path == "" {
			continue
		}
		reply := target.Modified(s.Path)
		f.times = append(f.times, func() bool {
			is, err := reply.Wait()
			return err == nil && isLater(is, s.Info.ModTime())
		})
	}
}

// seesDrift reports whether one of the directories was changed by somebody else.
func (f *flight) seesDrift() bool {
	return slices.ContainsFunc(f.times, func(differs func() bool) bool { return differs() })
}

// isLater reports whether a directory of the target was changed after the workspace's,
// whose time it was given: at some earlier change, so it may well be older. The
// target's may lack the fraction.
func isLater(there, here time.Time) bool {
	if there.Nanosecond() == 0 {
		here = here.Truncate(time.Second)
	}
	return there.After(here)
}
