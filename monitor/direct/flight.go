package direct

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wsync/monitor/beneath"
	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
)

// flight is a plan on its way.
type flight struct {
	lane    *Lane
	limit   int64
	mark    uint64
	result  Result
	waiting []func() // looks at the replies, in the order of the requests
	last    Reply    // the last of them
	open    int      // files among them
	bytes   int
	puts    int // files to come
	failed  map[*dirty.Entry]bool
	retry   []Step        // puts to be made beside their place
	times   []func() bool // see drift.go

	// made are the topmost new directories; obstacles are where no directory
	// could be made; types are what is where one is to be removed; looked is what
	// isObstacle has found. See obstacle.go.
	made      map[string]bool
	obstacles map[string]bool
	types     map[string]TypeReply
	looked    map[string]bool

	// trashes are directories of the flight in the trash, and newTrash is whether the
	// trash itself is new; see trash.go.
	trashes  []*trash
	newTrash Reply
	sizes    int // of files in the trash that were asked for
}

// Do repeats moves and carries out steps, for entries that were taken after the
// mark that is given. No file larger than limit is put. The error is that the
// target is gone, and nobody knows what of it was done.
func (l *Lane) Do(moves []dirty.Move, steps []Step, limit int64, mark uint64) (Result, error) {
	f := &flight{lane: l, limit: limit, mark: mark, failed: make(map[*dirty.Entry]bool),
		made: make(map[string]bool), obstacles: make(map[string]bool), types: make(map[string]TypeReply), looked: make(map[string]bool)}
	l.judgeRoom()
	f.askTimes(moves, steps)
	for _, m := range moves {
		f.move(m)
	}
	f.askTypes(steps)
	for _, s := range steps {
		if s.Kind == PutFile {
			f.puts++
		}
	}
	l.refill(f.puts)
	for _, s := range f.makeDirectories(steps) {
		f.step(s)
	}
	l.target.Flush()
	f.result.Sent = time.Now()
	f.land()
	f.result.Drifted = f.seesDrift()
	if len(f.retry) > 0 && l.target.Pipelines() {
		_, err := l.target.Type(l.dir()).Wait()
		f.result.Lost = isGone(err)
	}
	for len(f.retry) > 0 && l.target.Err() == nil {
		// The place is on another file system: once more, within it.
		puts := f.retry
		f.retry = nil
		for _, s := range puts {
			f.put(s, true)
		}
		f.land()
		for _, s := range steps {
			if s.Kind == SetAttributes && s.Info.IsDir() {
				f.step(s) // what was put has changed its time
			}
		}
		f.land()
	}
	f.tidyTrash()
	// Not before: other lanes of the session have changes on their way.
	l.refill(ahead)
	l.askRoom()
	l.target.Flush()
	if err := l.target.Err(); err != nil {
		return Result{}, err
	}
	for _, s := range steps {
		if s.Kind <= PutSymlink && isWithin(s.Path, f.made) && !f.failed[s.Entry] {
			f.result.Created++
		}
	}
	for e := range f.failed {
		f.result.Failed = append(f.result.Failed, e)
	}
	return f.result, nil
}

// then looks at replies when the flight lands, of which last comes last; nil if it is
// not known which does.
func (f *flight) then(last Reply, look func()) {
	f.waiting = append(f.waiting, look)
	if last != nil {
		f.last = last
	}
}

// land waits for all replies. That begins with the last: who waits for each is
// woken for each.
func (f *flight) land() {
	if f.last != nil {
		_ = f.last.Wait() // looked at in its turn
		f.last = nil
	}
	for len(f.waiting) > 0 {
		f.landNext()
	}
}

// landNext waits for the replies that come next.
func (f *flight) landNext() {
	look := f.waiting[0]
	f.waiting = f.waiting[1:]
	look()
}

func (f *flight) fail(s Step) { f.failed[s.Entry] = true }

