//go:build linux

package simulation

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"wsync/monitor/direct"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
)

// there is what a remote has at a path.
type there struct {
	mode    fs.FileMode
	content uint64
	size    int64
	mtime   time.Time
}

// place is the file system of a remote, and the line to it.
type place struct {
	w    *world
	name string
	// direct: there is a way without rsync, over sftp unless the place is local. fractions
	// of seconds are kept where fine is set.
	direct, local, fine bool
	// shaky: the line to it breaks often.
	shaky bool
	names map[string]there
	// foreign are names that somebody else has made, which is nobody's business until a
	// person says otherwise. approved: one has.
	foreign map[string]bool
	// attached is the identity with which it was attached last. Requests that are late may be
	// of an earlier one, and know nothing of what is foreign now.
	attached string
	approved bool
	// allowed are deletions that a person has approved. doubt: it was emptied since it
	// was compared last.
	allowed guard.Names
	doubt   bool
	// missed are names whose deletion was last found to be one that is to be held, and when:
	// the tick. shown are those of which a person has seen that.
	missed, shown map[string]int
	// vanished are names that a pass was to send, and that were gone by then, or that it left
	// out after much was lost: what is there is older than that.
	vanished map[string]bool

	// What is wrong with it: it cannot be reached; it is full; nothing can be changed at or
	// below a path. broken counts the connections that broke, and lost how often it became
	// an empty directory.
	down, full   bool
	denied       string
	broken, lost int
	// late are requests on their way over a line that broke, and lateUntil is when the
	// last of all that broke carries nothing any more: a monitor that has died leaves that
	// to the next one, and no more.
	late      []lateRequest
	lateUntil time.Time
	arriving  bool // one of them is being carried out: the link came after it was sent
	// hurt is until when such a request may do harm that came, zero for none.
	hurt time.Time
}

type lateRequest struct {
	at, until time.Time // when it arrives, and when it may at the latest
	do        func() error
	carrier   *carrier // whose it is
}

var (
	errFull   = errors.New("no space left on device")
	errDenied = errors.New("permission denied")
	errInWay  = errors.New("something is in the way")
)

// as is what a node becomes on the way; sftp has whole seconds.
func (p *place) as(n *node, seconds bool) there {
	t := there{mode: n.mode, content: n.content, size: n.size, mtime: n.mtime}
	if seconds || !p.fine {
		t.mtime = t.mtime.Truncate(time.Second)
	}
	return t
}

// change checks that something may be changed at a path, and that no link leads there.
func (p *place) change(path string) error {
	if p.denied != "" && relpath.Within(path, p.denied) {
		return errDenied
	}
	for dir := relpath.Parent(path); dir != ""; dir = relpath.Parent(dir) {
		if t, ok := p.names[dir]; ok && !t.mode.IsDir() {
			if t.mode&fs.ModeSymlink != 0 && !p.arriving {
				p.w.fail("%s: %q goes through a link", p.name, path)
			}
			return errInWay
		}
	}
	return nil
}

// put makes or replaces what is no directory, or makes one.
func (p *place) put(path string, t there) error {
	if err := p.change(path); err != nil {
		return err
	}
	dir := relpath.Parent(path)
	if _, ok := p.names[dir]; dir != "" && !ok {
		return fs.ErrNotExist
	}
	old, ok := p.names[path]
	switch {
	case ok && (old.mode.IsDir() || t.mode.IsDir()):
		return errInWay
	case p.full && t.size > 0:
		return errFull
	}
	p.names[path] = t
	delete(p.vanished, path)
	p.w.note("put", path, int(t.content))
	return nil
}

// attributes sets mode and time of what is there.
func (p *place) attributes(path string, t there) error {
	is, ok := p.names[path]
	switch {
	case path == "":
		return nil
	case !ok:
		return fs.ErrNotExist
	case is.mode&fs.ModeSymlink != 0 && t.mode&fs.ModeSymlink == 0:
		return fs.ErrNotExist // where it leads
	}
	t.mode = is.mode.Type() | t.mode.Perm() // whatever it is
	if is.mode == t.mode && is.mtime.Equal(t.mtime) {
		return nil
	}
	if err := p.change(path); err != nil {
		return err
	}
	is.mode, is.mtime = t.mode, t.mtime
	p.names[path] = is
	return nil
}

// remove removes one entry.
func (p *place) remove(path string) error {
	t, ok := p.names[path]
	if !ok {
		return fs.ErrNotExist
	}
	if err := p.change(path); err != nil {
		return err
	}
	if t.mode.IsDir() && slices.ContainsFunc(p.all(), func(q string) bool { return relpath.Below(q, path) }) {
		return errInWay
	}
	delete(p.names, path)
	delete(p.foreign, path)
	delete(p.vanished, path)
	p.w.note("delete", path, 0)
	return nil
}

