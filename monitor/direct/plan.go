package direct

import (
	"errors"
	"io/fs"
	"iter"
	"math"
	"slices"
	"strings"
	"syscall"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// Limits say what is small: beyond them rsync is faster, or safer.
type Limits struct {
	// Paths, removals not counted, and Bytes bound a batch, FileSize one file of
	// it.
	Paths    int
	Bytes    int64
	FileSize int64
	// Beside is how many paths go this way while rsync has to run for a large
	// directory anyway: few need not wait for it, and many are faster with it.
	Beside int
	// Deletes reports whether a path that is gone may be deleted; nil for always.
	Deletes func(path string) bool
	// Deletions is how many entries may be deleted before a guard has to be
	// asked, which only the other lane does.
	Deletions int
}

// Source is the workspace, as far as a plan needs it.
type Source interface {
	Lstat(path string) (fs.FileInfo, error)
	ReadDir(path string) ([]fs.DirEntry, error)
	// Carries reports whether nothing of what is at path is lost on this way.
	Carries(path string, info fs.FileInfo, change watch.Change) bool
}

// Kind is what a Step does.
type Kind int

// The kinds of steps, in the order in which a flight has them.
const (
	MakeDirectory Kind = iota
	PutFile
	PutSymlink
	Leave // what is gone, and not to be deleted; it is only looked for
	RemoveFile
	RemoveDirectory
	SetAttributes
)

// Step is one thing to do on the target.
type Step struct {
	Kind Kind
	Path string
	// Info is what is at Path in the workspace; nil for nothing.
	Info fs.FileInfo
	// Entry is the dirty path that asks for the step. Parent: the directory of
	// that path, whose time the other steps change.
	Entry  *dirty.Entry
	Parent bool
}

// Plan is how a batch is divided between the lanes.
type Plan struct {
	Steps []Step
	// Rest is for rsync.
	Rest []*dirty.Entry
}

// Removals are the paths of the deletions of the plan that are to be judged.
func (p Plan) Removals() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range p.Steps {
			if s.Removes() && !s.Entry.Cleared() && !yield(s.Path) {
				return
			}
		}
	}
}

// removals is their number.
func (p Plan) removals() int {
	n := 0
	for range p.Removals() {
		n++
	}
	return n
}

// LeaveRemovals takes the deletions that are to be judged out of the plan, and
// returns their entries.
func (p *Plan) LeaveRemovals() []*dirty.Entry {
	var left []*dirty.Entry
	p.Steps = slices.DeleteFunc(p.Steps, func(s Step) bool {
		judged := s.Removes() && !s.Entry.Cleared()
		if judged {
			left = append(left, s.Entry)
		}
		return judged
	})
	return left
}

// Bytes are those of the files that it puts.
func (p Plan) Bytes() (bytes int64) {
	for _, s := range p.Steps {
		if s.Kind == PutFile {
			bytes += s.Info.Size()
		}
	}
	return bytes
}

// SeesGone reports whether the plan takes something for gone.
func (p Plan) SeesGone() bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Info == nil })
}

// Removes reports whether the plan deletes anything, judged or not.
func (p Plan) Removes() bool { return slices.ContainsFunc(p.Steps, Step.Removes) }

// Removes reports whether the step deletes something.
func (s Step) Removes() bool { return s.Kind == RemoveFile || s.Kind == RemoveDirectory }

// MakePlan decides which of the dirty paths go this way: all that are small and
// simple, if they are few. What each path is at this moment decides, not what
// happened to it. owns is Target.Owns. The moves are repeated in any case; they
// change the times of directories.
func MakePlan(moves []dirty.Move, entries []*dirty.Entry, source Source, owns func(uid, gid uint32) bool, limits Limits) Plan {
	p := newPlanner(source, owns, limits)
	p.leaveTrees = len(entries) > limits.Paths/2 // to look into them all would be in vain
	ok := p.addAll(entries)
	if !ok && !p.leaveTrees && (p.large || len(p.trees) > 0) {
		// rsync has to run anyway, and takes the large part. A few files beside
		// need not wait for it.
		p = newPlanner(source, owns, limits)
		p.leaveTrees = true
		ok = p.addAll(entries)
	}
	if !ok {
		p = newPlanner(source, owns, limits)
		p.plan.Rest = entries
	}
	for i, m := range moves {
		for _, name := range []string{m.From, m.To} {
			for _, next := range moves[i+1:] {
				name = renamed(name, next)
			}
			p.touch(name, &dirty.Entry{Path: relpath.Parent(name), Change: watch.Meta, Seq: m.Seq, Since: m.Since})
		}
	}
	p.judgeDeletions()
	p.setParents()
	slices.SortFunc(p.plan.Steps, inOrder)
	return p.plan
}

// renamed is what name, or the directory that it was in, is called after a move.
func renamed(name string, m dirty.Move) string {
	if dir := relpath.Parent(name); dir == m.From || relpath.Below(dir, m.From) {
		return m.To + name[len(m.From):]
	}
	return name
}

