package daemon

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// What a workspace ignores can be given when it is added, and changed later: a monitor
// that runs is told at once, and goes on.
func TestChangeIgnore(t *testing.T) {
	d := startDaemon(t)
	write(t, filepath.Join(d.home, "docs", "file"), "")
	added := call[api.WorkspaceStatus](d, "POST", "/v1/workspaces", api.AddWorkspace{
		Name: "docs", LocalPath: filepath.Join(d.home, "docs"), SkipGit: true, GitIgnore: true, NoDefaultIgnores: true,
		Ignore: []string{"*.o", "a", "*.o "}, IgnoreTagged: []string{"TAG", "TAG"},
	}).Workspace
	if !added.SkipGit || !added.GitIgnore || !added.NoDefaultIgnores || !slices.Equal(added.Ignore, []string{"a", "*.o"}) || !slices.Equal(added.IgnoreTagged, []string{"TAG"}) {
		t.Errorf("added %+v", added)
	}
	d.attach("docs", "one")
	m := d.monitor()
	on, off, root := true, false, added.LocalPath
	for _, test := range []struct {
		change api.ChangeIgnore
		ignore string // the patterns after it, separated by spaces
		tagged string
		notes  string
	}{
		{api.ChangeIgnore{Ignore: []string{"b", "a", `c\ `, "!d  "}}, `*.o b a c\  !d`, "TAG", ""},
		{api.ChangeIgnore{IgnoreTagged: []string{"TAG", ".nobackup"}}, `*.o b a c\  !d`, "TAG .nobackup", ""},
		{api.ChangeIgnore{Remove: true, Ignore: []string{"!d ", "*.o"}}, `b a c\ `, "TAG .nobackup", ""},
		{api.ChangeIgnore{Remove: true, Ignore: []string{"z", "b"}, IgnoreTagged: []string{"y"}}, `a c\ `, "TAG .nobackup", `it has no pattern "z" it has no tag file "y"`},
		{api.ChangeIgnore{Remove: true, IgnoreTagged: []string{"TAG"}}, `a c\ `, ".nobackup", ""},
		{api.ChangeIgnore{SkipGit: &off, GitIgnore: &off, NoDefaultIgnores: &off}, `a c\ `, ".nobackup", ""},
		{api.ChangeIgnore{SkipGit: &on}, `a c\ `, ".nobackup", ""},
		{api.ChangeIgnore{GitIgnore: &on, Ignore: []string{"x"}}, `a c\  x`, ".nobackup", ""},
		{api.ChangeIgnore{}, `a c\  x`, ".nobackup", ""},
		{api.ChangeIgnore{Ignore: []string{"!" + root + "/b/", root + "x"}}, `a c\  x !` + root + "/b/ " + root + "x", ".nobackup", `"!` + root + `/b/" is looked for below the workspace: did you mean "!/b/"?`},
	} {
		answer := call[api.WorkspaceStatus](d, "POST", "/v1/workspaces/docs/ignore", test.change)
		w := answer.Workspace
		if got := strings.Join(w.Ignore, " "); got != test.ignore {
			t.Errorf("after %+v the patterns are %q, expected %q", test.change, got, test.ignore)
		}
		if got := strings.Join(w.IgnoreTagged, " "); got != test.tagged {
			t.Errorf("after %+v the tag files are %q, expected %q", test.change, got, test.tagged)
		}
		if got := strings.Join(answer.Notes, " "); got != test.notes {
			t.Errorf("after %+v the notes are %q, expected %q", test.change, got, test.notes)
		}
		if !sameJSON(d.file()[0], w) {
			t.Errorf("the file has %+v, expected %+v", d.file()[0], w)
		}
		m.defined(t, "the change", func(d report.Definition) bool { return sameJSON(d.Workspace, w) })
	}
	if w := d.file()[0]; !w.SkipGit || !w.GitIgnore || w.NoDefaultIgnores {
		t.Errorf("the file has %+v", w)
	}
	d.noMonitor()

	// What the monitor says of it is in the status as it is.
	m.sendReport(t, report.Report{
		Version: report.Version, PID: m.pid, Watch: report.Watch{Armed: true, IgnoreProblems: []string{"a:1: no"}, IgnoreProblemCount: 3},
		Remotes: []report.RemoteStatus{{Name: "one", State: report.InSync, Asked: m.last.Barrier, Kept: &report.Kept{Count: 2, Sample: []string{"b"}}}},
	})
	d.eventually("docs", "the report", func(s api.WorkspaceStatus) bool {
		kept := s.Remotes[0].Kept
		return s.Watch.IgnoreProblemCount == 3 && len(s.Watch.IgnoreProblems) == 1 && kept != nil && kept.Count == 2 && len(kept.Sample) == 1
	})
}

