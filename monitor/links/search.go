package links

import (
	"context"
	"io/fs"
	"math"
	"slices"
	"time"

	"wsync/monitor/walk"
)

// searchRounds is how many walks may be disturbed before a full pass is made.
const searchRounds = 3

// Marks are names that are to be looked at, as of a mark.
type Marks struct {
	Names []string
	Seq   uint64
	Since time.Time
}

// Scan finds the names of all files that have several, and answers the questions
// that were open when it began. A name that is new comes with an event, so that
// no walk needs to find it; but a directory that is renamed meanwhile may take
// names along to where the walk has been.
func (l *Index) Scan(ctx context.Context) {
	l.mu.Lock()
	renames := l.renames
	questions := make([]*linkedFile, 0, len(l.asked))
	asked := make(map[fileID]bool, len(l.asked)) // which may have one name by now
	for f := range l.asked {
		questions = append(questions, f)
		asked[f.id] = true
	}
	l.mu.Unlock()
	type file struct {
		names []string
		nlink uint64
	}
	files := make(map[fileID]*file)
	l.tree.Files(ctx, "", func(name string, e fs.DirEntry) bool {
		if l.Seen != nil {
			l.Seen(name)
		}
		info, err := e.Info()
		if err != nil {
			return true // it is gone
		}
		id, nlink, ok := identify(info)
		if !ok || nlink < 2 && !asked[id] || l.excludes(name) {
			return true
		}
		f := files[id]
		if f == nil {
			f = &file{}
			files[id] = f
		}
		f.names, f.nlink = append(f.names, name), nlink
		return true
	})
	if ctx.Err() != nil {
		return
	}
	var found []Marks
	for id, f := range files {
		found = append(found, l.found(id, f.names, f.nlink, renames)...)
	}
	for _, f := range questions {
		found = append(found, l.resolve(f, renames)...)
	}
	l.Finish(found)
}

// found takes in the names of a file that a walk has found, which began after so
// many renames.
func (l *Index) found(id fileID, names []string, nlink uint64, renames int) (found []Marks) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[id]
	for _, name := range names {
		if f != nil && f.used > 0 && !slices.Contains(l.paths[name], f) {
			// What happened meanwhile by another name was told of that one only.
			found = append(found, Marks{[]string{name}, f.used, l.now()})
		}
		if f = l.join(id, name); f == nil {
			return found
		}
	}
	if f.question == nil && l.renames == renames {
		l.setOutside(f, max(nlink, uint64(len(names)))-uint64(len(names)))
	}
	return found
}

// resolve answers the question about a file after a walk that began after so many
// renames, or without one if all names are known by now.
func (l *Index) resolve(f *linkedFile, renames int) []Marks {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := f.question
	if q == nil || q.answered {
		return nil
	}
	names := l.current(f, "")
	if len(names) == 0 && (renames == noWalk || l.renames != renames) {
		// It may have a name that nobody knows, by which it is still there.
		if renames != noWalk {
			q.walks++
		}
		return nil
	}
	changed := true
	if len(names) > 0 {
		info, err := l.lstat(names[0])
		if err != nil {
			return nil // at the next time
		}
		id, nlink, ok := identify(info)
		if !ok || id != f.id {
			return nil
		}
		if nlink > uint64(len(names))+f.outside && l.renames != renames {
			if renames != noWalk {
				q.walks++
			}
			return nil
		}
		l.setOutside(f, max(nlink, uint64(len(names)))-uint64(len(names)))
		changed = nlink != q.nlink || !walk.ChangeTime(info).Equal(q.changed)
	}
	q.answered = true
	if !changed {
		// It is as it was when the names were looked at that were known.
		names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(f.names[:q.known], name) })
	}
	return []Marks{{names, q.seq, q.since}}
}

// noWalk is the number of renames for resolve when there was no walk.
const noWalk = -1

// Recheck answers the questions that need no walk any more.
func (l *Index) Recheck() {
	l.mu.Lock()
	questions := make([]*linkedFile, 0, len(l.asked))
	for f := range l.asked {
		questions = append(questions, f)
	}
	l.mu.Unlock()
	var found []Marks
	for _, f := range questions {
		found = append(found, l.resolve(f, noWalk)...)
	}
	l.Finish(found)
}

// Finish marks what was found, and closes the questions that were answered by it.
func (l *Index) Finish(found []Marks) {
	l.tell(found, Complete)
	l.mu.Lock()
	defer l.mu.Unlock()
	lowest := uint64(math.MaxUint64)
	for f := range l.asked {
		if f.question.answered {
			f.question = nil
			delete(l.asked, f)
		} else {
			lowest = min(lowest, f.question.seq)
		}
	}
	l.lowest = lowest
}

// GiveUp answers the questions that walks could not, and reports whether there were
// any: a full pass has to.
func (l *Index) GiveUp() (any bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.asked {
		if f.question.walks >= searchRounds {
			any, f.question.answered = true, true
		}
	}
	return any
}
