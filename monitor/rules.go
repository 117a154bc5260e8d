package monitor

import (
	"sync"
	"time"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// ruling brings new ignore rules into force. What a file says is read when it changes,
// and what it releases is sent when the file is known to be whole; see exclude.Live.
type ruling struct {
	live *exclude.Live

	mu      sync.Mutex  // guards everything below
	timer   *time.Timer // settles what is unsettled; nil if nothing is
	waiting []func()    // for that
	pending int         // how many changes of the rules are being applied

	applying sync.Mutex // held while differences are looked for
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
		m.settleLater()
	}
}

// settleLater has what is unsettled settled when it is time.
func (m *mirror) settleLater() {
	m.ruling.mu.Lock()
	defer m.ruling.mu.Unlock()
	due, ok := m.ruling.live.Due()
	switch {
	case !ok:
	case m.ruling.timer == nil:
		m.ruling.timer = time.AfterFunc(time.Until(due), m.settle)
	default:
		m.ruling.timer.Reset(time.Until(due))
	}
}

// settle is called by the timer. Of a workspace whose directory is not there, no file
// says anything.
func (m *mirror) settle() {
	if m.ended() {
		return
	}
	if m.checkRoot() != "" {
		m.ruling.mu.Lock()
		m.ruling.timer.Reset(haltCheckInterval)
		m.ruling.mu.Unlock()
		return
	}
	m.ruling.mu.Lock()
	s, ok := m.ruling.live.Settle(time.Now())
	if ok {
		m.ruling.pending++
	}
	if at, ok := m.ruling.live.Due(); ok {
		m.ruling.timer.Reset(time.Until(at))
	}
	m.ruling.mu.Unlock()
	if ok {
		m.apply(s)
		return
	}
	m.goOn()
}

// whenSettled calls do when all rules are in force that files say: at once, or from
// another goroutine.
func (m *mirror) whenSettled(do func()) {
	m.ruling.live.Refresh(time.Now())
	m.ruling.mu.Lock()
	m.ruling.waiting = append(m.ruling.waiting, do)
	m.ruling.mu.Unlock()
	m.settleLater()
	m.goOn()
}

// goOn calls those who wait for the rules if nothing is unsettled or being applied.
func (m *mirror) goOn() {
	m.ruling.mu.Lock()
	_, unsettled := m.ruling.live.Due()
	if unsettled || m.ruling.pending > 0 {
		m.ruling.mu.Unlock()
		return
	}
	var due []func()
	due, m.ruling.waiting = m.ruling.waiting, nil
	m.ruling.mu.Unlock()
	for _, do := range due {
		do()
	}
}

// redefineRules takes in what a definition of the workspace says about rules. Where the
// whole tree has to be looked through, nobody waits for it but those who wait for the
// rules.
func (m *mirror) redefineRules(w config.Workspace) {
	m.ruling.mu.Lock()
	m.ruling.pending++
	m.ruling.mu.Unlock()
	define := func() {
		if s, ok := m.ruling.live.Define(m.context(), w); ok {
			go m.apply(s)
		} else {
			m.applied()
		}
	}
	if m.ruling.live.Quick(w) {
		define()
	} else {
		go define()
	}
}

// applied takes in that a change of the rules has been applied.
func (m *mirror) applied() {
	m.ruling.mu.Lock()
	m.ruling.pending--
	m.ruling.mu.Unlock()
	m.goOn()
}

// apply has what is not ignored any more sent, and the watcher look at what it is to
// watch from now on. What is ignored from now on stays on the remotes as it is. What a
// remote has and the workspace does not, only a full pass finds.
func (m *mirror) apply(s exclude.Settled) {
	defer m.applied()
	m.ruling.applying.Lock()
	defer m.ruling.applying.Unlock()
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
