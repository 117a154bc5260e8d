package daemon

import (
	"context"
	"time"

	"wsync/monitor/report"
)

const (
	// chroniclePause is the least time between two looks at all remotes.
	chroniclePause = 200 * time.Millisecond
	// sendingTime is how long a remote is being sent to before that is an event: a small
	// change is one by itself.
	sendingTime = 2 * time.Second
	// wordsTime is the least time between two events that differ in what is wrong only.
	wordsTime = time.Minute
)

// told is what the journal knows of the state of a remote.
type told struct {
	state report.State
	error string
	at    time.Time
	held  string // report.Held.ID, "" for nothing
}

// next decides which of a status is an event at now. again is when to look again even if
// the status stays as it is, zero for never.
func (t told) next(s report.RemoteStatus, now time.Time) (events []report.Event, then told, again time.Time) {
	state := s.State
	switch state {
	case report.Confirming:
		state = report.InSync
	case report.Pending:
		state = report.Syncing
	}
	held := ""
	if s.Held != nil {
		held = s.Held.ID
	}
	if t.held != held {
		t.held = held
		if held != "" {
			t.state, t.error, t.at = state, s.Error, now
			event := report.Event{Kind: report.EventHeld, Error: s.Error, Hint: s.Hint, PathList: heldPaths(s.Held)}
			return []report.Event{event}, t, again
		}
	}
	since := s.Since
	switch {
	case state == report.Starting:
		return nil, t, again
	case state == t.state && s.Error == t.error:
		return nil, t, again
	case state == t.state && state != report.Syncing && now.Sub(t.at) < wordsTime:
		return nil, t, t.at.Add(wordsTime)
	case state == t.state && s.Error == "":
		t.error = ""
		return nil, t, again
	case state == report.Syncing && s.Error == "" && now.Sub(since) < sendingTime:
		return nil, t, since.Add(sendingTime)
	}
	first := t.state == ""
	t.state, t.error, t.at = state, s.Error, now
	if state == report.Paused && !first {
		return nil, t, again // that was told when somebody did it
	}
	return []report.Event{{Kind: report.EventState, State: state, Error: s.Error, ErrorPath: s.ErrorPath, Hint: s.Hint}}, t, again
}

// heldPaths are the deletions that are held, of which some are named.
func heldPaths(held *report.Held) (paths report.PathList) {
	for _, name := range held.Sample {
		paths.Add(report.NewEventPath(name, ""), report.MaxSentPaths)
	}
	paths.Count = max(held.Count, len(paths.Paths))
	return paths
}

// chronicle tells the journals of the states of all remotes, until ctx is done.
func (d *Daemon) chronicle(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var changed <-chan struct{}
		var again time.Time
		now := time.Now()
		d.lock.Do(func() {
			changed = d.changed
			for _, name := range d.order {
				if at := d.entries[name].chronicle(d, now); !at.IsZero() && (again.IsZero() || at.Before(again)) {
					again = at
				}
			}
		})
		timer.Stop()
		if !again.IsZero() {
			timer.Reset(again.Sub(now))
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(chroniclePause):
		}
	}
}

// chronicle tells the journal of the states of its remotes. The lock is held.
func (e *entry) chronicle(d *Daemon, now time.Time) (again time.Time) {
	present := make(map[string]bool, len(e.workspace.Remotes))
	for _, r := range e.workspace.Remotes {
		present[r.Name] = true
		if e.isProvisional(r.Name) {
			continue
		}
		events, then, at := e.told[r.Name].next(d.remoteStatus(e, r), now)
		for _, event := range events {
			event.Remote = r.Name
			e.tell(event)
		}
		e.told[r.Name] = then
		if !at.IsZero() && (again.IsZero() || at.Before(again)) {
			again = at
		}
	}
	for name := range e.told {
		if !present[name] {
			delete(e.told, name)
		}
	}
	return again
}
