package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rjeczalik/notify"
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

// notifier is the backend on top of github.com/rjeczalik/notify. The library
// loses events in many ways without a word, so its events are taken as hints
// that something is to be looked at, and nothing is concluded from their kind
// or order. Its recursive mode is never used.
//
// One goroutine takes events from the library; the one in Run does the rest.
type notifier struct {
	// Set by newNotify.
	path string // the root as it is called, absolute
	opts Options
	sink Sink
	// events is what the library sends to.
	events chan notify.EventInfo
	// woken holds a value if there is something to do for Run.
	woken chan struct{}

	// asked is the number of the last barrier asked for, if any was.
	asked atomic.Pointer[uint64]
	stats atomic.Pointer[Stats]

	// mu guards what the collecting goroutine uses.
	mu sync.Mutex
	// dir is the directory that path led to when that was found out last. Only
	// the goroutine in Run changes it, and reads it without mu.
	dir   string
	hints map[string]notify.Event
	// full tells that events may have been dropped.
	full bool
	// cookies are the barriers whose event has come, the last one only.
	cookie string

	// All below belongs to the goroutine in Run.

	arms   *arms
	mounts mounts
	// polled are the directories that could not be watched.
	polled map[string]*notifyPoll
	// problemText describes one of them.
	problemText string
	nextPoll    time.Time
	// unsettledAt is when directories came or went, zero if nothing did since
	// the last audit.
	unsettledAt time.Time
	nextAudit   time.Time
	// away tells that the root is gone.
	away bool
	// armed is to be called when the whole tree is watched for the first time;
	// nil afterwards.
	armed func()

	answered *uint64
	barrier  *cookieBarrier
}

// cookieBarrier is a barrier that is not answered yet.
type cookieBarrier struct {
	n      uint64
	cookie string
	// due is when to answer: soon after the cookie's event has come, or when
	// it has not come for too long.
	due  time.Time
	seen bool
}

func newNotify(path string, opts Options, sink Sink) (Watcher, error) {
	if opts.CookieDir == "" {
		return nil, errors.New("cannot watch " + path + ": there is no directory for cookies")
	}
	w := &notifier{
		path:   path,
		dir:    path,
		opts:   opts,
		sink:   sink,
		events: make(chan notify.EventInfo, eventRoom),
		woken:  make(chan struct{}, 1),
		hints:  make(map[string]notify.Event),
		polled: make(map[string]*notifyPoll),
	}
	w.arms = newArms(path, opts.MaxWatches, w.events)
	w.stats.Store(&Stats{Backend: "notify"})
	return w, nil
}

// Stats implements Watcher.
func (w *notifier) Stats() Stats {
	return *w.stats.Load()
}

// Barrier implements Watcher.
func (w *notifier) Barrier(n uint64) {
	w.asked.Store(&n)
	w.wake()
}

// Events implements Watcher. Where events may be missed, nothing hangs on them.
func (w *notifier) Events(n uint64) {
	w.Barrier(n)
}

func (w *notifier) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// Run implements Watcher.
func (w *notifier) Run(ctx context.Context, armed func()) error {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { w.collect(done) })
	defer func() {
		if w.arms.count() <= stopRoom {
			notify.Stop(w.events)
		}
		close(done)
		wg.Wait()
	}()

	// A barrier does without if it fails.
	_ = notify.Watch(w.opts.CookieDir+"/", w.events, notify.Create)
	w.armed = armed
	w.mounts.open()
	defer w.mounts.close()
	w.begin()

	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.woken:
		case <-timer.C:
		case <-tick.C:
			w.checkRoot()
			w.checkMounts()
		}
		w.noticeBarrier()
		w.work()
		w.tend(time.Now())
		w.answerBarrier(time.Now())
		w.publish()
		timer.Reset(w.rest(time.Now()))
	}
}

