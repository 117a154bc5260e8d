package watch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Directories that cannot be watched are polled: their entries are compared
// with what they were the time before.

const (
	// pollInterval is the least time between two rounds of polling.
	pollInterval = time.Second
	// pollShare bounds the cost: a round that took t is followed by at least
	// pollShare*t without one, that is, at most 5 % of the time is spent.
	pollShare = 20
	// pollTurn is how long to poll before reading events again.
	pollTurn = 20 * time.Millisecond
	// rewatchInterval is how often polled directories are tried to be watched.
	rewatchInterval = time.Minute
	// rewatchBatch is how many are tried together. A failure ends the attempt.
	rewatchBatch = 64
)

// errAlias is why the second path of a bind-mounted directory is polled.
var errAlias = errors.New("it is in the tree under another path, too")

// pollState is what is known of a directory without a watch.
type pollState struct {
	// why there is no watch, or why the directory could not be read.
	why error
	// prints are the entries as of the last poll; nil if it failed.
	prints map[string]print
}

// print tells one state of an entry from another.
type print struct {
	// id covers what makes it another file: device, inode and type.
	id uint64
	// rest covers all else that lstat tells, but access times.
	rest uint64
	dir  bool
}

// unsettled is how close to now a time stamp may be before the entry is
// suspected to change once more without getting another.
const unsettled = 50 * time.Millisecond

// unsettledCoarse is the same for file systems that keep whole seconds.
const unsettledCoarse = 2 * time.Second

var printSeed = maphash.MakeSeed()

// printOf makes the print of an entry. One that has just changed gets a print
// that the next poll does not find again, as it may change within one tick of
// the file system's clock.
func printOf(st *unix.Stat_t, now time.Time) print {
	var h maphash.Hash
	h.SetSeed(printSeed)
	var buf [8]byte
	add := func(values ...uint64) uint64 {
		for _, v := range values {
			binary.NativeEndian.PutUint64(buf[:], v)
			h.Write(buf[:])
		}
		return h.Sum64()
	}
	kind := uint64(st.Mode & unix.S_IFMT)
	p := print{dir: kind == unix.S_IFDIR}
	p.id = add(uint64(st.Dev), st.Ino, kind)
	p.rest = add(uint64(st.Mode), uint64(st.Uid), uint64(st.Gid), uint64(st.Rdev), uint64(st.Size),
		uint64(st.Mtim.Nano()), uint64(st.Ctim.Nano()))
	limit := unsettled
	if st.Ctim.Nsec == 0 && st.Mtim.Nsec == 0 {
		limit = unsettledCoarse
	}
	if !p.dir && now.Sub(time.Unix(st.Ctim.Unix())) < limit {
		p.rest ^= uint64(now.UnixNano())
	}
	return p
}

// poll begins or goes on to poll n because of err, and returns the names of its
// subdirectories.
func (w *inotify) poll(j *job, n *node, err error) []string {
	state := w.tree.polled[n]
	if state == nil {
		state = &pollState{}
		w.tree.polled[n] = state
		j.report = true
	}
	if state.why == nil || state.why.Error() != err.Error() {
		w.polledChanged = true
	}
	state.why = err
	return w.compare(j, n, state)
}

// compare reports what changed in n since the time before, and returns the
// names of its subdirectories. If there was no time before, all of it changed.
func (w *inotify) compare(j *job, n *node, state *pollState) []string {
	path, ok := w.tree.path(n)
	if !ok {
		return nil
	}
	prints, dirs, err := w.printAll(w.abs(path), n)
	if err != nil {
		if !gone(err) && (state.why == nil || state.why.Error() != err.Error()) {
			state.why = err
			w.polledChanged = true
		}
		state.prints = nil
		return nil
	}
	old := state.prints
	state.prints = prints
	if old == nil {
		j.report = true
		return dirs
	}
	for name, p := range prints {
		if before, ok := old[name]; !ok || before != p {
			w.differs(n, path, name, before, p)
		}
	}
	for name, before := range old {
		if _, ok := prints[name]; !ok {
			if child := n.children[name]; child != nil {
				w.tree.detach(child)
			}
			change := Entry
			if before.dir {
				change |= Tree
			}
			w.sink.Changed(join(path, name), change)
		}
	}
	return dirs
}

// differs reports an entry of a polled directory whose print is another one.
func (w *inotify) differs(n *node, dir, name string, before, now print) {
	path := join(dir, name)
	switch {
	case !now.dir:
		if child := n.children[name]; child != nil {
			w.tree.detach(child)
		}
		change := Entry | Content | Meta
		if before.dir {
			change |= Tree
		}
		w.sink.Changed(path, change)
	case before.id != now.id || n.children[name] == nil:
		w.settle(place{n, name}, true, true)
	default:
		w.sink.Changed(path, Meta)
	}
}

// errReplaced is what printAll returns if another directory has come.
var errReplaced = errors.New("it was replaced")

