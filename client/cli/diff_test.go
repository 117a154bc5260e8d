package cli

import (
	"testing"
	"time"

	"wsync/monitor/report"
)

func TestDifferenceText(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	file := func(size int64, mode string) *report.Entry {
		return &report.Entry{Kind: report.File, Size: size, ModTime: at, Mode: mode}
	}
	link := func(to string) *report.Entry { return &report.Entry{Kind: report.Link, ModTime: at, Target: to} }
	for want, d := range map[string]report.Difference{
		"new     a  here 1 byte of 2026-01-02 03:04:05":                                                   {Path: "a", Kind: report.DiffNew, State: report.StateDrift, Here: file(1, "")},
		"delete  d/b  there a directory of 2026-01-02 03:04:05  (held)":                                   {Path: "d/b", Kind: report.DiffDelete, State: report.StateHeld, There: &report.Entry{Kind: report.Directory, ModTime: at}},
		"content a  there 2 bytes of 2026-01-02 03:04:05; here 3 bytes of 2026-01-02 03:04:05; also time": {Path: "a", Kind: report.DiffContent, Differs: []report.DifferenceKind{report.DiffContent, report.DiffTime}, Here: file(3, ""), There: file(2, "")},
		"mode    a  there rw-------; here rw-r--r--  (on its way)":                                        {Path: "a", Kind: report.DiffMode, State: report.StatePending, Here: file(1, "rw-r--r--"), There: file(1, "rw-------")},
		`target  l  there -> x\n; here -> y`:                                                              {Path: "l", Kind: report.DiffTarget, Here: link("y"), There: link("x\n")},
		"owner   .":                                                                                       {Kind: report.DiffOwner, Here: file(1, ""), There: file(1, "")},
		`unknown \x1b[31m\xff\n  (fails: no)`:                                                             {Path: "?", PathBytes: []byte("\x1b[31m\xff\n"), Kind: report.DiffUnknown, State: report.StateFailing, Problem: "no"},
	} {
		if got := differenceText(d); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSummaryText(t *testing.T) {
	var s report.ComparisonSummary
	if got := summaryText(s); got != "nothing differs" {
		t.Errorf("%q", got)
	}
	s.Add(report.Difference{Kind: report.DiffNew, State: report.StatePending, Sends: true, Here: &report.Entry{Kind: report.File, Size: 1500}})
	s.Add(report.Difference{Kind: report.DiffDelete, State: report.StateHeld})
	s.Add(report.Difference{Kind: report.DiffDelete, State: report.StateDrift})
	if got, want := summaryText(s), "3 differences: 1 new, 2 delete; 1 on the way, 1 held; 1.5 kB to send"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