// The rules are in force when the answer comes.
func TestChangeIgnoreIsInForce(t *testing.T) {
	d, m := startInSync(t)
	answered := make(chan api.WorkspaceStatus, 1)
	go func() {
		answered <- call[api.WorkspaceStatus](d, "POST", "/v1/workspaces/docs/ignore", api.ChangeIgnore{Ignore: []string{"*.o"}})
	}()
	ping := m.defined(t, "a question", func(def report.Definition) bool { return def.Ping > 0 }).Ping
	if !slices.Equal(m.last.Workspace.Ignore, []string{"*.o"}) {
		t.Errorf("the definition with the question has the patterns %q", m.last.Workspace.Ignore)
	}
	select {
	case <-answered:
		t.Error("the answer came before the monitor's")
	default:
	}
	m.sendReport(t, aReport(m, ping, report.InSync))
	if s := next(t, "the answer", answered); !slices.Equal(s.Workspace.Ignore, []string{"*.o"}) {
		t.Errorf("the answer is %+v", s)
	}
}

func TestChangeIgnoreRefusals(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.add("music")
	call[api.WorkspaceStatus](d, "POST", "/v1/workspaces/docs/ignore", api.ChangeIgnore{Ignore: []string{"*.o", "!a.o"}, IgnoreTagged: []string{"TAG"}})
	before := d.file()
	remove := func(patterns ...string) api.ChangeIgnore { return api.ChangeIgnore{Remove: true, Ignore: patterns} }
	add := func(patterns ...string) api.ChangeIgnore { return api.ChangeIgnore{Ignore: patterns} }
	for _, test := range []struct {
		workspace string
		change    any
		kind      api.ErrorKind
		message   string
		hint      string
	}{
		{"doc", add("a"), api.NotFound, `there is no workspace "doc"`, "there is: docs, music"},
		{"docs", add("a", ""), api.Invalid, `the pattern "" can match nothing: it is empty`, ""},
		{"docs", add("  "), api.Invalid, `the pattern "  " can match nothing: it is empty`, ""},
		{"docs", add("#a"), api.Invalid, `the pattern "#a" can match nothing: a line that begins with # is a comment; \# stands for the sign`, ""},
		{"docs", add("!"), api.Invalid, `the pattern "!" can match nothing: there is no pattern`, ""},
		{"docs", add("a//b"), api.Invalid, `the pattern "a//b" can match nothing: no name is empty`, ""},
		{"docs", add("../a"), api.Invalid, `the pattern "../a" can match nothing: no path has . or .. in it`, ""},
		{"docs", add("[a"), api.Invalid, `the pattern "[a" can match nothing: `, ""},
		{"docs", add("a\nb"), api.Invalid, `the pattern "a\nb" has a newline or a NUL byte in it`, ""},
		{"docs", add("a\x00b"), api.Invalid, `the pattern "a\x00b" has a newline or a NUL byte in it`, ""},
		{"docs", api.ChangeIgnore{IgnoreTagged: []string{"a/b"}}, api.Invalid, `"a/b" is no name of a tag file`, ""},
		{"docs", remove("a.o", "o"), api.NotFound, `it has no pattern "a.o"; it has no pattern "o"`, "its patterns are: *.o  !a.o"},
		{"music", remove("a"), api.NotFound, `it has no pattern "a"`, "it has no patterns at all"},
		{"docs", api.ChangeIgnore{Remove: true, IgnoreTagged: []string{"x"}}, api.NotFound, `it has no tag file "x"`, "its tag files are: TAG"},
		{"docs", `{"ignore":"a"}`, api.Invalid, "cannot understand the request", ""},
	} {
		_, e := d.refused("POST", "/v1/workspaces/"+test.workspace+"/ignore", test.change)
		if e.Kind != test.kind || !strings.HasPrefix(e.Message, test.message) || e.Hint != test.hint {
			t.Errorf("%+v: %+v, expected %q %q with hint %q", test.change, e, test.kind, test.message, test.hint)
		}
		if !sameJSON(before, d.file()) {
			t.Fatalf("%+v changed the file", test.change)
		}
	}
	for _, w := range []api.AddWorkspace{{Ignore: []string{"[a"}}, {Ignore: []string{"a\nb"}}, {IgnoreTagged: []string{""}}} {
		write(t, filepath.Join(d.home, "new", "file"), "")
		w.Name, w.LocalPath = "new", filepath.Join(d.home, "new")
		if _, e := d.refused("POST", "/v1/workspaces", w); e.Kind != api.Invalid {
			t.Errorf("%+v: %+v", w, e)
		}
	}
}
