package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"wsync/client/live"
	"wsync/daemon/api"
)

const (
	// mostStreams is how many answers may be under way that go on.
	mostStreams = 64
	// boardInterval is how often a browser is told of the board, so that times are right.
	boardInterval = time.Second
	// writeTime is how long a browser may take to read.
	writeTime = 30 * time.Second
	// silentTime is how long the daemon may say nothing before nothing is taken for true.
	silentTime = 6 * time.Second
)

// stream is an answer that goes on, of server-sent events.
type stream struct {
	w  http.ResponseWriter
	mu sync.Mutex
}

// begin begins an answer that goes on; nil if there are too many. end is to be called.
func (v *view) begin(w http.ResponseWriter) (s *stream, end func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.streams >= mostStreams {
		answer(w, http.StatusServiceUnavailable, failure{"too many browsers"})
		return nil, func() {}
	}
	v.streams++
	w.Header().Set("Content-Type", "text/event-stream")
	return &stream{w: w}, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.streams--
	}
}

// send sends a value.
func (s *stream) send(value any) error {
	data, err := json.Marshal(value) // which has no line ends
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	control := http.NewResponseController(s.w)
	_ = control.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := fmt.Fprintf(s.w, "data: %s\n\n", data); err != nil {
		return err
	}
	return control.Flush()
}

// boardNews is what is new of a board: all of it at first.
type boardNews struct {
	Summary string   `json:"summary"`
	Notes   []string `json:"notes,omitempty"`
	// Stale says that what is shown is what was, and why; "" if it is so.
	Stale string `json:"stale,omitempty"`
	// Order are the keys of all rows in their order, if that has changed, and Rows those that
	// have.
	Order []live.Key        `json:"order"` // null if it has not
	Rows  []json.RawMessage `json:"rows,omitempty"`
	// Ended says why no more will come.
	Ended string `json:"ended,omitempty"`
}

// told is what a browser knows.
type told struct {
	order []live.Key
	rows  map[live.Key]string
}

// news is what the browser does not know of a board yet.
func (t *told) news(b live.Board) (n boardNews) {
	n.Summary, n.Notes = b.Summary, b.Notes
	order, rows := make([]live.Key, 0, len(b.Rows)), make(map[live.Key]string, len(b.Rows))
	changed := len(b.Rows) != len(t.order) || t.rows == nil
	for i, row := range b.Rows {
		key := row.Key()
		text, err := json.Marshal(row)
		if err != nil {
			continue
		}
		if t.rows[key] != string(text) {
			n.Rows = append(n.Rows, text)
		}
		changed = changed || t.order[i] != key
		order, rows[key] = append(order, key), string(text)
	}
	if changed {
		n.Order = order
	}
	t.order, t.rows = order, rows
	return n
}