// move repeats a rename. When one fails, those that follow may mean other
// things than their names say.
func (f *flight) move(m dirty.Move) {
	reply := f.rename(m)
	f.then(reply, func() {
		if reply.Wait() != nil || len(f.result.MovesFailed) > 0 {
			f.result.MovesFailed = append(f.result.MovesFailed, m)
		}
	})
}

// rename makes the requests for a move.
func (f *flight) rename(m dirty.Move) Reply {
	l := f.lane
	switch {
	case l.trash == nil:
		return l.target.Rename(m.From, m.To)
	case l.capabilities.Folds():
		return replied{errors.New("what is at the new name may be the same file")}
	}
	kept := f.keep(m.To, true)
	if !l.target.Pipelines() || !f.isPlain(m.To) {
		if _, err := kept.Wait(); err != nil {
			return replied{err}
		}
	}
	return l.target.Place(m.From, m.To)
}

// isPlain reports whether path is a regular file or a directory in the workspace.
func (f *flight) isPlain(path string) bool {
	info, err := os.Lstat(filepath.Join(f.lane.root, filepath.FromSlash(path)))
	return err == nil && (info.Mode().IsRegular() || info.IsDir())
}

// step makes the requests for a step.
func (f *flight) step(s Step) {
	if f.obstructed(s) {
		f.fail(s)
		return
	}
	target := f.lane.target
	var reply Reply
	switch s.Kind {
	case PutFile:
		f.put(s, f.lane.isBeside(s.Path))
		return
	case PutSymlink:
		f.symlink(s)
		return
	case Leave:
		f.leave(s)
		return
	case MakeDirectory:
		reply = target.Mkdir(s.Path, f.lane.modes.Apply(s.Info.Mode()))
	case SetAttributes:
		a := f.lane.attributesOf(s.Info)
		if s.Parent {
			a.Owner = nil
		}
		reply = target.SetAttributes(s.Path, a)
	case RemoveFile:
		if f.lane.trash != nil {
			reply = keptRemoval{f.keep(s.Path, false)}
		} else {
			reply = target.Remove(s.Path)
		}
	case RemoveDirectory:
		reply = f.removeDirectory(s.Path)
	}
	removal := s.Removes()
	f.then(reply, func() {
		err := reply.Wait()
		switch {
		case removal && isGone(err):
			// It never was there.
		case err != nil:
			f.fail(s)
		case removal && !s.Entry.Cleared():
			f.result.Deleted++
			f.result.Removed = append(f.result.Removed, s.Path)
		case removal:
			f.result.Cleared = append(f.result.Cleared, s)
		}
	})
}

// leave finds out whether there is something at a path that is left alone.
func (f *flight) leave(s Step) {
	reply := f.lane.target.Type(s.Path)
	f.then(nil, func() {
		switch kind, err := reply.Wait(); {
		case isGone(err):
		case err != nil:
			f.fail(s)
		default:
			f.result.Left = append(f.result.Left, Left{Path: s.Path, Dir: kind == fs.ModeDir})
		}
	})
}

// manyDirectories is how many are removed without a wait for what they are.
const manyDirectories = 16

// removeDirectory removes what was a directory in the workspace and may be
// something else on the target.
func (f *flight) removeDirectory(path string) Reply {
	target := f.lane.target
	if len(f.types) > manyDirectories {
		switch kind, err := f.types[path].Wait(); {
		case err != nil:
			return replied{err}
		case kind == fs.ModeDir:
			return target.Rmdir(path)
		}
	}
	if f.lane.trash != nil {
		return rmdirReply{target.Rmdir(path), f.types[path]} // what is none is for rsync
	}
	// "No such file" is also what a server says of a file that is no directory.
	return eitherRemoval{target.Rmdir(path), target.Remove(path)}
}

// eitherRemoval are the replies to two ways to remove a path, of which one has
// to succeed or both have to find nothing.
type eitherRemoval struct{ rmdir, remove Reply }

func (r eitherRemoval) Wait() error {
	err := r.rmdir.Wait()
	other := r.remove.Wait()
	if isGone(err) && !isGone(other) {
		return other
	}
	return err
}

