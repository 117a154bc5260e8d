//go:build linux

package simulation

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"runtime/debug"
	"slices"
	"time"
)

// world is all there is in a run: one thread, one clock, and whatever chance a seed has.
type world struct {
	chances
	now    time.Time
	digest uint64 // of all that was noted
	trace  func(format string, args ...any)
	// tasks are what is under way. One of them runs at a time, until it pauses.
	tasks   []*task
	running *task
	// calm: nothing goes wrong any more, nor does anybody do anything.
	calm   bool
	failed string // what is wrong, "" for nothing

	ws     *workspace
	events *watcher
	daemon *daemon
	places []*place
}

// start is when all worlds begin.
var start = time.Date(2030, 1, 1, 0, 0, 0, 500_000_000, time.UTC)

// chances are numbers that follow from one.
type chances struct{ state uint64 }

// Uint64 is the next of them (splitmix64). It implements rand.Source.
func (c *chances) Uint64() uint64 {
	c.state += 0x9e3779b97f4a7c15
	z := c.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is a number below n.
func (c *chances) below(n int) int { return int(c.Uint64() >> 33 % uint64(n)) }

// chance is true once in n times.
func (c *chances) chance(n int) bool { return c.below(n) == 0 }

// goesWrong is chance for what goes wrong.
func (w *world) goesWrong(n int) bool { return !w.calm && w.chance(n) }

// note adds what has happened to the digest, and to the trace.
func (w *world) note(what, name string, n int) {
	h := w.digest
	for _, s := range [...]string{what, name} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 0x100000001b3
		}
	}
	w.digest = (h ^ uint64(n) ^ uint64(w.now.UnixNano())) * 0x100000001b3
	if w.trace != nil {
		w.trace("%s %s %s %d", w.now.Format("04:05.000"), what, name, n)
	}
}

// fail takes in that something is wrong, the first time.
func (w *world) fail(format string, args ...any) {
	if w.failed == "" {
		w.failed = fmt.Sprintf(format, args...)
		w.note("FAILED: "+w.failed, "", 0)
	}
}

// task is something that goes on beside all else.
type task struct {
	life  *life
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	// until: it has nothing to do before, unless ready says so; ready may be nil.
	until time.Time
	ready func() bool
}

// errKilled is the panic of a task whose process is gone.
type errKilled struct{}

// life is that of a process, and the worker.World of its workers.
type life struct {
	w   *world
	ctx context.Context
	end context.CancelFunc
}

func (w *world) newLife() *life {
	l := &life{w: w}
	l.ctx, l.end = context.WithCancel(context.Background())
	return l
}

// kill ends all that goes on in a process, wherever it is.
func (l *life) kill() {
	l.end()
	for _, t := range slices.Clone(l.w.tasks) {
		if t.life == l {
			t.stop()
		}
	}
	l.w.tasks = slices.DeleteFunc(l.w.tasks, func(t *task) bool { return t.life == l })
}

// Now implements worker.World.
func (l *life) Now() time.Time { return l.w.now }

// Go implements worker.World: what is done goes on when the world has it do so.
func (l *life) Go(f func()) {
	t := &task{life: l}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil && r != (errKilled{}) {
				panic(fmt.Sprintf("%v\n%s", r, debug.Stack()))
			}
		}()
		t.yield = yield
		f()
	})
	l.w.tasks = append(l.w.tasks, t)
}

// Await implements worker.World.
func (l *life) Await(ctx context.Context, done <-chan struct{}, limit time.Duration) bool {
	isDone := func() bool {
		select {
		case <-done:
			return true
		default:
			return ctx.Err() != nil
		}
	}
	for end := l.w.now.Add(limit); !isDone() && l.w.now.Before(end); {
		l.w.pauseUntil(end, isDone)
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// Read implements worker.World.
func (l *life) Read(path string) ([]byte, error) {
	if data, ok := l.w.daemon.files[path]; ok {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

// Write implements worker.World.
func (l *life) Write(path string, data []byte) error {
	l.w.daemon.files[path] = slices.Clone(data)
	return nil
}

// Remove implements worker.World.
func (l *life) Remove(path string) error {
	delete(l.w.daemon.files, path)
	return nil
}

// pause has the running task wait until the world has it go on.
func (w *world) pause() { w.pauseUntil(time.Time{}, nil) }

func (w *world) pauseUntil(until time.Time, ready func() bool) {
	t := w.running
	t.until, t.ready = until, ready
	if !t.yield(struct{}{}) {
		panic(errKilled{})
	}
}

// canGo reports whether a task has something to do.
func (t *task) canGo(now time.Time) bool {
	return !t.until.After(now) || t.ready != nil && t.ready()
}

// advance has a task go on.
func (w *world) advance(t *task) {
	w.running = t
	_, more := t.next()
	w.running = nil
	if !more {
		w.tasks = slices.DeleteFunc(w.tasks, func(o *task) bool { return o == t })
	}
}
