package inotify

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"wsync/monitor/watch"
	"wsync/monitor/watch/directory"
)

const (
	// readSize is the size of the buffer for events.
	readSize = 64 << 10
	// listingSize is the size of a buffer for the listing of a directory.
	listingSize = 16 << 10
	// readTurn is how many buffers are read before anything else is done.
	readTurn = 16
	// overflowWait is how long after an overflow to wait for the queue to be
	// empty before the whole tree is gone over.
	overflowWait = 500 * time.Millisecond
)

// Watcher implements watch.Watcher. One goroutine, the one in Run, reads the
// kernel's queue, owns the tree and calls the sink.
//
// Barriers need no file: a system call that changes a file has queued its events
// before it returns. What was queued when the barrier was asked for ends where
// the queue ended at that time, and FIONREAD (alias TIOCINQ)
// tells where that is.
type Watcher struct {
	// Set by New.
	opts watch.Options
	sink watch.Sink

	// asked is the number of the last barrier asked for, if any was.
	asked atomic.Pointer[uint64]
	// polling is the number of the last one that needs a round of polling.
	polling atomic.Uint64
	stats   atomic.Pointer[watch.Stats]
	looking directory.Looks

	// wakeMu guards wakeFD.
	wakeMu sync.Mutex
	// wakeFD is an eventfd that ends the wait for events; -1 but in Run.
	wakeFD int

	// All below belongs to the goroutine in Run.

	fd  int    // the inotify instance
	buf []byte // for events
	// listing is for listings of directories.
	listing []byte
	root    directory.Root
	tree    *tree
	mounts  directory.Mounts
	// mountsNoted: something was mounted or unmounted somewhere.
	mountsNoted bool

	// visits are the places to visit, the last one first.
	visits []visit
	batch  []visit
	looks  []look
	// jobs counts the unfinished jobs of each place, but for those about the
	// whole tree, after which all of it is looked at.
	jobs map[place]int
	// recent are the places visited since the queue was last seen empty.
	recent []place

	unpaired   []movedFrom
	renames    [32]renamed
	nextRename int

	// overflow is when events were lost, zero if the tree has been gone over
	// since or is about to be.
	overflow time.Time

	polls directory.Polls[*node]
	types directory.Types
	// silentChanged and polledChanged ask for what Stats says of them anew.
	silentChanged, polledChanged bool
	silentTypes, problemText     string
	// unwatched are polled directories that are to be tried to be watched.
	unwatched    []*node
	polledBefore int
	nextRewatch  time.Time

	// armed is to be called when the whole tree is watched for the first time;
	// nil afterwards.
	armed func()

	// parentWatch is the watch of the root's parent while the root is away.
	parentWatch int32

	barrier *barrier
	// answered is the last barrier that was noticed, and rounds the last one that
	// a round of polling was begun for.
	answered *uint64
	rounds   uint64
}

// barrier is one that was asked for and is not answered yet.
type barrier struct {
	n uint64
	// left is how many bytes are still to be read of what was in the queue.
	left int
}

// New makes a watcher of the directory root, an absolute path.
func New(root string, opts watch.Options, sink watch.Sink) *Watcher {
	w := &Watcher{
		root:   directory.NewRoot(root),
		opts:   opts,
		sink:   sink,
		polls:  directory.NewPolls[*node](opts.PollInterval),
		wakeFD: -1,
	}
	w.stats.Store(&watch.Stats{Backend: "inotify", Lossless: true})
	return w
}

// Stats implements watch.Watcher.
func (w *Watcher) Stats() watch.Stats {
	return *w.stats.Load()
}

// Barrier implements watch.Watcher.
func (w *Watcher) Barrier(n uint64) {
	w.polling.Store(n) // first: whoever takes the barrier for asked polls for it
	w.Events(n)
}

// Events implements watch.Watcher.
func (w *Watcher) Events(n uint64) {
	w.asked.Store(&n)
	w.wake()
}

// wake ends the wait for events.
func (w *Watcher) wake() {
	w.wakeMu.Lock()
	defer w.wakeMu.Unlock()
	if w.wakeFD >= 0 {
		// It fails only if the counter is about to overflow, which wakes, too.
		_, _ = unix.Write(w.wakeFD, binary.NativeEndian.AppendUint64(nil, 1))
	}
}

// Run implements watch.Watcher.
func (w *Watcher) Run(ctx context.Context, armed func()) error {
	if err := w.open(); err != nil {
		return err
	}
	defer w.close()
	defer context.AfterFunc(ctx, w.wake)()

	w.nextRewatch = time.Now().Add(rewatchInterval)
	w.armed = armed
	w.begin()
	for {
		if ctx.Err() != nil {
			return nil
		}
		w.noticeBarrier()
		if err := w.readSome(); err != nil {
			return fmt.Errorf("cannot read file system events of %s: %w", w.root.Path, err)
		}
		w.lookAnew()
		w.visitSome()
		w.polls.Some(w.pollOne)
		w.rewatchSome()
		w.tend(time.Now())
		w.answerBarrier()
		w.publish()
		if err := w.wait(); err != nil {
			return fmt.Errorf("cannot wait for file system events of %s: %w", w.root.Path, err)
		}
	}
}

