// Package notify watches a directory tree by github.com/rjeczalik/notify, on every
// system. It may miss changes: a full pass has to follow what it tells.
package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lib "github.com/rjeczalik/notify"

	"wsync/monitor/watch"
	"wsync/monitor/watch/directory"
)

const (
	// eventRoom is the size of the channel that the library sends to; it drops
	// what does not fit.
	eventRoom = 1 << 18
	// hintRoom is how many paths are remembered before all of them are given
	// up for a look at everything.
	hintRoom = 1 << 17
	// stragglers is how long events may be under way in the library: it hands
	// each to a goroutine of its own, so that they overtake each other.
	stragglers = 20 * time.Millisecond
	// cookieWait is how long to wait for the event of a cookie.
	cookieWait = 2 * time.Second
	// auditPause is how long directories must not have changed before it is
	// checked that all of them are watched.
	auditPause = 200 * time.Millisecond
	// stopRoom is the number of watches up to which the library can take them
	// back in reasonable time; it needs the square of it.
	stopRoom = 2000
)

// Watcher implements watch.Watcher. The library loses events in many ways without
// a word, so its events are taken as hints that something is to be looked at, and
// nothing is concluded from their kind or order. Its recursive mode is never used.
//
// One goroutine takes events from the library; the one in Run does the rest.
type Watcher struct {
	// Set by New.
	opts watch.Options
	sink watch.Sink
	// events is what the library sends to.
	events chan lib.EventInfo
	// woken holds a value if there is something to do for Run.
	woken chan struct{}

	// asked is the number of the last barrier asked for, if any was.
	asked atomic.Pointer[uint64]
	stats atomic.Pointer[watch.Stats]
	// looking are the directories to look at anew.
	looking directory.Looks

	// mu guards what the collecting goroutine uses.
	mu sync.Mutex
	// dir is root.Dir. Only the goroutine in Run changes it, and reads it
	// without mu.
	dir   string
	hints map[string]lib.Event
	// full: events may have been dropped.
	full bool
	// ignored are directories that the library watches and that are not to be watched
	// any more: what is in them is nothing to look at. Only the goroutine in Run
	// changes it, and reads it without mu.
	ignored map[string]struct{}
	// cookies are the barriers whose event has come, the last one only.
	cookie string

	// All below belongs to the goroutine in Run.

	root   directory.Root
	arms   *arms
	mounts directory.Mounts
	// polls are the directories that are polled, by their paths.
	polls directory.Polls[string]
	types directory.Types
	// problemText describes one of those that could not be watched.
	problemText string
	// silentTypes is what Stats says of them, silentChanged asks for it anew.
	silentTypes   string
	silentChanged bool
	// unsettledAt is when directories came or went, zero if nothing did since
	// the last audit.
	unsettledAt time.Time
	nextAudit   time.Time
	// armed is to be called when the whole tree is watched for the first time;
	// nil afterwards.
	armed func()

	answered *uint64
	barrier  *cookieBarrier
}

// New makes a watcher of the directory root, an absolute path. It needs
// Options.CookieDir.
func New(root string, opts watch.Options, sink watch.Sink) (*Watcher, error) {
	if opts.CookieDir == "" {
		return nil, errors.New("cannot watch " + root + ": there is no directory for cookies")
	}
	w := &Watcher{
		dir:     root,
		root:    directory.NewRoot(root),
		opts:    opts,
		sink:    sink,
		events:  make(chan lib.EventInfo, eventRoom),
		woken:   make(chan struct{}, 1),
		hints:   make(map[string]lib.Event),
		ignored: make(map[string]struct{}),
		polls:   directory.NewPolls[string](opts.PollInterval),
	}
	w.arms = newArms(root, opts.MaxWatches, w.events)
	w.stats.Store(&watch.Stats{Backend: "notify"})
	return w, nil
}

// Stats implements watch.Watcher.
func (w *Watcher) Stats() watch.Stats {
	return *w.stats.Load()
}

// Barrier implements watch.Watcher.
func (w *Watcher) Barrier(n uint64) {
	w.asked.Store(&n)
	w.wake()
}

// Events implements watch.Watcher. Where events may be missed, nothing hangs on them.
func (w *Watcher) Events(n uint64) {
	w.Barrier(n)
}

