package direct

import (
	"errors"
	"io/fs"
	"iter"
	"os"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/remotefs"
	"wsync/monitor/sparse"
)

// Lane carries out plans on one target. It is used by one goroutine at a time.
type Lane struct {
	root    string      // the workspace
	was     fs.FileInfo // root as it was found, nil if it was not
	target  Target
	files   *Files
	session string // its name, which no other has had
	// capabilities are those of the target's file system.
	capabilities remotefs.Capabilities
	// modes is what becomes of modes on the target, and owning of owners and groups.
	modes  config.ModeChanges
	owning owning
	// trash returns a new directory for what is replaced, nil for none; see trash.go.
	trash func() string
	// replaced is what may have been replaced by the same.
	replaced []replaced
	sparse   string // config.Remote.Sparse

	// temps are files made ahead of time, next to be used first; made counts
	// them for their names.
	temps []temp
	made  int
	// beside are directories on another file system than TempDir.
	beside map[string]bool
	// scarce: the disk is nearly full. refused is when a write failed last, zero
	// when that is over. See careful.
	scarce  bool
	refused time.Time
	room    RoomReply // asked for and not looked at yet
	asked   time.Time // when room was
	// leftAt is when the destination itself and TempDir were changed last, asked for
	// after the last transfer; nil for not known.
	leftAt map[string]TimeReply
}

// The room on the remote below which writes are careful, in bytes, and how
// often it is asked for.
const (
	scarceRoom   = 256 << 20
	roomInterval = 10 * time.Second
)

// refusedTime is how long writes are careful at least after one has failed,
// whatever room there is said to be: a quota does not show in it.
const refusedTime = 10 * time.Minute

// inFlight bounds the files that are open at once, and bytesInFlight the bytes on
// their way.
const (
	inFlight      = 64
	bytesInFlight = 4 << 20
)

// NewLane prepares TempDir on the target, and clears what earlier sessions left
// there. A target that needs nothing ahead of time has none.
func NewLane(root string, target Target, files *Files) (*Lane, error) {
	l := &Lane{root: root, target: target, files: files, session: newSession(), beside: make(map[string]bool), owning: owning{maker: target.Maker()}}
	l.was, _ = os.Lstat(root)
	if !target.Pipelines() {
		return l, nil
	}
	if err := l.begin(); err != nil {
		return nil, err
	}
	l.refill(ahead)
	l.askRoom()
	target.Flush()
	return l, nil
}

// closeTime is how long Close waits for the target.
const closeTime = time.Second

// Close removes what the session has in TempDir, and TempDir unless another one
// is there, if the target still can; otherwise the next session does.
func (l *Lane) Close() {
	if !l.target.Pipelines() {
		return
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		l.drop()
		l.target.Rmdir(l.dir())
		l.target.Rmdir(TempDir)
		_ = l.restoreTime().Wait() // the next full pass does it otherwise
	}()
	select {
	case <-closed:
	case <-time.After(closeTime):
	}
}

// Remove removes a file of wsync's own from TempDir, before Close, and TempDir unless
// there is more.
func (l *Lane) Remove(path string) {
	l.target.Remove(path)
	if !l.target.Pipelines() {
		l.target.Rmdir(TempDir)
		_ = l.restoreTime().Wait()
	}
}

// restoreTime sets the time of the destination itself, which TempDir has changed.
// Nobody has looked at the root before: if a disk was unmounted there, what is in
// its place has attributes that are nobody's business.
func (l *Lane) restoreTime() Reply {
	info, err := os.Lstat(l.root)
	if err != nil || l.was == nil || !info.IsDir() || !os.SameFile(info, l.was) {
		return replied{}
	}
	a := l.attributesOf(info)
	a.Owner = nil
	return l.target.SetAttributes("", a)
}

// RoundTrip measures how long the target takes for an answer, by the shortest of a few.
func (l *Lane) RoundTrip() (shortest time.Duration) {
	for i := range 3 {
		began := time.Now()
		reply := l.target.Type("")
		l.target.Flush()
		_, _ = reply.Wait()
		if took := time.Since(began); i == 0 || took < shortest {
			shortest = took
		}
	}
	return shortest
}

// Err says why the lane cannot be used any more, nil while it can.
func (l *Lane) Err() error { return l.target.Err() }

// SetCapabilities says what the target's file system keeps; until then it is taken
// to keep everything.
func (l *Lane) SetCapabilities(c remotefs.Capabilities) { l.capabilities = c }

// Result is what became of a plan.
type Result struct {
	// Failed are the entries whose steps the target refused: they are as dirty
	// as before. MovesFailed are the moves.
	Failed      []*dirty.Entry
	MovesFailed []dirty.Move
	// Removed are the paths that were removed, as far as that was to be judged,
	// Deleted counts them, Created what is new with its directory, Files and
	// Bytes what was put. Cleared are the steps of the other removals.
	Removed                 []string
	Cleared                 []Step
	Deleted, Created, Files int
	Bytes                   int64
	// Left are the paths that steps have left alone, and at which there is something.
	Left []Left
	// Lost: the session's directory is gone, and with it perhaps the whole
	// destination, in whose place there is another directory.
	Lost bool
	// Drifted: somebody else has changed the destination; see drift.go.
	Drifted bool
	// Sent is when the last request was on its way.
	Sent time.Time
}

// Left is a path that was left alone; Dir: the target has a directory there.
type Left struct {
	Path string
	Dir  bool
}

// partsOf are the parts of a file that are to be written, and the attributes that
// it is given after that. What is a hole here is none to be written, unless the options of
// the remote say otherwise.
func (l *Lane) partsOf(c content) (parts iter.Seq2[int, int], a Attributes) {
	piece := l.target.Piece()
	a = l.attributesOf(c.info)
	if l.sparse != config.SparseOff && (l.sparse == config.SparseOn || sparse.Has(c.info)) {
		size := int64(len(c.data))
		a.Size = &size
		return sparse.Extents(c.data, piece), a
	}
	return func(yield func(from, to int) bool) {
		for from := 0; from < len(c.data) && yield(from, min(from+piece, len(c.data))); from += piece {
		}
	}, a
}

// askRoom asks now and then how much can still be written.
func (l *Lane) askRoom() {
	if now := time.Now(); l.room == nil && now.Sub(l.asked) > roomInterval {
		l.room, l.asked = l.target.Room(), now
	}
}

// judgeRoom looks at the last answer.
func (l *Lane) judgeRoom() {
	if l.room == nil {
		return
	}
	if bytes, err := l.room.Wait(); err == nil {
		l.scarce = bytes < scarceRoom
	}
	l.room = nil
}

// careful reports whether a file is to take its place only when it is known to be
// whole. After a write has failed that ends with one that succeeds, and not by
// itself: the next file would be cut off.
func (l *Lane) careful() bool { return l.scarce || !l.refused.IsZero() }

// attributesOf are the attributes of something in the workspace, as far as the
// target's file system keeps them.
func (l *Lane) attributesOf(info fs.FileInfo) Attributes {
	a := Attributes{Mode: l.modes.Apply(info.Mode()), Modified: info.ModTime(), Lenient: l.capabilities.NoModes}
	if here, ok := ownerOf(info); ok && !l.capabilities.NoOwners {
		a.Owner, _ = l.owning.of(here)
	}
	return a
}

func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