// open makes the inotify instance and what belongs to it.
func (w *Watcher) open() error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if errors.Is(err, unix.EMFILE) {
		return fmt.Errorf("cannot watch %s: no inotify instance is left for this user (or no file descriptor for this process): sysctl fs.inotify.max_user_instances=%d",
			w.root.Path, max(2*readLimit("/proc/sys/fs/inotify/max_user_instances"), 256))
	}
	if err != nil {
		return fmt.Errorf("cannot watch %s: cannot make an inotify instance: %w", w.root.Path, err)
	}
	wakeFD, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("cannot watch %s: cannot make an eventfd: %w", w.root.Path, err)
	}
	w.fd = fd
	w.buf = make([]byte, readSize)
	w.listing = make([]byte, listingSize)
	w.tree = newTree(fd, &w.polls)
	w.mounts.Open()
	w.jobs = make(map[place]int)
	w.wakeMu.Lock()
	w.wakeFD = wakeFD
	w.wakeMu.Unlock()
	return nil
}

// close undoes open.
func (w *Watcher) close() {
	w.wakeMu.Lock()
	unix.Close(w.wakeFD)
	w.wakeFD = -1
	w.wakeMu.Unlock()
	unix.Close(w.fd)
	w.mounts.Close()
}

// readSome reads and handles what is in the queue, or a good part of it.
func (w *Watcher) readSome() error {
	for range readTurn {
		n, drained, err := w.readEvents()
		if err != nil {
			return err
		}
		if w.barrier != nil {
			w.barrier.left -= n
		}
		if drained {
			w.drained()
			return nil
		}
	}
	return nil
}

// drained is called when all that happened up to now has been handled.
func (w *Watcher) drained() {
	if w.barrier != nil {
		w.barrier.left = 0
	}
	// No event is left that could tell that one of these went wrong.
	if cap(w.recent) > 1<<16 {
		w.recent = nil
	}
	w.recent = w.recent[:0]
	if !w.overflow.IsZero() {
		w.recover()
	}
}

// recover makes the tree right after events were lost.
func (w *Watcher) recover() {
	w.overflow = time.Time{}
	if w.root.Away {
		return // What is lost is told when the root comes back.
	}
	// Halves of renames whose other halves may be lost.
	w.expireAll(time.Now().Add(time.Hour))
	w.visitRoot("the kernel's event queue overflowed")
}

// tend does what is due at a certain time.
func (w *Watcher) tend(now time.Time) {
	w.expireAll(now)
	if !w.overflow.IsZero() && now.Sub(w.overflow) > overflowWait {
		w.recover()
	}
	if w.root.Due(now) {
		w.checkRoot()
	}
	if w.mountsNoted {
		w.checkMounts()
	}
	w.polls.StartDue(now)
	if len(w.polls.Unwatched) > 0 && len(w.unwatched) == 0 && !now.Before(w.nextRewatch) {
		w.nextRewatch = now.Add(rewatchInterval)
		w.rewatch()
	}
	if len(w.visits) == 0 && len(w.unpaired) == 0 {
		w.tree.releaseDetached()
	}
	w.tree.endSome()
}

// noticeBarrier takes note of a barrier that was asked for.
func (w *Watcher) noticeBarrier() {
	asked := w.asked.Load()
	if w.barrier != nil || asked == nil || asked == w.answered {
		return
	}
	w.answered = asked
	w.barrier = &barrier{n: *asked}
	left, err := unix.IoctlGetInt(w.fd, unix.TIOCINQ)
	if err != nil {
		left = 1 // Any number will do: seeing the queue empty is enough.
	}
	w.barrier.left = left
	w.checkMounts()
	if polling := w.polling.Load(); polling != w.rounds {
		w.rounds = polling
		w.polls.Start(true)
	}
}

// answerBarrier answers the barrier if all before it has been reported.
func (w *Watcher) answerBarrier() {
	if w.barrier == nil || w.barrier.left > 0 || !w.overflow.IsZero() || w.polls.Busy() || len(w.visits) > 0 || w.looking.Any() {
		return
	}
	if w.checkRootNow(); len(w.visits) > 0 {
		return
	}
	// A rename whose second half has not come by now went out of the tree, or
	// is not over yet: then the second half is reported for itself.
	w.expireAll(time.Now().Add(time.Hour))
	n := w.barrier.n
	w.barrier = nil
	w.publish()
	w.sink.Barrier(n)
}

// publish makes the numbers public.
func (w *Watcher) publish() {
	if w.polledChanged && len(w.visits) == 0 {
		w.polledChanged = false
		w.problemText = w.problem()
	}
	if w.silentChanged && len(w.visits) == 0 {
		w.silentChanged = false
		w.silentTypes = w.polls.SilentTypes()
	}
	s := watch.Stats{
		Backend:     "inotify",
		Lossless:    true,
		Directories: len(w.tree.byWatch),
		Polled:      len(w.polls.Unwatched),
		Silent:      len(w.polls.Silent),
	}
	if s.Silent > 0 {
		s.SilentTypes, s.PollInterval = w.silentTypes, w.polls.Interval
	}
	if s.Polled > 0 {
		s.Problem = w.problemText
	}
	if old := w.stats.Load(); *old != s {
		w.stats.Store(&s)
	}
}