// rename is that of a server: it replaces no directory.
func (p *place) rename(from, to string) error {
	t, ok := p.names[from]
	if !ok {
		return fs.ErrNotExist
	}
	if err := errors.Join(p.change(from), p.change(to)); err != nil {
		return err
	}
	old, is := p.names[to]
	dir := relpath.Parent(to)
	if _, ok := p.names[dir]; dir != "" && !ok {
		return fs.ErrNotExist
	}
	if is && (old.mode.IsDir() || t.mode.IsDir()) {
		return errInWay
	}
	for _, q := range p.all() {
		if relpath.Within(q, from) {
			p.names[to+q[len(from):]] = p.names[q]
			delete(p.names, q)
		}
	}
	p.w.note("rename", from+" > "+to, 0)
	return nil
}

// all are the names in order.
func (p *place) all() []string { return slices.Sorted(maps.Keys(p.names)) }

// step carries out a step of a plan, as the direct lane does. What it puts it reads now.
func (p *place) step(s direct.Step, f *workspace) error {
	n := f.find(s.Path)
	switch s.Kind {
	case direct.RemoveFile, direct.RemoveDirectory:
		if t, ok := p.names[s.Path]; ok && t.mode.IsDir() && s.Kind == direct.RemoveFile {
			return errInWay // nobody has said that it was one
		}
		if err := p.remove(s.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	case direct.Leave:
		return nil
	}
	if n == nil || n.Mode().Type() != s.Info.Mode().Type() {
		return fs.ErrNotExist // it is another one, of which there will be an event
	}
	t := p.as(n, !p.local)
	switch s.Kind {
	case direct.MakeDirectory:
		if is, ok := p.names[s.Path]; ok && is.mode.IsDir() {
			return nil
		}
		return p.put(s.Path, t)
	case direct.SetAttributes:
		return p.attributes(s.Path, p.as(s.Info.(*node), !p.local))
	}
	return p.put(s.Path, t)
}

// obstacles are where a flight gets no further: at a directory that is to be made and is
// there, with something in it that no step brings, and at one to be removed that is none, if
// something below it is to go as well.
func (p *place) obstacles(steps []direct.Step) (obstacles []string) {
	coming := make(map[string]bool)
	for _, s := range steps {
		if s.Kind <= direct.PutSymlink {
			coming[s.Path] = true
		}
	}
	for _, s := range steps {
		is, ok := p.names[s.Path]
		switch {
		case !ok || s.Kind != direct.MakeDirectory && s.Kind != direct.RemoveDirectory:
		case !is.mode.IsDir() && (s.Kind == direct.MakeDirectory || leads(s.Path, steps)):
			obstacles = append(obstacles, s.Path)
		case s.Kind == direct.MakeDirectory:
			for q := range p.names {
				if relpath.Parent(q) == s.Path && !coming[q] {
					obstacles = append(obstacles, s.Path)
				}
			}
		}
	}
	return obstacles
}

// leads reports whether a step is for something below a path.
func leads(path string, steps []direct.Step) bool {
	return slices.ContainsFunc(steps, func(s direct.Step) bool { return relpath.Below(s.Path, path) })
}

// sync is what rsync does for one path of its list: the directories that lead there come
// along, and what is in the way of these and is none goes. alike tells whether what is there
// is taken for the same, and left alone but for its attributes.
func (p *place) sync(path string, f *workspace, alike func(n *node, t there) bool) error {
	n := f.find(path)
	if n == nil {
		return fs.ErrNotExist
	}
	var above []string
	for dir := relpath.Parent(path); dir != ""; dir = relpath.Parent(dir) {
		if !f.isDir(dir) {
			return fs.ErrNotExist
		}
		above = append(above, dir)
	}
	for _, dir := range slices.Backward(above) {
		if t, ok := p.names[dir]; ok && t.mode.IsDir() {
			continue
		}
		if err := p.replace(dir, p.as(f.find(dir), false)); err != nil {
			return err
		}
	}
	t := p.as(n, false)
	if is, ok := p.names[path]; ok && is.mode.Type() == n.mode.Type() && (n.IsDir() || alike(n, is)) {
		return p.attributes(path, t)
	}
	return p.replace(path, t)
}

// replace is put that first removes what rsync does.
func (p *place) replace(path string, t there) error {
	if is, ok := p.names[path]; ok && is.mode.IsDir() != t.mode.IsDir() {
		if err := p.remove(path); err != nil {
			return err
		}
	}
	return p.put(path, t)
}

// quick is what rsync takes for the same without a look at the contents.
func (p *place) quick(n *node, t there) bool {
	return n.content == t.content && n.mode&fs.ModeSymlink != 0 ||
		n.mode.IsRegular() && n.size == t.size && p.as(n, false).mtime.Equal(t.mtime)
}

// checksum is what it takes for the same after that.
func (p *place) checksum(n *node, t there) bool { return n.content == t.content && n.size == t.size }

// never has everything sent.
func never(*node, there) bool { return false }