// serveBoard tells of the board until the browser leaves.
func (v *view) serveBoard(w http.ResponseWriter, r *http.Request) {
	s, end := v.begin(w)
	defer end()
	if s == nil {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	updates, ended := make(chan live.Update), make(chan error, 1)
	go func() {
		ended <- v.backend.Follow(ctx, func(u live.Update) {
			select {
			case updates <- u:
			case <-ctx.Done():
			}
		})
	}()
	ticker := time.NewTicker(boardInterval)
	defer ticker.Stop()
	var status *api.Status
	var known told
	var gone error
	at := time.Now()
	for first := true; ; {
		select {
		case <-ctx.Done():
			return
		case err := <-ended:
			if err != nil && ctx.Err() == nil {
				_ = s.send(boardNews{Ended: err.Error()})
			}
			return
		case u := <-updates:
			if gone = u.Err; gone == nil {
				at = u.At
			}
			if u.Status != nil {
				status = u.Status
			}
			if !first || status == nil {
				continue // with the next tick
			}
		case <-ticker.C:
		}
		now := time.Now()
		var n boardNews
		if status != nil {
			first = false
			n = known.news(v.backend.Board(status, now))
		}
		if gone != nil || now.Sub(at) > silentTime {
			n.Stale = fmt.Sprintf("no answer from the daemon for %s: below is what was", now.Sub(at).Truncate(time.Second))
		}
		if gone != nil {
			n.Stale += "; " + gone.Error()
		}
		if s.send(n) != nil {
			return
		}
	}
}

// keyOf is the remote that a request is about.
func keyOf(r *http.Request) live.Key {
	query := r.URL.Query()
	return live.Key{Workspace: query.Get("workspace"), Remote: query.Get("remote")}
}

// serveDetails answers with all that there is to say about a remote now.
func (v *view) serveDetails(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var news live.Update
	err := v.backend.Follow(ctx, func(u live.Update) { // of which the first is enough
		if news.Status == nil && news.Err == nil {
			news = u
		}
		cancel()
	})
	if err = errors.Join(err, news.Err); err != nil || news.Status == nil {
		answer(w, http.StatusBadGateway, failure{fmt.Sprint(err)})
		return
	}
	for _, row := range v.backend.Board(news.Status, time.Now()).Rows {
		if row.Key() == keyOf(r) {
			answer(w, http.StatusOK, map[string]any{"lines": row.Details()})
			return
		}
	}
	answer(w, http.StatusNotFound, failure{keyOf(r).String() + " is not there any more"})
}

// lines is news of an answer in lines.
type lines struct {
	Lines    []string `json:"lines,omitempty"`
	Progress *string  `json:"progress,omitempty"`
	End      bool     `json:"end,omitempty"`
	Error    string   `json:"error,omitempty"`
}

const (
	// gatherTime is how long lines are gathered.
	gatherTime = 100 * time.Millisecond
	// mostLines is how many lines of a list a browser is told of.
	mostLines = 20_000
)

// serveLines answers with the lines that tell tells, of which there may be most, until that
// returns or the browser leaves.
func (v *view) serveLines(w http.ResponseWriter, r *http.Request, most int, tell func(ctx context.Context, out live.Output) error) {
	s, end := v.begin(w)
	defer end()
	if s == nil {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var mu sync.Mutex
	var next lines
	count := 0
	flush := func() {
		mu.Lock()
		n := next
		next = lines{}
		mu.Unlock()
		if (n.Lines != nil || n.Progress != nil) && s.send(n) != nil {
			cancel()
		}
	}
	out := live.Output{
		Line: func(line string) {
			mu.Lock()
			defer mu.Unlock()
			if count++; count <= most {
				next.Lines = append(next.Lines, line)
			}
		},
		Progress: func(text string) { mu.Lock(); defer mu.Unlock(); next.Progress = &text },
	}
	ended := make(chan error, 1)
	go func() { ended <- tell(ctx, out) }()
	ticker := time.NewTicker(gatherTime)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			<-ended
			return
		case err := <-ended:
			flush()
			last := lines{End: true}
			if more := count - most; more > 0 {
				last.Lines = []string{fmt.Sprintf("and %d more lines", more)}
			}
			if err != nil {
				last.Error = err.Error()
			}
			_ = s.send(last)
			return
		case <-ticker.C:
			flush()
		}
	}
}

// serveEvents tells what has happened to a remote, and what happens.
func (v *view) serveEvents(w http.ResponseWriter, r *http.Request) {
	v.serveLines(w, r, math.MaxInt, func(ctx context.Context, out live.Output) error {
		return v.backend.Events(ctx, keyOf(r), out.Line)
	})
}

// serveList lists what is held of a remote, what a comparison of all contents finds, or what is
// known of a path. The first two cost, and are part of what is controlled.
func (v *view) serveList(w http.ResponseWriter, r *http.Request) {
	of, query := keyOf(r), r.URL.Query()
	kind := query.Get("kind")
	list := map[string]func(context.Context, live.Output) error{
		"held":   func(ctx context.Context, out live.Output) error { return v.backend.Held(ctx, of, out) },
		"verify": func(ctx context.Context, out live.Output) error { return v.backend.Verify(ctx, of, out) },
		"explain": func(ctx context.Context, out live.Output) error {
			return v.backend.Explain(ctx, of, query.Get("path"), out)
		},
	}[kind]
	switch {
	case list == nil:
		answer(w, http.StatusNotFound, failure{"there is no such list"})
	case kind != "explain" && !v.options.Control:
		answer(w, http.StatusForbidden, failure{readOnly})
	default:
		v.serveLines(w, r, mostLines, list)
	}
}

const readOnly = "this only shows; wsync web --control also does what is asked for"

// act is what a browser asks to be done.
type act struct {
	live.Key
	Action api.Action `json:"action"`
	Held   string     `json:"held"`
}

// serveAct carries out an action.
func (v *view) serveAct(w http.ResponseWriter, r *http.Request) {
	var a act
	if !v.options.Control {
		answer(w, http.StatusForbidden, failure{readOnly})
		return
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&a); err != nil {
		answer(w, http.StatusBadRequest, failure{"cannot read the request: " + err.Error()})
		return
	}
	switch a.Action {
	case api.Pause, api.Resume, api.Resync:
	case api.Approve:
		if a.Held == "" {
			answer(w, http.StatusBadRequest, failure{"what is to be approved must be named"})
			return
		}
	default:
		answer(w, http.StatusBadRequest, failure{"there is no such action"})
		return
	}
	if a.Remote == "" {
		answer(w, http.StatusBadRequest, failure{"an action is for a remote"})
		return
	}
	said, err := v.backend.Act(r.Context(), a.Action, a.Key, a.Held)
	if err != nil {
		answer(w, http.StatusConflict, failure{"cannot " + string(a.Action) + " " + a.Key.String() + ": " + err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]string{"said": said})
}
