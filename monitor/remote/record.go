package remote

import (
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

// Record is what a transfer has done, by name, as far as the names are for the journal. It
// counts also if the transfer failed.
type Record struct {
	// Sent are the entries that were sent, Deleted and Renamed what became of others.
	// Unsure may have been deleted: the remote has not said so.
	Sent, Deleted, Renamed, Unsure report.PathList
	// MaxSent is how many of Sent have a name at most, 0 for report.MaxSentPaths; of those
	// the journal gets no more.
	MaxSent int
}

// AddSent adds an entry that was sent.
func (r *Record) AddSent(name string) {
	r.Sent.Add(report.NewEventPath(name, ""), max(r.MaxSent, report.MaxSentPaths))
}

// AddDeleted adds an entry that was deleted.
func (r *Record) AddDeleted(name string) {
	r.Deleted.Add(report.NewEventPath(name, ""), report.MaxDeletedPaths)
}

// AddRenamed adds an entry that has another name now.
func (r *Record) AddRenamed(from, to string) {
	r.Renamed.Add(report.NewEventPath(to, from), report.MaxDeletedPaths)
}

// AddUnsure adds an entry that may have been deleted.
func (r *Record) AddUnsure(name string) {
	r.Unsure.Add(report.NewEventPath(name, ""), report.MaxDeletedPaths)
}

// Events are what the journal is to know of a transfer that was taken at taken and has
// ended at now. ended is what the Machine made of it, and words says in words what is
// wrong with a path.
func Events(o Order, out Outcome, ended Ended, taken, now time.Time, words func(problem string) (said, hint string)) (events []report.Event) {
	add := func(e report.Event) {
		e.Time, e.Remote, e.RemoteID = now, o.Remote.Name, o.Remote.ID
		events = append(events, e)
	}
	list := func(kind report.EventKind, paths report.PathList, unsure bool) {
		if paths.Count > 0 {
			add(report.Event{Kind: kind, PathList: paths, Unsure: unsure})
		}
	}
	list(report.EventRenamed, out.Record.Renamed, false)
	sent := report.Event{Kind: report.EventSent, PathList: out.Record.Sent.First(report.MaxSentPaths), Files: out.Files, Bytes: out.Bytes, Took: now.Sub(taken)}
	passed := o.Batch.Everything != nil && out.Again.Everything == nil && out.Hold == nil
	switch {
	case out.Failure != nil:
	case passed && ended.Repaired > 0:
		sent.Kind = report.EventRepaired
		add(sent)
	case passed:
		sent.Kind = report.EventFullPass
		add(sent)
	case sent.Count > 0:
		add(sent)
	}
	list(report.EventDeleted, out.Record.Deleted, false)
	list(report.EventDeleted, out.Record.Unsure, true)
	if out.Failure == nil {
		list(report.EventFailing, newlyFailing(out.Failed, words), false)
	}
	return events
}

// newlyFailing are those that fail for the first time, each with the problem in words.
func newlyFailing(failed []*dirty.Entry, words func(problem string) (said, hint string)) (paths report.PathList) {
	for _, e := range failed {
		if e.Attempts != 1 || e.Reason == dirty.LeftOut {
			continue
		}
		p := report.NewEventPath(e.Path, "")
		p.Problem, _ = words(e.Problem)
		paths.Add(p, report.MaxSentPaths)
	}
	return paths
}
