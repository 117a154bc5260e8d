package remote

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// TestOpen: all that is open is listed, each path once and with what says most about it.
func TestOpen(t *testing.T) {
	text := func(s *schedule) string {
		var all []string
		for _, p := range s.Open(s.now) {
			if p.Since == nil {
				t.Errorf("nobody knows since when: %+v", p)
			}
			text := string(p.State) + " " + p.Name()
			if p.Everything {
				text = string(p.State) + " everything"
			}
			if p.Tree {
				text += "/"
			}
			if p.From != "" {
				text += " from " + p.Before()
			}
			if p.Attempts > 0 {
				text += fmt.Sprintf(" %s %d", p.Problem, p.Attempts)
			}
			if p.NextTry != nil {
				text += " later"
			}
			all = append(all, text)
		}
		return strings.Join(all, ", ")
	}
	parked := &dirty.Entry{Path: "z", Since: start, Change: watch.Content, Attempts: 1, Problem: "no", Reason: dirty.BadName, NotBefore: dirty.Never}
	for name, test := range map[string]struct {
		make func(s *schedule)
		want string
	}{
		"nothing":         {func(*schedule) {}, ""},
		"changes":         {func(s *schedule) { s.change(watch.Content, "b"); s.change(watch.Tree, "a") }, "pending a/, pending b"},
		"no text":         {func(s *schedule) { s.change(watch.Content, "\xff") }, "pending \xff"},
		"a full pass":     {func(s *schedule) { s.change(watch.Content, "a"); s.Everything(PassVerify, 1, s.now, s.now) }, "pending everything, pending a"},
		"one that runs":   {func(s *schedule) { s.Everything(PassVerify, 1, s.now, s.now); s.send() }, "sending everything"},
		"sent, and again": {func(s *schedule) { s.change(watch.Content, "a"); s.send(); s.change(watch.Content, "a") }, "sending a"},
		"fails": {func(s *schedule) {
			s.change(watch.Content, "a")
			s.end(Outcome{Failed: []*dirty.Entry{{Path: "a", Since: s.now, Change: watch.Content, Attempts: 2, Problem: "no"}}})
		}, "failing a no 2 later"},
		"cannot be there": {func(s *schedule) {
			s.change(watch.Content, "z")
			s.end(Outcome{Failed: []*dirty.Entry{parked}})
			s.passes.next = s.now.Add(time.Hour)
		}, "failing z no 1 later"},
		"held": {func(s *schedule) { s.holds.add(holdOf("a"), s.now, s.newID(s.now)) }, "held a"},
		"renamed": {func(s *schedule) {
			s.seq++
			s.Moved("a", "b", made, true, s.seq, s.now)
		}, "pending b from a"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchedule(t, nil)
			test.make(s)
			if got := text(s); got != test.want {
				t.Errorf("%q, expected %q", got, test.want)
			}
		})
	}
}

// A list is made once, and what was made is reported for as long as somebody waits for it.
func TestListings(t *testing.T) {
	m := testMachine()
	define := func(ids ...string) {
		var d Definition
		for _, id := range ids {
			d.Listings = append(d.Listings, report.Listing{ID: id})
		}
		m.Define(d, 1, start)
	}
	define("a", "b")
	if got := fmt.Sprint(m.BeginListings(), m.BeginListings()); got != "[a b] []" {
		t.Errorf("begun: %s", got)
	}
	m.Listed(report.ListingStatus{ID: "a"})
	define("a")
	m.Listed(report.ListingStatus{ID: "b"})
	if got := fmt.Sprint(m.Status(start).Listings, m.BeginListings(), m.Lists("b")); got != "[{a }] [] false" {
		t.Errorf("made: %s", got)
	}
	if define(); len(m.Status(start).Listings) > 0 || len(m.listings.begun) > 0 {
		t.Error("it is not forgotten")
	}
}