func (w *Watcher) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// Run implements watch.Watcher.
func (w *Watcher) Run(ctx context.Context, armed func()) error {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { w.collect(done) })
	defer func() {
		if w.arms.count() <= stopRoom {
			lib.Stop(w.events)
		}
		close(done)
		wg.Wait()
	}()

	// A barrier does without if it fails.
	_ = lib.Watch(w.opts.CookieDir+"/", w.events, lib.Create)
	w.armed = armed
	w.mounts.Open()
	defer w.mounts.Close()
	w.begin()

	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.woken:
		case <-timer.C:
		}
		if w.root.Due(time.Now()) {
			w.checkRoot()
			w.checkMounts()
		}
		w.noticeBarrier()
		w.work()
		w.lookAnew()
		w.tend(time.Now())
		w.answerBarrier(time.Now())
		w.publish()
		timer.Reset(w.rest(time.Now()))
	}
}

// collect takes events from the library and does nothing that takes time.
func (w *Watcher) collect(done <-chan struct{}) {
	cookies := w.opts.CookieDir + "/"
	for {
		var e lib.EventInfo
		select {
		case <-done:
			return
		case e = <-w.events:
		}
		if w.note(e.Path(), e.Event(), cookies) {
			w.wake()
		}
	}
}

// note takes note of an event, and reports whether there is something to do for Run.
func (w *Watcher) note(path string, event lib.Event, cookies string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Only this goroutine makes room, so a full channel is seen here.
	if len(w.events) >= eventRoom-1 || len(w.hints) >= hintRoom {
		w.full = true
		clear(w.hints)
	}
	if path == w.dir {
		w.hints[""] |= event
		return true
	}
	if cookie, ok := strings.CutPrefix(path, cookies); ok {
		w.cookie = cookie
		return true
	}
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(w.dir, "/"))
	if ok && strings.HasPrefix(rest, "/") && !w.isIgnored(rest[1:]) {
		w.hints[rest[1:]] |= event
		return true
	}
	return w.full
}

// work looks at all that there are hints for.
func (w *Watcher) work() {
	w.mu.Lock()
	hints, full, cookie := w.hints, w.full, w.cookie
	w.hints, w.full = make(map[string]lib.Event), false
	w.mu.Unlock()
	if b := w.barrier; b != nil && !b.seen && cookie == b.cookie {
		b.seen = true
		b.due = time.Now().Add(stragglers)
	}
	if w.root.Away {
		return
	}
	if full {
		w.arms.forget("")
		w.watchBelow("", nil)
		w.sink.Lost("more events came than could be remembered")
		return
	}
	for path, events := range hints {
		w.look(path, events)
	}
}

// tend does what is due at a certain time.
func (w *Watcher) tend(now time.Time) {
	if w.root.Away {
		return
	}
	if !w.unsettledAt.IsZero() && now.Sub(w.unsettledAt) >= auditPause && !now.Before(w.nextAudit) {
		w.audit()
	}
	w.polls.StartDue(now)
	w.polls.Some(w.pollOne)
}

// rest returns how long nothing is due.
func (w *Watcher) rest(now time.Time) time.Duration {
	next := w.root.Next()
	earlier := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	if w.barrier != nil {
		earlier(w.barrier.due)
	} else if w.asked.Load() != w.answered {
		return 0
	}
	if !w.root.Away {
		if w.polls.Busy() {
			return 0
		}
		if !w.unsettledAt.IsZero() {
			earlier(w.unsettledAt.Add(auditPause))
			if next.Before(w.nextAudit) && w.barrier == nil {
				next = w.nextAudit
			}
		}
		if poll := w.polls.Next(); !poll.IsZero() {
			earlier(poll)
		}
	}
	return max(next.Sub(now), 0)
}

// publish makes the numbers public.
func (w *Watcher) publish() {
	s := watch.Stats{Backend: "notify", Directories: w.arms.count(), Polled: len(w.polls.Unwatched), Silent: len(w.polls.Silent)}
	if w.silentChanged {
		w.silentChanged = false
		w.silentTypes = w.polls.SilentTypes()
	}
	if s.Silent > 0 {
		s.SilentTypes, s.PollInterval = w.silentTypes, w.polls.Interval
	}
	if s.Polled > 0 {
		s.Problem = fmt.Sprintf("%d directories are polled: %s", s.Polled, w.problemText)
	}
	if *w.stats.Load() != s {
		w.stats.Store(&s)
	}
}
