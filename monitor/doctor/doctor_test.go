package doctor

import (
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
)

// told collects what an examination says.
func told(known map[string]report.Report) (about, *[]report.Check) {
	var all []report.Check
	x := &examiner{Examination: report.Examination{Known: known}, tell: func(c report.Check) { all = append(all, c) }}
	return about{x: x, workspace: "w", remote: "r"}, &all
}

func TestJudgeVersion(t *testing.T) {
	version := func(major, minor, patch int) rsync.Version {
		return rsync.Version{Flavour: "rsync", Major: major, Minor: minor, Patch: patch, Protocol: 31}
	}
	for _, test := range []struct {
		v      rsync.Version
		status report.CheckStatus
		found  string
	}{
		{version(3, 5, 0), report.CheckOK, "rsync 3.5.0"},
		{version(4, 0, 1), report.CheckOK, "rsync 4.0.1"},
		{version(3, 4, 1), report.CheckWarn, "security holes"},
		{version(3, 2, 7), report.CheckWarn, "security holes"},
		{version(3, 1, 2), report.CheckWarn, "to the second only"},
		{rsync.Version{Flavour: "openrsync", Protocol: 29}, report.CheckWarn, "knows only some of the options"},
		{rsync.Version{Protocol: 30}, report.CheckWarn, "protocol 30"},
	} {
		status, found, remedy := judgeVersion(test.v)
		if status != test.status || !strings.Contains(found, test.found) {
			t.Errorf("%v: %s, %q", test.v, status, found)
		}
		if status == report.CheckOK && remedy != "" {
			t.Errorf("%v: a remedy for nothing: %q", test.v, remedy)
		}
	}
}

func TestWatches(t *testing.T) {
	for _, test := range []struct {
		watched, polled, limit int
		status                 report.CheckStatus
		remedy                 string
	}{
		{100, 0, 1000, report.CheckOK, ""},
		{801, 0, 1000, report.CheckWarn, "max_user_watches=2000"},
		{1000, 500, 1000, report.CheckFail, "max_user_watches=3000"},
	} {
		a, all := told(map[string]report.Report{"w": {Watch: report.Watch{Directories: test.watched, Polled: test.polled}}})
		a.watches(test.limit)
		if len(*all) != 1 || (*all)[0].Status != test.status || !strings.Contains((*all)[0].Remedy, test.remedy) {
			t.Errorf("%+v: %+v", test, *all)
		}
	}
	a, all := told(map[string]report.Report{"w": {Watch: report.Watch{Directories: 10}}})
	if a.watches(0); len(*all) > 0 {
		t.Errorf("where the limit is not known: %+v", *all)
	}
}

// The clock of a remote is read in whole seconds, some time after it was asked for.
func TestClock(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Unix(1000, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	for _, test := range []struct {
		there, before, after float64
		found                string
	}{
		{0, 0, 0.1, "agrees"},
		{-1, -0.1, 0.2, "agrees"},
		{20, 0, 30, "agrees"}, // a slow line
		{20, 0, 1, "19s ahead"},
		{-100, 0, 1, "1m40s behind"},
	} {
		a, all := told(nil)
		a.clock(at(test.there), at(test.before), at(test.after))
		if len(*all) != 1 || !strings.Contains((*all)[0].Found, test.found) {
			t.Errorf("%+v: %+v", test, *all)
		}
	}
}

// A remote in trouble is told with the daemon's words, and one of another workspace that
// has the same place is named.
func TestWhatIsKnownOfARemote(t *testing.T) {
	local := func(name, remote, path string) config.Workspace {
		return config.Workspace{Name: name, LocalPath: t.TempDir(), Remotes: []config.Remote{{
			Name: remote, RemotePath: path, Connection: config.Connection{Local: &config.Local{}},
		}}}
	}
	dst := t.TempDir()
	w, other := local("w", "r", dst), local("other", "x", dst)
	a, all := told(map[string]report.Report{"w": {Remotes: []report.RemoteStatus{{Name: "r", State: report.Retrying, Error: "no room", Hint: "make some"}}}})
	a.x.All = []config.Workspace{w, other}
	a.place(w)
	a.state(w, w.Remotes[0])
	if len(*all) != 2 || (*all)[0].Status != report.CheckFail || !strings.Contains((*all)[0].Found, "other") ||
		(*all)[1].Status != report.CheckFail || (*all)[1].Remedy != "make some" {
		t.Errorf("%+v", *all)
	}
}

func TestShell(t *testing.T) {
	for took, want := range map[time.Duration]report.CheckStatus{50 * time.Millisecond: report.CheckOK, 9 * time.Second: report.CheckWarn} {
		a, all := told(nil)
		if a.shell(took); len(*all) != 1 || (*all)[0].Status != want || !strings.Contains((*all)[0].Found, took.String()) {
			t.Errorf("%v: %+v", took, *all)
		}
	}
}

func TestSessions(t *testing.T) {
	for shared, want := range map[int]report.CheckStatus{9: report.CheckOK, 2: report.CheckWarn} {
		a, all := told(nil)
		if a.sessions(shared, 9); len(*all) != 1 || (*all)[0].Status != want {
			t.Errorf("%d: %+v", shared, *all)
		}
	}
}