// collect takes events from the library and does nothing that takes time.
func (w *notifier) collect(done <-chan struct{}) {
	cookies := w.opts.CookieDir + "/"
	for {
		var e notify.EventInfo
		select {
		case <-done:
			return
		case e = <-w.events:
		}
		path := e.Path()
		w.mu.Lock()
		// Only this goroutine makes room, so a full channel is seen here.
		if len(w.events) >= eventRoom-1 || len(w.hints) >= hintRoom {
			w.full = true
			clear(w.hints)
		}
		switch {
		case path == w.dir:
			w.hints[""] |= e.Event()
		case strings.HasPrefix(path, cookies):
			w.cookie = path[len(cookies):]
		default:
			rest, ok := strings.CutPrefix(path, strings.TrimSuffix(w.dir, "/"))
			if ok && strings.HasPrefix(rest, "/") {
				w.hints[rest[1:]] |= e.Event()
			}
		}
		w.mu.Unlock()
		w.wake()
	}
}

// work looks at all that there are hints for.
func (w *notifier) work() {
	w.mu.Lock()
	hints, full, cookie := w.hints, w.full, w.cookie
	w.hints, w.full = make(map[string]notify.Event), false
	w.mu.Unlock()
	if b := w.barrier; b != nil && !b.seen && cookie == b.cookie {
		b.seen = true
		b.due = time.Now().Add(stragglers)
	}
	if w.away {
		return
	}
	if full {
		w.arms.forget("")
		w.settle("", nil)
		w.sink.Lost("more events came than could be remembered")
		return
	}
	for path, events := range hints {
		w.look(path, events)
	}
}

// look finds out what is at a path that there is a hint for.
func (w *notifier) look(path string, events notify.Event) {
	for parent := parentPath(path); path != "" && !w.arms.has(parent); parent = parentPath(path) {
		// Nothing is known of its directory: begin with that.
		path = parent
		events |= notify.Create
	}
	if !w.realDir(parentPath(path)) {
		return // Some part of the path is gone, or a symbolic link.
	}
	info, err := os.Lstat(w.abs(path))
	wasDir := w.arms.has(path)
	switch {
	case path == "":
		w.sink.Changed(path, Meta)
	case err != nil || !info.IsDir():
		change := Entry | Content | Meta
		if wasDir {
			change |= Tree
			w.drop(path)
		}
		w.sink.Changed(path, change)
	case events&^(notify.Write|metaEvents) == 0 && w.arms.matches(path, idOf(info)):
		w.sink.Changed(path, Meta)
	default:
		if events&notify.Create != 0 {
			// A directory made anew may have got the identity of the old one.
			w.drop(path)
		}
		w.settle(path, nil)
		w.sink.Changed(path, Entry|Tree)
	}
}

// realDir tells whether the path leads to a directory and through directories
// only, and not through symbolic links.
func (w *notifier) realDir(path string) bool {
	for ; ; path = parentPath(path) {
		info, err := os.Lstat(w.abs(path))
		if err != nil || !info.IsDir() {
			return false
		}
		if path == "" {
			return true
		}
	}
}

// drop forgets a directory and all below it.
func (w *notifier) drop(path string) {
	w.unsettledAt = time.Now()
	w.arms.forget(path)
	for p := range w.polled {
		if p == path || strings.HasPrefix(p, path+"/") {
			delete(w.polled, p)
		}
	}
}

// settle watches a directory and all below it, as far as they are not watched.
// Each directory that was not is passed to fresh, if that is set.
func (w *notifier) settle(path string, fresh func(path string)) {
	info, err := os.Lstat(w.abs(path))
	if err != nil || !info.IsDir() {
		w.drop(path)
		return
	}
	if id := idOf(info); !w.arms.matches(path, id) {
		w.unsettledAt = time.Now()
		if fresh != nil {
			fresh(path)
		}
		if err := w.arms.arm(path, id); err != nil {
			w.beginPoll(path, err)
		}
	}
	// List it only now that it is watched.
	names, err := subdirs(w.abs(path))
	if err != nil {
		w.beginPoll(path, err)
		return
	}
	if !w.arms.bare(path) {
		delete(w.polled, path)
	}
	for _, gone := range w.arms.others(path, names) {
		w.drop(join(path, gone))
	}
	for _, name := range names {
		w.settle(join(path, name), fresh)
	}
}

