package direct

import (
	"errors"
	"io/fs"
	"strconv"

	"wsync/monitor/dirty"
)

// temp is a file made ahead of time.
type temp struct {
	Temp
	path string
}

// ahead is how many files are kept ready: with one at hand, a change is on its
// way without a question to the remote.
const ahead = 8

// clear removes TempDir, in which there are only files. If it is not a
// directory, it is not ours; a link could lead to anybody's files.
func (l *Lane) clear() error {
	kind, err := l.target.Type(TempDir).Wait()
	if err != nil && isGone(err) {
		return nil
	}
	if err == nil && kind != fs.ModeDir {
		err = errors.New("it is not a directory")
	}
	if err != nil {
		return err
	}
	names, err := l.target.Names(TempDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		l.target.Remove(TempDir + "/" + name)
	}
	return l.target.Rmdir(TempDir).Wait()
}

// drop gives up the files made ahead of time: the server has each open until it
// is closed.
func (l *Lane) drop() {
	for _, t := range l.temps {
		if t.Ready() == nil {
			t.Temp.Close()
		}
		l.target.Remove(t.path)
	}
	l.temps = nil
}

// isBeside tells that what is to take its place at name must be made in the same
// directory.
func (l *Lane) isBeside(name string) bool {
	return !l.target.Pipelines() || l.beside[dirty.Parent(name)]
}

// take returns a new file, one that was made ahead of time if there is one.
func (l *Lane) take(place string, beside bool) temp {
	if beside || len(l.temps) == 0 {
		return l.temp(l.name(place, beside))
	}
	t := l.temps[0]
	l.temps = l.temps[1:]
	return t
}

// refill makes files ahead of time, n of them but not too many, without waiting
// for them.
func (l *Lane) refill(n int) {
	for l.target.Pipelines() && len(l.temps) < min(n, inFlight) {
		l.temps = append(l.temps, l.temp(l.name("", false)))
	}
}

func (l *Lane) temp(name string) temp { return temp{l.target.Temp(name), name} }

// name is a new name for something that is to take its place later.
func (l *Lane) name(place string, beside bool) string {
	l.made++
	name := strconv.Itoa(l.made)
	if !beside {
		return TempDir + "/" + name
	}
	name = TempDir + "-" + name
	if dir := dirty.Parent(place); dir != "" {
		return dir + "/" + name
	}
	return name
}
