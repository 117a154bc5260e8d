package monitor

import (
	"time"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// ruling is the ignore rules, and how they come into force. What a file says is read when
// it changes, and what it releases is sent when the file is known to be whole; see
// exclude.Live.
type ruling struct {
	live    *exclude.Live
	settler *exclude.Settler
}

// newRuling returns the rules of a workspace.
func (m *mirror) newRuling(w config.Workspace) ruling {
	live := exclude.NewLive(m.root, w)
	return ruling{live, exclude.NewSettler(live, exclude.SettlerOptions{
		Context: m.context,
		Ready:   func() bool { return m.checkRoot() == "" },
		Apply:   m.apply,
	})}
}

// enter is watch.Options.Enter: it has the rule files in a directory read before anybody
// asks about what is beside them.
func (m *mirror) enter(dir string) watch.Depth {
	if m.ignoredAbove(dir) {
		return watch.Nothing
	}
	m.ruling.live.Enter(dir)
	if m.rules().Excludes(dir, true) {
		return watch.Alone
	}
	return watch.Whole
}

// ignoredAbove reports whether a directory is ignored, and not because of what is in it.
func (m *mirror) ignoredAbove(dir string) bool {
	v := m.rules().Check(dir, true)
	return v.Ignored && (v.Rule.Source != exclude.SourceTagged || v.Entry != dir)
}

// rules are what is in force.
func (m *mirror) rules() exclude.Rules { return m.ruling.live.Rules() }

// noticeRules takes in that a path has changed, which may change the rules.
func (m *mirror) noticeRules(path string, change watch.Change) {
	if change&watch.Tree == 0 && (!m.ruling.live.Concerns(path) || m.ignoredAbove(relpath.Parent(path))) {
		return
	}
	if m.ruling.live.Noticed(path, change, time.Now()) {
		m.ruling.settler.Later()
	}
}

// apply has what is not ignored any more sent, and the watcher look at what it is to
// watch from now on. What is ignored from now on stays on the remotes as it is. What a
// remote has and the workspace does not, only a full pass finds.
func (m *mirror) apply(s exclude.Settled) {
	var look []string
	var released []exclude.Difference
	s.Differences(m.context(), m.root, func(d exclude.Difference) {
		if d.Dir {
			look = append(look, d.Path)
		}
		if !d.Excluded {
			released = append(released, d)
		}
	})
	if len(look) > 0 {
		m.watcher.Look(look)
	}
	for _, d := range released {
		change := watch.Entry | watch.Content
		if d.Dir {
			change |= watch.Tree
		}
		m.Changed(d.Path, change)
	}
	if s.Loosened {
		m.markEverything(remote.PassEvents, 0)
	}
	m.changed(false)
}

// ignoreProblems puts into a report what is wrong with rule files.
func (m *mirror) ignoreProblems(w *report.Watch) {
	problems := m.rules().Problems()
	w.IgnoreProblemCount = len(problems)
	for _, p := range problems[:min(len(problems), report.MaxIgnoreProblems)] {
		w.IgnoreProblems = append(w.IgnoreProblems, p.String())
	}
}
