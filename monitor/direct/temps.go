package direct

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"wsync/config"
	"wsync/monitor/relpath"
)

// temp is a file made ahead of time.
type temp struct {
	Temp
	path string
}

// ahead is how many files are kept ready: with one at hand, a change is on its
// way without a question to the remote.
const ahead = 8

// What is to take its place in the tree is made under names that are this
// session's alone. When a link breaks, what an earlier session has sent may still
// be on its way, and its server carries it out whenever it arrives: a rename of
// .wsync-tmp/1 would then put a file of ours into a place that it is not for. As
// it is, late requests find nothing once clear has removed what that session had.

// newSession is the name of a session: sessionLength random hexadecimal digits.
func newSession() string {
	var random [sessionLength / 2]byte
	rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

const sessionLength = 16

// isSession reports whether something in TempDir has the name of a session.
func isSession(name string) bool {
	return len(name) == sessionLength && strings.Trim(name, "0123456789abcdef") == ""
}

// dir is the directory of this session.
func (l *Lane) dir() string { return TempDir + "/" + l.session }

// begin prepares the directory of this session, and clears those of others.
func (l *Lane) begin() error {
	if err := l.clear(); err != nil {
		return fmt.Errorf("cannot prepare %s: %w", TempDir, err)
	}
	l.target.Mkdir(TempDir, 0o700) // it may be there, with marks in it
	if err := l.target.Mkdir(l.dir(), 0o700).Wait(); err != nil {
		return fmt.Errorf("cannot make a directory in %s: %w", TempDir, err)
	}
	return nil
}

// clear empties TempDir, in which there are only the directories of sessions,
// files, which earlier versions had there, and marks, which stay. If it is not a
// directory, it is not ours; a link could lead to anybody's files.
func (l *Lane) clear() error {
	switch kind, err := l.target.Type(TempDir).Wait(); {
	case isGone(err):
		return nil
	case err != nil:
		return err
	case kind != fs.ModeDir:
		return errors.New("it is not a directory")
	}
	names, err := l.target.Names(TempDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		path := TempDir + "/" + name
		if strings.HasPrefix(path, config.MarkPrefix) {
			continue
		}
		if !isSession(name) {
			if err := unlessGone(l.target.Remove(path).Wait()); err != nil {
				return err // it is nothing of ours
			}
		} else if err := l.clearSession(path); err != nil {
			return err
		}
	}
	l.target.Rmdir(TempDir) // unless there are marks
	return nil
}

// clearRounds is how often the directory of a session is emptied that makes new
// files meanwhile.
const clearRounds = 10

// clearSession removes the directory of another session, in which there are only
// files. That session is over, but its requests may arrive at this very moment.
func (l *Lane) clearSession(dir string) error {
	switch kind, err := l.target.Type(dir).Wait(); {
	case err != nil:
		return unlessGone(err)
	case kind != fs.ModeDir:
		return l.target.Remove(dir).Wait()
	}
	var err error
	for range clearRounds {
		names, failure := l.target.Names(dir)
		if failure != nil {
			return unlessGone(failure)
		}
		for _, name := range names {
			l.target.Remove(dir + "/" + name)
		}
		if err = unlessGone(l.target.Rmdir(dir).Wait()); err == nil {
			return nil
		}
	}
	return err
}

// unlessGone is the error of a removal: what is gone already was removed.
func unlessGone(err error) error {
	if isGone(err) {
		return nil
	}
	return err
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

// isBeside reports whether what is to take its place at name must be made in the same
// directory.
func (l *Lane) isBeside(name string) bool {
	return !l.target.Pipelines() || l.owning.inherits || l.beside[relpath.Parent(name)]
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
	if !beside {
		return l.dir() + "/" + strconv.Itoa(l.made)
	}
	name := TempDir + "-" + l.session + "-" + strconv.Itoa(l.made)
	if dir := relpath.Parent(place); dir != "" {
		return dir + "/" + name
	}
	return name
}