// subdirs lists the directories in a directory.
func subdirs(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// tend does what is due at a certain time.
func (w *notifier) tend(now time.Time) {
	if w.away {
		return
	}
	if !w.unsettledAt.IsZero() && now.Sub(w.unsettledAt) >= auditPause && !now.Before(w.nextAudit) {
		w.audit()
	}
	if len(w.polled) > 0 && !now.Before(w.nextPoll) {
		w.pollAll()
	}
}

// audit makes sure that every directory is watched.
func (w *notifier) audit() {
	start := time.Now()
	var fresh []string
	if w.arms.doubtful {
		w.arms.doubtful = false
		w.arms.forget("")
	}
	w.settle("", func(path string) { fresh = append(fresh, path) })
	for _, path := range fresh {
		w.sink.Changed(path, Entry|Tree)
	}
	w.unsettledAt = time.Time{}
	if len(fresh) > 0 || w.arms.doubtful {
		w.unsettledAt = time.Now()
	}
	w.nextAudit = time.Now().Add(20 * time.Since(start))
}

// noticeBarrier takes note of a barrier that was asked for.
func (w *notifier) noticeBarrier() {
	asked := w.asked.Load()
	if w.barrier != nil || asked == nil || asked == w.answered {
		return
	}
	w.answered = asked
	b := &cookieBarrier{
		n:      *asked,
		cookie: "cookie-" + strconv.FormatUint(*asked, 10) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36),
		due:    time.Now().Add(cookieWait),
	}
	w.barrier = b
	path := w.opts.CookieDir + "/" + b.cookie
	// If it fails, the barrier is answered a little later.
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		f.Close()
	}
	_ = os.Remove(path)
}

// answerBarrier answers the barrier if it is due.
func (w *notifier) answerBarrier(now time.Time) {
	b := w.barrier
	if b == nil || now.Before(b.due) {
		return
	}
	// Nothing about the root is left to the next look: it may be back.
	if w.checkRoot(); w.away {
		w.checkRoot()
	}
	if !w.away {
		w.checkMounts()
		if !w.unsettledAt.IsZero() {
			w.audit()
		}
		if len(w.polled) > 0 {
			w.pollAll()
		}
	}
	w.barrier = nil
	w.publish()
	w.sink.Barrier(b.n)
}

// rest returns how long nothing is due.
func (w *notifier) rest(now time.Time) time.Duration {
	next := now.Add(time.Hour)
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
	if !w.away {
		if !w.unsettledAt.IsZero() {
			earlier(w.unsettledAt.Add(auditPause))
			if next.Before(w.nextAudit) && w.barrier == nil {
				next = w.nextAudit
			}
		}
		if len(w.polled) > 0 {
			earlier(w.nextPoll)
		}
	}
	return max(next.Sub(now), 0)
}

// publish makes the numbers public.
func (w *notifier) publish() {
	s := Stats{Backend: "notify", Directories: w.arms.count(), Polled: len(w.polled)}
	if s.Polled > 0 {
		s.Problem = fmt.Sprintf("%d directories are polled: %s", s.Polled, w.problemText)
	}
	if *w.stats.Load() != s {
		w.stats.Store(&s)
	}
}

func (w *notifier) abs(path string) string {
	if path == "" {
		return w.dir
	}
	return join(w.dir, path)
}

// baseName returns the last name of path.
func baseName(path string) string {
	return path[strings.LastIndexByte(path, '/')+1:]
}

// parentPath returns the directory that holds path; "" holds itself.
func parentPath(path string) string {
	return path[:max(strings.LastIndexByte(path, '/'), 0)]
}