// printAll makes the prints of all entries of a directory.
func (w *inotify) printAll(path string, n *node) (map[string]print, []string, error) {
	id, t := n.id, w.typeOf(n.id.dev, path)
	fd, err := openDir(path)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, nil, err
	}
	if id != identityOf(&st) {
		return nil, nil, errReplaced
	}
	prints := make(map[string]print)
	var dirs []string
	now := time.Now()
	err = eachEntry(fd, w.listing, func(name []byte, _ byte) error {
		text := string(name)
		err := ignoringEINTR(func() error {
			if t.Silent {
				return statAfresh(fd, text, &st)
			}
			return unix.Fstatat(fd, text, &st, unix.AT_SYMLINK_NOFOLLOW)
		})
		if err == unix.ENOENT {
			return nil
		}
		if err != nil {
			return err
		}
		if t.Forgetful() {
			st.Ino = 0
		}
		p := printOf(&st, now)
		prints[text] = p
		if p.dir {
			dirs = append(dirs, text)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return prints, dirs, nil
}

// startRound begins to poll all directories that need it, with those that may
// change without an event, or not.
func (w *inotify) startRound(silent bool) {
	w.round = w.round[:0]
	w.roundSilent = silent
	if silent {
		for n := range w.tree.silent {
			w.round = append(w.round, n)
		}
	}
	for n := range w.tree.polled {
		w.round = append(w.round, n)
	}
	w.roundCost = 0
}

// pollSome goes on with the round until it is over or the time is up.
func (w *inotify) pollSome() {
	if len(w.round) == 0 {
		return
	}
	start := time.Now()
	for len(w.round) > 0 && time.Since(start) < pollTurn {
		n := w.round[len(w.round)-1]
		w.round = w.round[:len(w.round)-1]
		state := w.tree.polled[n]
		if state == nil {
			state = w.tree.silent[n]
		}
		if state == nil || !w.tree.holds(n) {
			continue
		}
		if state.prints != nil {
			j := &job{place: place{n.parent, n.name}}
			w.compare(j, n, state)
		}
		if state.prints == nil {
			w.settle(place{n.parent, n.name}, true, false)
		}
	}
	w.roundCost += time.Since(start)
	if len(w.round) == 0 {
		rest := pollShare * w.roundCost
		w.nextPoll = time.Now().Add(max(pollInterval, rest))
		if w.roundSilent {
			w.nextSilent = time.Now().Add(max(w.pollInterval(), rest))
		}
	}
}

// rewatch begins to try to watch what is polled: watches may have become free.
func (w *inotify) rewatch() {
	w.unwatched = w.unwatched[:0]
	for n := range w.tree.polled {
		w.unwatched = append(w.unwatched, n)
	}
	w.polledBefore = len(w.unwatched) + 1
}

// rewatchSome goes on with the attempt, as long as it gets anywhere.
func (w *inotify) rewatchSome() {
	if len(w.unwatched) == 0 || len(w.visits) > 0 {
		return
	}
	if len(w.tree.polled) >= w.polledBefore || w.freeWatches() <= 0 {
		w.unwatched = nil
		return
	}
	w.polledBefore = len(w.tree.polled)
	for range min(rewatchBatch, len(w.unwatched)) {
		n := w.unwatched[len(w.unwatched)-1]
		w.unwatched = w.unwatched[:len(w.unwatched)-1]
		if w.tree.polled[n] != nil && w.tree.holds(n) {
			w.settle(place{n.parent, n.name}, false, false)
		}
	}
}

// problem describes why directories are polled, "" if none is.
func (w *inotify) problem() string {
	var short, broken int
	var example string
	for n, state := range w.tree.polled {
		if outOfWatches(state.why) {
			short++
			continue
		}
		path, ok := w.tree.path(n)
		if !ok || errors.Is(state.why, errAlias) {
			continue
		}
		broken++
		if text := fmt.Sprintf("cannot watch %q: %v", w.abs(path), state.why); example == "" || text < example {
			example = text
		}
	}
	var parts []string
	if short > 0 {
		parts = append(parts, w.shortage(short))
	}
	if broken > 1 {
		example += fmt.Sprintf(" (and %d more)", broken-1)
	}
	if broken > 0 {
		parts = append(parts, example)
	}
	return strings.Join(parts, "; ")
}

func outOfWatches(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, errNotAllowed)
}

// shortage describes a lack of n watches and what helps.
func (w *inotify) shortage(n int) string {
	text := fmt.Sprintf("%d of %d directories are polled because no watch is left for them", n, n+len(w.tree.byWatch))
	if w.opts.MaxWatches > 0 && len(w.tree.byWatch) >= w.opts.MaxWatches {
		return fmt.Sprintf("%s: MaxWatches allows %d, and %d are needed", text, w.opts.MaxWatches, n+len(w.tree.byWatch))
	}
	limit := readLimit("/proc/sys/fs/inotify/max_user_watches")
	if own := readLimit("/proc/sys/user/max_inotify_watches"); own > 0 && own < limit {
		return fmt.Sprintf("%s: sysctl user.max_inotify_watches=%d", text, roundUp(own+n))
	}
	return fmt.Sprintf("%s: sysctl fs.inotify.max_user_watches=%d", text, roundUp(limit+n))
}

// roundUp returns a round number with some room above n.
func roundUp(n int) int {
	const step = 8192
	return (n + n/4 + step) / step * step
}

// readLimit reads a number below /proc/sys, 0 if it cannot.
func readLimit(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return n
}
