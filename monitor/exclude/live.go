package exclude

import (
	"context"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wsync/config"
	"wsync/monitor/exclude/gitignore"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// How long a file must have been as it is before what it releases is released. Editors
// and scripts write a file in steps, and for a moment there may be none.
const (
	settleTime = 250 * time.Millisecond
	thinTime   = 700 * time.Millisecond // if it has no rules, or is not there
	openTime   = 5 * time.Second        // if it has not been closed since it was written
)

// Live is the rules of a workspace as they change. What a new text of a file ignores is
// ignored at once; what it does not ignore any more is released when the text is known
// to be all of it. It is safe for concurrent use.
type Live struct {
	root  string
	rules atomic.Pointer[Rules]

	writing sync.Mutex // held while memory is written; taken before mu
	mu      sync.Mutex // guards everything below
	options *options
	// current is what was read last, and settled what has been whole.
	current, settled ruleSet
	// unsettled are the directories of which these differ, or that are to be read.
	unsettled map[string]unsettled
	passed    passed           // since something is
	stamps    map[string]stamp // of what was read, by path; SourceGit for git's own
	// memory is the file in which rules are kept, "" for none; saving: that is due, and
	// saved when it was done last. See memory.go.
	memory string
	saving bool
	saved  time.Time
}

// unsettled is a directory whose files have changed lately, or a file for the whole tree
// under the name SourceGit.
type unsettled struct {
	changed time.Time
	open    bool // it was written to, and is not closed
	thin    bool // see found
	unread  bool // it is to be read again
	// missing: a file has gone, or a tag, and perhaps the directory is about to. since is
	// when that began.
	missing bool
	since   time.Time
}

// due is when it is settled.
func (u unsettled) due() time.Time {
	switch {
	case u.open:
		return u.changed.Add(openTime)
	case u.thin:
		return u.changed.Add(thinTime)
	}
	return u.changed.Add(settleTime)
}

// Settled is rules that are in force whole now.
type Settled struct {
	// Before is what was in force, and After what is.
	Before, After Rules
	passed        passed // was in force between them
	// Dirs are the directories below which they may differ.
	Dirs []string
	// Loosened: something may be released that is on a remote only.
	Loosened bool
}

// NewLive returns the rules of a workspace with what is known before anything is read
// of its tree but the root.
func NewLive(root string, w config.Workspace) *Live {
	l := &Live{root: root, options: optionsOf(w), unsettled: make(map[string]unsettled), stamps: make(map[string]stamp)}
	files, s := l.options.above(root)
	l.stamps[SourceGit] = s
	l.current = ruleSet{tree: gitignore.NewTree(files...)}
	l.settled = l.current
	l.publish()
	l.Enter("")
	return l
}

// Rules returns what is in force.
func (l *Live) Rules() Rules { return *l.rules.Load() }

// publish brings into force what is known; the caller holds mu, or is the only one.
func (l *Live) publish() {
	now := l.current
	r := Rules{now: &now}
	if len(l.unsettled) > 0 {
		before := l.settled
		r.before = &before
	}
	l.rules.Store(&r)
}

// Enter reads the rule files of a directory whose files have not been read yet. It costs
// little for one that has none.
func (l *Live) Enter(dir string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.knows(dir) || !l.options.hasAny(l.root, dir) {
		return
	}
	d, err := l.read(dir)
	if err != nil {
		l.unsettled[dir] = unsettled{changed: time.Now(), unread: true}
		l.publish()
		return
	}
	l.current = l.current.with(dir, d)
	l.settled = l.settled.with(dir, d)
	l.publish()
}

// knows reports whether a directory's files have been read, or will be; the caller holds
// mu.
func (l *Live) knows(dir string) bool {
	if _, ok := l.unsettled[dir]; ok {
		return true
	}
	return l.current.has(dir) || l.settled.has(dir)
}

// read reads what a directory says; the caller holds mu. What cannot be read is what it
// was.
func (l *Live) read(dir string) (found, error) {
	d, err := l.options.readDir(l.root, dir)
	if err != nil {
		return d, err
	}
	for name, s := range d.stamps {
		l.stamps[relpath.Join(dir, name)] = s
	}
	l.saveLater()
	return l.keepUnreadable(dir, d), nil
}

// keepUnreadable returns what a directory says, with what the files said that cannot be
// read any more; the caller holds mu.
func (l *Live) keepUnreadable(dir string, d found) found {
	for i, f := range d.files {
		if !slices.Contains(d.unreadable, f.Name()) {
			continue
		}
		for _, old := range l.current.tree.Files(dir) {
			if old.Source() == f.Source() {
				d.files[i] = old.Unreadable(f.Problems()[0].Reason)
			}
		}
	}
	return d
}

// Noticed takes in that a path has changed, and reports whether that may change the
// rules: Settle is to be called when Due says so.
func (l *Live) Noticed(name string, change watch.Change, now time.Time) bool {
	if change&watch.Tree != 0 {
		return l.noticedTree(name, now)
	}
	dir, ok := l.concerns(name)
	if !ok {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed(dir, change&watch.Open != 0, now)
	return true
}

// concerns returns the directory whose rules a file may have; ok is false for others.
func (l *Live) concerns(name string) (dir string, ok bool) {
	base := path.Base(name)
	if base != FileName && base != GitFileName && base != "exclude" && len(l.Tags()) == 0 {
		return "", false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case slices.Contains(l.options.names, base):
		return relpath.Parent(name), true
	case name == SourceGit && l.options.gitIgnore:
		return SourceGit, true
	}
	return "", false
}

// Tags are the names of the files because of which a directory is ignored.
func (l *Live) Tags() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.options.tags
}

// noticedTree is Noticed for a directory that has come, or gone, or is another.
func (l *Live) noticedTree(dir string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	any := false
	for _, d := range l.within(dir) {
		l.changed(d, false, now)
		any = true
	}
	return any
}

// within are the directories at or below dir of which something is known; the caller
// holds mu.
func (l *Live) within(dir string) (dirs []string) {
	for _, s := range []*ruleSet{&l.current, &l.settled} {
		s.tree.Below(dir, func(d string, _ []*gitignore.File) bool {
			dirs = append(dirs, d)
			return true
		})
		for d := range s.tagged {
			if isRoot(dir) || relpath.Within(d, dir) {
				dirs = append(dirs, d)
			}
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// changed takes in that the files of a directory may have changed, and reads them unless
// they are being written; the caller holds mu.
func (l *Live) changed(dir string, open bool, now time.Time) {
	u := unsettled{changed: now, open: open, unread: true, since: now}
	if before := l.unsettled[dir]; before.missing {
		u.since = before.since
	}
	if !open {
		u = l.reread(dir, u)
	}
	l.unsettled[dir] = u
	l.publish()
}

// reread reads the files of a directory into current; the caller holds mu.
func (l *Live) reread(dir string, u unsettled) unsettled {
	before := l.current
	defer func() {
		if !l.current.keeps(before, dir) && !l.settled.keeps(before, dir) {
			l.passed = l.passed.with(before)
		}
	}()
	if dir == SourceGit {
		files, s := l.options.above(l.root)
		l.stamps[SourceGit] = s
		l.current.tree = l.current.tree.WithAbove(files...)
		u.unread, u.thin = false, s.info == nil || s.info.Size() == 0
		return u
	}
	if !isRoot(dir) && l.isGone(dir) {
		// What is said of it stays. Its files went a moment before it did.
		l.current = l.current.take(dir, l.settled).withoutProblems(dir)
		for _, name := range l.options.fileNames() {
			delete(l.stamps, relpath.Join(dir, name)) // there is nothing to look at
		}
		u.unread, u.thin = false, false
		return u
	}
	d, err := l.read(dir)
	if err != nil {
		return u
	}
	l.current = l.current.with(dir, d)
	u.missing = l.settled.lacks(dir, l.current)
	u.unread, u.thin = false, d.thin || u.missing
	return u
}

// Due is when Settle has something to do; ok is false if nothing is unsettled.
func (l *Live) Due() (at time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.unsettled {
		if due := u.due(); !ok || due.Before(at) {
			at, ok = due, true
		}
	}
	return at, ok
}

// Settle brings into force whole what has not changed for long enough; ok is false if
// there is nothing of that kind.
func (l *Live) Settle(now time.Time) (s Settled, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Before = Rules{now: &ruleSet{l.settled.tree, l.settled.tagged}}
	defer func() {
		if len(l.unsettled) == 0 {
			l.passed = passed{}
		}
	}()
	for dir, u := range l.unsettled {
		if u.due().After(now) {
			continue
		}
		// Not everything that is written is told of.
		u = l.reread(dir, u)
		if u.unread || u.thin && u.changed.Add(thinTime).After(now) {
			u.changed, u.open = now, false
			l.unsettled[dir] = u
			continue
		}
		if u.missing && now.Sub(u.since) < goingLimit && changesBelow(abs(l.root, dir), u.changed, now) {
			u.changed = now
			l.unsettled[dir] = u
			continue
		}
		delete(l.unsettled, dir)
		s.Loosened = s.Loosened || !l.current.keeps(l.settled, dir) || !l.passed.keptBy(l.current, dir)
		l.settled = l.settled.take(dir, l.current)
		l.saveLater()
		if dir == SourceGit {
			dir = ""
		}
		s.Dirs = append(s.Dirs, dir)
	}
	if len(s.Dirs) == 0 {
		return s, false
	}
	slices.Sort(s.Dirs)
	l.publish()
	s.After, s.passed = *l.rules.Load(), l.passed
	return s, true
}

// Moved takes in that a directory was renamed within the tree: its files have gone with
// it.
func (l *Live) Moved(from, to string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirs := l.within(from)
	gone := l.within(to)
	if len(dirs) == 0 && len(gone) == 0 {
		return
	}
	l.current = l.current.moved(from, to)
	l.settled = l.settled.moved(from, to)
	l.saveLater()
	for _, d := range dirs {
		at := to + d[len(from):]
		l.unsettled[at] = unsettled{changed: now, unread: true}
	}
	l.publish()
}

// Refresh looks for files that have changed without a word, among those that are known.
func (l *Live) Refresh(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := make(map[string]bool)
	for name, known := range l.stamps {
		dir, at := relpath.Parent(name), abs(l.root, name)
		if name == SourceGit {
			dir = SourceGit
			if at = gitExclude(l.root); at == "" || !l.options.gitIgnore {
				continue
			}
		}
		if !known.equal(stampOf(at)) {
			changed[dir] = true
		}
	}
	for dir := range changed {
		l.restamped(dir, now)
	}
}

// restamped is changed for who has seen nothing but that a file is another one: whether it
// is still open, only an event tells. The caller holds mu.
func (l *Live) restamped(dir string, now time.Time) {
	open := l.unsettled[dir].open
	l.changed(dir, false, now)
	if u := l.unsettled[dir]; open {
		u.open = true
		l.unsettled[dir] = u
	}
}

// Catch is Enter for who has just listed a directory: what was in it came after what the
// rule files there and above say by now, which nobody may have been told of yet.
func (l *Live) Catch(dir string, now time.Time) {
	l.mu.Lock()
	for at := range above(dir) {
		l.catch(at, now)
	}
	l.catch("", now)
	l.mu.Unlock()
	l.Enter(dir)
}

// catch reads the rule files of a directory anew if they are known, and others now; the
// caller holds mu.
func (l *Live) catch(dir string, now time.Time) {
	for _, name := range l.options.fileNames() {
		name = relpath.Join(dir, name)
		if known, ok := l.stamps[name]; ok && !known.equal(stampOf(abs(l.root, name))) {
			l.restamped(dir, now)
			return
		}
	}
}

// Quick reports whether Define need not look through the tree for a workspace.
func (l *Live) Quick(w config.Workspace) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.options.gitIgnore == w.GitIgnore && slices.Equal(l.options.tags, w.IgnoreTagged)
}

// Define takes in what a workspace says about rules, and is in force at once; ok is
// false if nothing of that is new. It may look through the whole tree first.
func (l *Live) Define(ctx context.Context, w config.Workspace) (s Settled, ok bool) {
	l.mu.Lock()
	same := l.options.equal(w)
	l.mu.Unlock()
	if same {
		return s, false
	}
	if l.Quick(w) {
		return l.redefine(w), true
	}
	other := NewLive(l.root, w)
	other.enterAll(ctx, "")
	l.mu.Lock()
	defer l.mu.Unlock()
	other.inherit(l)
	s = Settled{Before: *l.rules.Load(), Dirs: []string{""}}
	s.Loosened = true
	l.options, l.current, l.settled, l.stamps = other.options, other.current, other.settled, other.stamps
	l.saveLater()
	now := time.Now()
	for dir := range l.unsettled { // which the look may have come before
		l.unsettled[dir] = unsettled{changed: now, unread: true}
	}
	l.publish()
	s.After = *l.rules.Load()
	return s, true
}

// redefine is Define where the files of the tree say the same.
func (l *Live) redefine(w config.Workspace) Settled {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Settled{Before: *l.rules.Load(), Dirs: []string{""}}
	earlier := l.settled.tree.Above()
	l.options = optionsOf(w)
	files, stamp := l.options.above(l.root)
	l.stamps[SourceGit] = stamp
	s.Loosened = !keepsAll(earlier, files)
	l.current.tree, l.settled.tree = l.current.tree.WithAbove(files...), l.settled.tree.WithAbove(files...)
	l.publish()
	s.After = *l.rules.Load()
	return s
}

// Concerns reports whether a path is one of a file that has, or is, a rule.
func (l *Live) Concerns(name string) bool {
	_, ok := l.concerns(name)
	return ok
}