// addAll finds the steps for all entries, unless they are too many.
func (p *planner) addAll(entries []*dirty.Entry) (ok bool) {
	if len(entries)-max(p.limits.Deletions, 0) > p.limits.Paths { // their sum may be no int
		return false
	}
	entries = slices.Clone(entries) // it is somebody else's
	slices.SortFunc(entries, func(a, b *dirty.Entry) int { return strings.Compare(a.Path, b.Path) })
	for _, e := range entries {
		p.add(e)
		puts := len(p.plan.Steps) - p.gone
		if p.bytes > p.limits.Bytes || puts > p.limits.Paths || p.large && puts > p.limits.Beside {
			return false
		}
	}
	return true
}

// inOrder sorts steps: what is new comes before what is gone, a directory before
// what is in it, and after that when its entries change its time or must be
// gone.
func inOrder(a, b Step) int {
	if a.Kind != b.Kind {
		return int(a.Kind - b.Kind)
	}
	order := strings.Compare(a.Path, b.Path)
	if a.Kind >= RemoveFile {
		return -order
	}
	return order
}

// way is what is known of the way that leads into a directory.
type way int

const (
	straight way = iota + 1 // nothing but directories
	gone                    // something is not there, or was not a moment ago
	through                 // something is no directory; a link, most likely
	unclear
)

type planner struct {
	source Source
	owns   func(uid, gid uint32) bool
	limits Limits
	ways   map[string]way
	// dirs are the directories that the ways led into.
	dirs map[string]fs.FileInfo
	// touched are the directories whose time a step changes, with an entry.
	touched map[string]*dirty.Entry
	// trees are directories that are sent, or deleted, with all below them. An
	// entry stands for those below it, too, and is as old as they are.
	trees map[string]*dirty.Entry
	// left are paths that were left to rsync and may be something else there.
	left  map[string]bool
	bytes int64
	// gone counts the steps for paths that are gone, each of one request or two.
	gone int
	// large: a directory was left to rsync because there is too much in it.
	// leaveTrees: all new ones are.
	large, leaveTrees bool
	plan              Plan
}

func newPlanner(source Source, owns func(uid, gid uint32) bool, limits Limits) *planner {
	return &planner{
		source: source, owns: owns, limits: limits, ways: make(map[string]way), dirs: make(map[string]fs.FileInfo),
		touched: make(map[string]*dirty.Entry), left: make(map[string]bool), trees: make(map[string]*dirty.Entry),
	}
}

// add finds the step for a dirty path.
func (p *planner) add(e *dirty.Entry) {
	name := e.Path
	if e.Failing() || isWithin(name, p.left) {
		p.leave(e)
		return
	}
	if p.covers(e) {
		return
	}
	way := p.way(relpath.Parent(name))
	if way == gone {
		p.remove(e)
		return
	}
	info, err := p.source.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) && way == straight {
		p.remove(e)
		return
	}
	if err != nil || way != straight {
		p.leave(e) // behind a link it is not known what it was
		return
	}
	if info.IsDir() {
		whole := *e // to be made older than somebody else's
		e = &whole
		if e.Change&^watch.Meta != 0 {
			e.Change |= watch.Entry // what was written was a file, and has made way
		}
	}
	steps, bytes, ok := p.steps(e, name, info, e.Change)
	if !ok {
		p.leave(e)
		return
	}
	p.bytes += bytes
	p.plan.Steps = append(p.plan.Steps, steps...)
	if steps[0].Kind == MakeDirectory {
		p.trees[name] = e
	}
	if steps[0].Kind != SetAttributes {
		p.touch(name, e)
	}
}

// covers reports whether a directory above a path that is dirty is sent or deleted as
// a whole.
func (p *planner) covers(e *dirty.Entry) bool {
	for dir := relpath.Parent(e.Path); dir != "" && len(p.trees) > 0; dir = relpath.Parent(dir) {
		if tree := p.trees[dir]; tree != nil {
			tree.Seq = min(tree.Seq, e.Seq)
			if e.Since.Before(tree.Since) {
				tree.Since = e.Since
			}
			return true
		}
	}
	return false
}

// steps are those that bring a path in line that exists.
func (p *planner) steps(e *dirty.Entry, name string, info fs.FileInfo, change watch.Change) (steps []Step, bytes int64, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !p.owns(stat.Uid, stat.Gid) || !carries(info) || !p.source.Carries(name, info, change) {
		return nil, 0, false
	}
	step := Step{Path: name, Info: info, Entry: e}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		if name == "" {
			return nil, 0, false
		}
		step.Kind = PutFile
		if change&^watch.Meta == 0 {
			step.Kind = SetAttributes
			return []Step{step}, 0, true
		}
		return []Step{step}, info.Size(), info.Size() <= p.limits.FileSize
	case mode.IsDir():
		if change&^watch.Meta == 0 {
			step.Kind = SetAttributes
			return []Step{step}, 0, true
		}
		return p.tree(step)
	case mode.Type() == fs.ModeSymlink:
		step.Kind = PutSymlink
		return []Step{step}, 0, true
	}
	return nil, 0, false
}

