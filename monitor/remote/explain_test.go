package remote

import (
	"fmt"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// What is said of a path is about the path, or about what is above it with all that is in
// there; a directory of which only the time has changed says nothing of its files.
func TestExplain(t *testing.T) {
	ask := func(s *schedule, path string) report.PathStatus {
		return s.explain(report.Question{ID: "q", Path: path})
	}
	for name, test := range map[string]struct {
		make                 func(s *schedule)
		path                 string
		state                report.PathState
		above, problem, sent string
	}{
		"nothing":                {func(*schedule) {}, "a", report.PathEqual, "", "", ""},
		"a change":               {func(s *schedule) { s.change(watch.Content, "a") }, "a", report.PathPending, "", "", ""},
		"one of another":         {func(s *schedule) { s.change(watch.Content, "ab") }, "a", report.PathEqual, "", "", ""},
		"a directory that came":  {func(s *schedule) { s.change(watch.Tree, "d") }, "d/e/a", report.PathPending, "d", "", ""},
		"the time of one":        {func(s *schedule) { s.change(watch.Meta, "d") }, "d/a", report.PathEqual, "", "", ""},
		"it, and what is above":  {func(s *schedule) { s.change(watch.Tree, "d"); s.change(watch.Content, "d/a") }, "d/a", report.PathPending, "", "", ""},
		"a full pass":            {func(s *schedule) { s.Everything(PassVerify, 1, s.now, s.now) }, "a", report.PathPending, "", "", ""},
		"under way":              {func(s *schedule) { s.change(watch.Content, "a"); s.send() }, "a", report.PathSending, "", "", ""},
		"sent by rsync":          {func(s *schedule) { s.change(watch.Content, "a"); s.end(Outcome{}) }, "a", report.PathEqual, "", "", "rsync"},
		"sent with what is over": {func(s *schedule) { s.change(watch.Tree, "d"); s.end(Outcome{}) }, "d/a", report.PathEqual, "", "", "rsync with d"},
		"its directory's time":   {func(s *schedule) { s.change(watch.Meta, "d"); s.end(Outcome{}) }, "d/a", report.PathEqual, "", "", ""},
		"sent without rsync": {func(s *schedule) {
			s.change(watch.Content, "a")
			s.end(Outcome{Unconfirmed: []*dirty.Entry{{Path: "a", Change: watch.Content}}})
		}, "a", report.PathAcknowledged, "", "", "direct"},
		"fails": {func(s *schedule) {
			s.change(watch.Content, "a")
			s.end(Outcome{Failed: []*dirty.Entry{{Path: "a", Change: watch.Content, Attempts: 1, Problem: "no"}}})
		}, "a", report.PathFailing, "", "no", ""},
		"kept": {func(s *schedule) {
			s.change(watch.Tree, "d")
			s.end(Outcome{Kept: &Kept{Dirs: []string{"d"}, Count: 1}})
		}, "d", report.PathKept, "", "", "rsync"},
		"kept, and here again": {func(s *schedule) {
			s.change(watch.Tree, "d")
			s.end(Outcome{Kept: &Kept{Dirs: []string{"d"}, Count: 1}})
			s.change(watch.Tree, "d")
		}, "d", report.PathPending, "", "", "rsync"},
		"held": {func(s *schedule) { s.holds.add(holdOf("a"), s.now, s.newID(s.now)) }, "a", report.PathHeld, "", "many", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchedule(t, nil)
			test.make(s)
			got := ask(s, test.path)
			sent := ""
			if got.Sent != nil {
				if sent = got.Sent.Way; got.Sent.With != "" {
					sent += " with " + got.Sent.With
				}
			}
			if got.State != test.state || got.Above != test.above || got.Problem != test.problem || sent != test.sent {
				t.Errorf("%+v, sent %q", got, sent)
			}
		})
	}
}

// send begins the transfer that is due.
func (s *schedule) send() *Sending {
	s.t.Helper()
	s.now = s.now.Add(time.Minute)
	sending := s.Send(noRepositories{}, s.seq, true, s.now)
	if sending == nil {
		s.t.Fatal("nothing is due")
	}
	return sending
}

// end carries out the transfer that is due.
func (s *schedule) end(out Outcome) { s.End(s.send(), out, nil, s.now) }

// What is remembered of the paths that were sent is bounded, and the oldest goes first.
func TestSentPathsAreBounded(t *testing.T) {
	var s sentPaths
	for i := range 3 * sentLimit {
		s.add(&dirty.Entry{Path: fmt.Sprint(i)}, report.WayRsync, start)
		s.add(&dirty.Entry{Path: "often"}, report.WayRsync, start)
	}
	if len(s.by) != sentLimit || len(s.order) != sentLimit {
		t.Errorf("%d paths, %d in order", len(s.by), len(s.order))
	}
	if s.of(fmt.Sprint(3*sentLimit-1)) == nil || s.of("0") != nil {
		t.Error("it is not the newest that are kept")
	}
}
