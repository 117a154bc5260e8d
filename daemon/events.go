package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/journal"
	"wsync/monitor/report"
)

// eventsInterval is how often the journals are looked at that somebody follows.
const eventsInterval = 200 * time.Millisecond

// events handles GET /v1/events.
func (d *Daemon) events(r *http.Request) (any, error) {
	query := r.URL.Query()
	f := &following{d: d, workspace: query.Get("workspace"), known: make(map[*entry]bool)}
	var err error
	if f.filter, err = filterOf(query); err != nil {
		return nil, &api.Error{Kind: api.Invalid, Message: err.Error()}
	}
	f.follow = query.Get("follow") != ""
	d.lock.Do(func() {
		if f.workspace != "" {
			f.entry, err = d.named(f.workspace)
		}
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// filterOf is what api.EventsQuery asks for.
func filterOf(query url.Values) (f journal.Filter, err error) {
	f = journal.Filter{Remote: query.Get("remote"), Deleted: query.Get("deleted") != "", Path: query.Get("path")}
	for name, at := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		if *at, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return f, fmt.Errorf("%s=%s is no time as of RFC 3339", name, text)
		}
	}
	if err := f.Check(); err != nil {
		return f, fmt.Errorf("%q is no pattern: %v", f.Path, err)
	}
	return f, nil
}

// following is a request for events. It implements stream.
type following struct {
	d *Daemon
	// workspace is the name that was asked for, and entry its workspace; "" is for all.
	workspace string
	entry     *entry
	filter    journal.Filter
	follow    bool
	merger    journal.Merger
	known     map[*entry]bool // those whose journals are in merger; nil is for the daemon's own
}

// serve implements stream.
func (f *following) serve(ctx context.Context, w io.Writer, flush func() error) error {
	defer f.merger.Close()
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	ticker := time.NewTicker(eventsInterval)
	defer ticker.Stop()
	for {
		f.addSources()
		for {
			e, ok := f.merger.Next()
			if !ok {
				break
			}
			if e, ok = f.filter.Take(e); !ok || f.isOthers(e) {
				continue
			}
			if err := encoder.Encode(e); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		if !f.follow {
			return encoder.Encode(struct {
				End bool `json:"end"`
			}{true})
		}
		if err := flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // as much as there is to say
		case <-ticker.C:
		}
	}
}

// addSources adds the journals that are not read yet.
func (f *following) addSources() {
	if !f.known[nil] {
		f.known[nil] = true
		f.merger.Add(journal.NewCursor(f.d.ownJournal(), journal.SeriesDaemon, f.filter.Since), nil)
	}
	f.d.lock.Do(func() {
		for _, name := range f.d.order {
			e := f.d.entries[name]
			if f.known[e] || f.entry != nil && f.entry != e {
				continue
			}
			f.known[e] = true
			dir, call := f.d.journalDirectory(e.workspace), f.callNow(e)
			for _, series := range journal.Series {
				f.merger.Add(journal.NewCursor(dir, series, f.filter.Since), call)
			}
		}
	})
}

// isOthers reports whether an event is about another workspace than the one that was asked
// for: the daemon's own journal has those of all.
func (f *following) isOthers(e report.Event) bool {
	return f.entry != nil && (e.Kind == report.EventAdded || e.Kind == report.EventRemoved) && e.Workspace != f.workspace
}

// callNow gives the workspace and the remote of an event the names that they have now.
func (f *following) callNow(e *entry) func(report.Event) report.Event {
	var workspace config.Workspace
	var at time.Time
	return func(event report.Event) report.Event {
		if now := time.Now(); now.Sub(at) > eventsInterval {
			f.d.lock.Do(func() { workspace = e.workspace.Clone() })
			at = now
		}
		if event.Kind == report.EventName && event.Remote == "" {
			return event // it is about the name
		}
		event.Workspace = workspace.Name
		for _, r := range workspace.Remotes {
			if r.ID == event.RemoteID && event.Kind != report.EventName {
				event.Remote = r.Name
			}
		}
		return event
	}
}