// carries reports whether sftp has numbers for the time: unsigned seconds since
// 1970 in 32 bits.
func carries(info fs.FileInfo) bool {
	seconds := info.ModTime().Unix()
	return seconds >= 0 && seconds <= math.MaxUint32
}

// tree are the steps for a new directory and all below it.
func (p *planner) tree(dir Step) (steps []Step, bytes int64, ok bool) {
	if p.leaveTrees {
		p.large = true
		return nil, 0, false
	}
	if dir.Path == "" {
		return nil, 0, false
	}
	dir.Kind = MakeDirectory
	steps = []Step{dir}
	entries, err := p.source.ReadDir(dir.Path)
	if err != nil {
		return nil, 0, false
	}
	for _, entry := range entries {
		name := dir.Path + "/" + entry.Name()
		info, err := p.source.Lstat(name)
		if err != nil {
			return nil, 0, false // an event will tell
		}
		inside, size, ok := p.steps(dir.Entry, name, info, watch.Entry|watch.Content|watch.Tree)
		if !ok {
			return nil, 0, false
		}
		steps, bytes = append(steps, inside...), bytes+size
		if len(p.plan.Steps)-p.gone+len(steps) > p.limits.Paths || p.bytes+bytes > p.limits.Bytes {
			p.large = true
			return nil, 0, false
		}
	}
	// Its entries change the time that it was made with.
	dir.Kind = SetAttributes
	return append(steps, dir), bytes, true
}

// remove finds the step for a path that is gone.
func (p *planner) remove(e *dirty.Entry) {
	step := Step{Kind: RemoveFile, Path: e.Path, Entry: e}
	if p.limits.Deletes != nil && e.Path != "" && !p.limits.Deletes(e.Path) {
		step.Kind = Leave
		p.addGone(step)
		return
	}
	if e.Path == "" || e.Cleared() && e.Change&watch.Tree != 0 {
		// A directory that was renamed is still there with all below it.
		whole := *e
		p.plan.Rest, p.trees[e.Path] = append(p.plan.Rest, &whole), &whole
		return
	}
	if e.Change&watch.Tree != 0 {
		step.Kind = RemoveDirectory
	}
	p.addGone(step)
}

// addGone adds the step for a path that is gone.
func (p *planner) addGone(step Step) {
	p.plan.Steps = append(p.plan.Steps, step)
	p.gone++
	p.touch(step.Path, step.Entry)
}

// judgeDeletions leaves removals to rsync when they are too many.
func (p *planner) judgeDeletions() {
	if p.plan.removals() <= p.limits.Deletions {
		return
	}
	p.plan.Steps = slices.DeleteFunc(p.plan.Steps, func(s Step) bool {
		if s.Removes() {
			p.leave(s.Entry)
		}
		return s.Removes()
	})
}

// leave leaves an entry to rsync, and with it what is below it: there may still
// be a link there that leads elsewhere.
func (p *planner) leave(e *dirty.Entry) {
	p.plan.Rest = append(p.plan.Rest, e)
	if e.Change&^watch.Meta != 0 {
		p.left[e.Path] = true
	}
}

// touch remembers that a step changes the time of the directory of name.
func (p *planner) touch(name string, e *dirty.Entry) {
	dir := relpath.Parent(name)
	if _, ok := p.touched[dir]; !ok {
		p.touched[dir] = e
	}
}

// setParents adds the attributes of the directories whose time the steps
// change. One that is gone has an event of its own.
func (p *planner) setParents() {
	has := make(map[string]bool)
	for _, s := range p.plan.Steps {
		if s.Kind == SetAttributes {
			has[s.Path] = true
		}
	}
	for dir, e := range p.touched {
		if has[dir] || p.way(relpath.Parent(dir)) != straight {
			continue
		}
		info, err := p.directory(dir)
		switch {
		case err != nil || !info.IsDir():
		case carries(info):
			p.plan.Steps = append(p.plan.Steps, Step{Kind: SetAttributes, Path: dir, Info: info, Entry: e, Parent: true})
		default:
			p.leave(&dirty.Entry{Path: dir, Change: watch.Meta, Seq: e.Seq, Since: e.Since})
		}
	}
}

// way looks at the way into dir, once for each plan.
func (p *planner) way(dir string) way {
	if dir == "" {
		return straight
	}
	known := p.ways[dir]
	if known != 0 {
		return known
	}
	if known = p.way(relpath.Parent(dir)); known == straight {
		switch info, err := p.directory(dir); {
		case errors.Is(err, fs.ErrNotExist):
			known = gone
		case err != nil:
			known = unclear
		case !info.IsDir():
			known = through
		}
	}
	p.ways[dir] = known
	return known
}

// directory looks at what should be a directory, once for each plan. Whatever
// changes its time after that has an event of its own.
func (p *planner) directory(dir string) (info fs.FileInfo, err error) {
	info, ok := p.dirs[dir]
	if !ok {
		if info, err = p.source.Lstat(dir); err == nil {
			p.dirs[dir] = info
		}
	}
	return info, err
}
