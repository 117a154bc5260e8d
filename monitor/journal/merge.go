package journal

import (
	"time"

	"wsync/monitor/report"
)

// mergeTime is how long what is sent to a remote is gathered into one event, after one was
// written: a file that changes all the time is not to fill the disk.
const mergeTime = time.Second

// gathered are events of what was sent that wait to be written, one a remote. It has no
// clock: times never decrease.
type gathered map[string]*gathering

// gathering is what was sent to a remote.
type gathering struct {
	due   time.Time // when the next event may be written
	event *report.Event
	names map[string]bool
}

// merges reports whether an event may be gathered with others.
func merges(e report.Event) bool { return e.Kind == report.EventSent }

// add takes in an event. ready are those to be written before anything else: it, if the
// last one was a while ago.
func (g gathered) add(e report.Event, now time.Time) (ready []report.Event) {
	key := e.RemoteID + "\x00" + e.Remote
	of := g[key]
	if of == nil {
		of = new(gathering)
		g[key] = of
	}
	if of.event == nil && !now.Before(of.due) {
		of.due = now.Add(mergeTime)
		return []report.Event{e}
	}
	if of.event == nil {
		of.event, of.names = &report.Event{Workspace: e.Workspace, Remote: e.Remote, RemoteID: e.RemoteID, Kind: e.Kind}, make(map[string]bool)
	}
	all := of.event
	all.Time, all.Files, all.Bytes, all.Took = e.Time, all.Files+e.Files, all.Bytes+e.Bytes, all.Took+e.Took
	var news report.PathList
	news.Count = e.Unnamed()
	for _, p := range e.Paths {
		if name := p.Name(); !of.names[name] {
			of.names[name] = true
			news.Add(p, report.MaxSentPaths)
		}
	}
	all.Join(news, report.MaxSentPaths)
	return nil
}

// due takes out what is to be written at now. next is when to ask again, zero for when
// there was an event.
func (g gathered) due(now time.Time) (ready []report.Event, next time.Time) {
	for key, of := range g {
		switch {
		case of.event == nil && !now.Before(of.due):
			delete(g, key)
		case of.event == nil:
		case !now.Before(of.due):
			ready = append(ready, *of.event)
			of.event, of.names, of.due = nil, nil, now.Add(mergeTime)
		case next.IsZero() || of.due.Before(next):
			next = of.due
		}
	}
	return ready, next
}

// all takes out all.
func (g gathered) all() (ready []report.Event) {
	for key, of := range g {
		if of.event != nil {
			ready = append(ready, *of.event)
		}
		delete(g, key)
	}
	return ready
}