// put writes a file and puts it into its place.
func (f *flight) put(s Step, beside bool) {
	l := f.lane
	f.puts--
	for len(f.waiting) > 0 && (f.open >= inFlight || f.bytes > bytesInFlight) {
		f.landNext()
	}
	content, err := l.files.read(s.Path, f.limit, f.mark)
	if err != nil {
		f.fail(s)
		return
	}
	t := l.take(s.Path, beside)
	l.refill(f.puts)
	if err := t.Ready(); err != nil {
		l.drop() // their directory is gone, or something else is wrong with it
		f.again(s, beside)
		return
	}
	careful := l.careful() || !l.target.Pipelines()
	var replies []Reply
	// request makes a request, and reports whether the next may follow.
	request := func(r Reply) bool {
		replies = append(replies, r)
		return !careful || r.Wait() == nil
	}
	parts, attributes := l.partsOf(content)
	whole := true
	for from, to := range parts {
		if whole = request(t.Write(int64(from), content.data[from:to])); !whole {
			break
		}
	}
	written := len(replies)
	whole = whole && request(t.SetAttributes(attributes))
	whole = request(t.Temp.Close()) && whole
	var kept KeepReply = keptReply{}
	var in *trash
	if whole && f.keeps(s.Path) {
		kept, in = f.keepIn(s.Path, true)
		if !l.target.Pipelines() {
			_, err := kept.Wait()
			whole = err == nil
		}
	}
	if whole {
		replies = append(replies, f.place(t.path, s.Path))
	}
	if in != nil {
		f.compareLater(in, s.Path, content.data)
	}
	f.open++
	f.bytes += len(content.data)
	f.then(replies[len(replies)-1], func() {
		f.open--
		f.bytes -= len(content.data)
		for i, r := range replies {
			err := r.Wait()
			switch {
			case err == nil && (whole || i < len(replies)-1):
				continue
			case i < written:
				l.refused = time.Now() // the disk may be full
			case whole && i == len(replies)-1 && !beside && !hasFailed(kept):
				l.target.Remove(t.path)
				f.retry = append(f.retry, s)
				return
			}
			l.target.Remove(t.path)
			f.fail(s)
			return
		}
		if beside {
			l.beside[relpath.Parent(s.Path)] = true
		}
		if careful && written > 0 && time.Since(l.refused) >= refusedTime {
			l.refused = time.Time{}
		}
		f.result.Files++
		f.result.Bytes += int64(len(content.data))
	})
}

// place puts what was made into its place, in which there is nothing any more if it was
// to be kept.
func (f *flight) place(from, to string) Reply {
	if f.lane.trash != nil {
		return f.lane.target.Place(from, to)
	}
	return f.lane.target.Rename(from, to)
}

// again makes a second attempt of a put, within the directory of its place.
func (f *flight) again(s Step, beside bool) {
	if beside {
		f.fail(s)
		return
	}
	f.retry = append(f.retry, s)
}

// symlink makes a link and puts it into its place.
func (f *flight) symlink(s Step) {
	l := f.lane
	target, err := beneath.Readlink(l.root, s.Path)
	if err != nil {
		f.fail(s)
		return
	}
	name := l.name(s.Path, l.isBeside(s.Path))
	if f.keeps(s.Path) {
		if kept := f.keep(s.Path, true); l.target.Pipelines() {
			name = s.Path // a link replaces nothing
		} else if hasFailed(kept) {
			f.fail(s)
			return
		}
	}
	replies := []Reply{
		l.target.Symlink(target, name),
		l.target.SetLinkAttributes(name, l.attributesOf(s.Info)),
	}
	if name != s.Path {
		replies = append(replies, l.target.Rename(name, s.Path))
	}
	f.then(replies[len(replies)-1], func() {
		for _, r := range replies {
			if r.Wait() != nil {
				if name != s.Path {
					l.target.Remove(name)
				}
				f.fail(s)
				return
			}
		}
	})
}
