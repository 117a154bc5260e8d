// Package worker keeps the remotes of a workspace equal to it, each with a goroutine,
// a lock and a clock around the account that package remote keeps.
package worker

import (
	"context"
	"io/fs"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/guard"
	"wsync/monitor/hook"
	"wsync/monitor/mounts"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// Carrier carries batches to the remote.
type Carrier interface {
	// Transfer carries out an order. One with Beside may come while another runs.
	Transfer(ctx context.Context, o remote.Order, a remote.Asker) remote.Outcome
	// Compare returns a comparison with the remote, to be made step by step. What it has
	// found is in file at its end. known tells what is known of that, and is called once.
	Compare(c report.Comparison, file string, known func(context.Context) (remote.Known, bool)) remote.Comparer
	// Try finds out whether the remote can be served with the options of r, and changes
	// nothing there. It is called beside all else.
	Try(ctx context.Context, r config.Remote) report.TrialStatus
	// Ask finds out what the remote has at a path. It changes nothing, and is called beside
	// all else.
	Ask(ctx context.Context, r config.Remote, path string) report.Look
	// Drifted reports whether somebody else has changed the destination since the last
	// transfer, as far as a look at it shows.
	Drifted() bool
	// Direct reports whether there is a way for small changes without rsync, and Beside
	// whether there is one for them while rsync runs for others.
	Direct() bool
	Beside() bool
	// Reset forgets what is known about the remote; with failing also its
	// connection.
	Reset(failing bool)
	// Lstat looks at a path of the workspace, and Walk visits what is there and below.
	Lstat(name string) (fs.FileInfo, error)
	Walk(path string, visit func(name string, dir bool))
	// Workspace is the workspace for the guard.
	Workspace() guard.Workspace
	// Leave takes back what was left at the destination for others to see. mayTouch
	// says whether the destination's own attributes may be set.
	Leave(mayTouch func() bool)
	// Close ends the use of the remote.
	Close()
}

// Options are what a Worker is made with. Its functions may be called from any
// goroutine, and must not block but for looks at the workspace.
type Options struct {
	Log     *zap.Logger
	Root    string
	Carrier Carrier
	// World is what the worker lives in; nil for System.
	World World
	// Guard has the root looked at before marks up to one are sent; why nothing may
	// be, or "".
	Guard func(mark uint64) string
	// NextMark numbers a new mark; LastMark is the number of the last one.
	NextMark, LastMark func() uint64
	// AfterEvents calls back when all that events tell of from before is marked.
	AfterEvents func(do func())
	// AfterChanges is AfterEvents that has also looked where changes are no events.
	AfterChanges func(do func())
	// Changed has it reported, at once or soon, that something has changed.
	Changed func(atOnce bool)
	// Mounts tells what is mounted in the workspace.
	Mounts *mounts.Table
	// LookInterval is the time between two looks at a destination to which nothing is
	// sent, zero for none.
	LookInterval time.Duration
	// Identity is that of the directory at Root at first, nil if it is not known: what Stamp
	// says of another one is not believed.
	Identity *config.RootIdentity
	// Turns let one worker of the workspace verify at a time; nil for one that is alone.
	Turns *Turns
	// Stamp is the file that remembers until when the remote was equal.
	Stamp string
	// Happened takes in events for the journal, and does not block.
	Happened func(report.Event)
	// Hook runs commands after transfers; nil for none.
	Hook *hook.Runner
	// Comparisons is an existing directory for what comparisons find.
	Comparisons string
	// Random spreads the waits; nil for whatever chance.
	Random *rand.Rand
}

// random is Random, or another one.
func (o Options) random() *rand.Rand {
	if o.Random != nil {
		return o.Random
	}
	return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
}

// Worker keeps one remote equal to the workspace. Workers share the watcher, and
// looks at the workspace, but no work for a remote, so none can delay another. Its
// methods may be called from any goroutine.
type Worker struct {
	Options
	wake    chan struct{} // one token: something changed for the loop
	sending sync.WaitGroup

	mu      sync.Mutex // guards everything below
	machine *remote.Machine
	flights map[*flight]bool // under way
	memory  mounts.Memory
	// comparers are those of comparisons that have begun, by their IDs.
	comparers map[string]remote.Comparer
	// listings are the IDs of lists that were made, or are being made.
	listings map[string]bool
	// trials are those that somebody waits for, by their IDs.
	trials map[string]*trial
	// unapproved is what the next monitor will take for that of the machine.
	unapproved bool
	// failure is why the last transfer failed, as it was logged, "" if it did not.
	failure string
	// postponed is that of the machine as it is remembered.
	postponed remote.Postponed
	// late is that of the machine as it is remembered.
	late time.Time
}

// New returns the worker of a remote. It does nothing before Run, and must be
// defined before that.
func New(o Options, r config.Remote) *Worker {
	if o.Turns == nil {
		o.Turns = new(Turns)
	}
	if o.Hook == nil {
		o.Hook = hook.New(hook.Options{})
	}
	if o.World == nil {
		o.World = System{}
	}
	now := o.World.Now()
	unapproved, postponed := readUnapproved(o.World, o.Stamp), readPostponed(o.World, o.Stamp)
	late := readLate(o.World, o.Stamp)
	clean := readStamp(o.World, o.Stamp, o.Identity, now)
	w := &Worker{
		Options:    o,
		unapproved: unapproved,
		postponed:  postponed,
		late:       late,
		wake:       make(chan struct{}, 1),
		flights:    make(map[*flight]bool),
		comparers:  make(map[string]remote.Comparer),
		listings:   make(map[string]bool),
		memory:     mounts.Read(mounts.MemoryPath(o.Stamp), r),
		machine: remote.NewMachine(remote.Options{
			CleanAsOf: clean, Unapproved: unapproved, Postponed: postponed,
			LateUntil: late, LookInterval: o.LookInterval, Verified: readVerify(o.World, o.Stamp, r.ID),
			Random: o.random(), Words: rsync.PathWords,
		}, now),
	}
	if clean.IsZero() {
		// What changes while it is sent for the first time may look the same
		// afterwards, should this monitor be killed before it sends it again.
		w.remember(now.Add(-remote.CleanMargin), o.Identity)
	}
	return w
}

// tell has the machine take in what has happened.
func (w *Worker) tell(happened func(m *remote.Machine)) {
	w.mu.Lock()
	happened(w.machine)
	w.mu.Unlock()
	w.poke()
}

// effects carries out what follows for others; the caller holds mu.
func (w *Worker) effects(e remote.Effects) {
	for f := range w.flights {
		if e.Cancel || e.CancelStep && f.Order.Comparison != nil {
			f.cancel()
		}
	}
	if e.Reset {
		w.Carrier.Reset(e.ResetConnection)
	}
	w.forgetMounts(e.Forget)
}

// Mark makes a path dirty, and other names of the same file, of which only the
// contents differ.
func (w *Worker) Mark(path string, change watch.Change, others []string, content watch.Change, seq uint64, now time.Time) {
	w.tell(func(m *remote.Machine) {
		m.Mark(path, change, seq, now)
		for _, other := range others {
			m.Mark(other, content, seq, now)
		}
	})
}

// Moved makes a rename due on the remote if it is repeatable, and both names dirty
// otherwise.
func (w *Worker) Moved(from, to string, change watch.Change, repeatable bool, seq uint64, now time.Time) {
	repeatable = repeatable && w.Carrier.Direct()
	w.tell(func(m *remote.Machine) { m.Moved(from, to, change, repeatable, seq, now) })
}

// MarkNames makes names of a file dirty, as of an earlier mark.
func (w *Worker) MarkNames(names []string, seq uint64, since, now time.Time) {
	if len(names) == 0 {
		return
	}
	w.tell(func(m *remote.Machine) { m.MarkNames(names, seq, since, now) })
}

// NamesUnknown makes a full pass due for a file whose names cannot be remembered.
func (w *Worker) NamesUnknown(seq uint64, now time.Time) {
	w.tell(func(m *remote.Machine) { m.NamesUnknown(seq, now) })
}

// SetSearch takes in for which files names are looked for.
func (w *Worker) SetSearch(s remote.Search) {
	w.tell(func(m *remote.Machine) { m.SetSearch(s) })
}

// Everything makes a full pass due at notBefore.
func (w *Worker) Everything(reason remote.PassReason, seq uint64, now, notBefore time.Time) {
	w.tell(func(m *remote.Machine) { m.Everything(reason, seq, now, notBefore) })
}

// Define takes in a new definition of the remote.
func (w *Worker) Define(d remote.Definition, seq uint64, now time.Time) {
	w.tell(func(m *remote.Machine) {
		w.effects(m.Define(d, seq, now))
		w.defineTrials(d.Trials)
	})
}

// Halt stops transfers with a reason, or lets them go on with "".
func (w *Worker) Halt(reason string, seq uint64, now time.Time) {
	w.tell(func(m *remote.Machine) { w.effects(m.Halt(reason, seq, now)) })
}

// Arm lets transfers begin.
func (w *Worker) Arm() { w.tell((*remote.Machine).Arm) }

// AddBarrier answers barrier n when all marks up to seq are on the remote, and when
// rsync has compared them.
func (w *Worker) AddBarrier(n, seq uint64, now time.Time) {
	w.tell(func(m *remote.Machine) { m.AddBarrier(n, seq, now) })
}

// Status is the remote's part of a report.
func (w *Worker) Status(now time.Time) report.RemoteStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.machine.Status(now)
	s.Trials = w.endedTrials()
	s.Hook = w.Hook.Status()
	return s
}

// ID is the identity of the remote that the worker serves.
func (w *Worker) ID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.machine.Remote().ID
}

// Serves reports whether the worker can go on with this definition of its remote:
// the destination is the same, and so is the way there.
func (w *Worker) Serves(r config.Remote) bool {
	w.mu.Lock()
	is := w.machine.Remote()
	w.mu.Unlock()
	return is.Destination() == r.Destination() && slices.Equal(is.SSHOptions, r.SSHOptions) && reflect.DeepEqual(is.Connection, r.Connection) && is.ID == r.ID
}

func (w *Worker) poke() {
	w.wakeUp()
	w.Changed(false)
}

func (w *Worker) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run keeps the remote equal until ctx is done; then no child process is left. It
// is called once.
func (w *Worker) Run(ctx context.Context) {
	defer w.end()
	w.sending.Go(func() { w.Hook.Run(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		wait := w.Turn(ctx)
		if wait == 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
	}
}

// Turn is one turn of Run: it does what is to be done now, and returns how long there will
// be nothing more, unless Woken reports something before; 0 if that is to be found out. Who
// calls it does so instead of Run, from one goroutine.
func (w *Worker) Turn(ctx context.Context) (wait time.Duration) {
	now := w.World.Now()
	w.mu.Lock()
	w.rememberHold()
	w.rememberLate()
	w.rememberVerify(false)
	w.dropComparers()
	w.dropListings(false)
	w.makeListings(now)
	w.beginTrials(ctx)
	if w.machine.TurnOver(now) {
		w.mu.Unlock()
		w.Turns.release(w)
		return 0
	}
	step, at := w.machine.Next(now, w.NextMark)
	switch step {
	case remote.LookAtHold:
		w.mu.Unlock()
		w.lookAtHold(now)
		w.Changed(false)
		return 0
	case remote.LookForDrift:
		look := w.machine.BeginLook()
		w.mu.Unlock()
		w.goes(func() { w.lookForDrift(look) })
		return 0
	case remote.AskTurn:
		w.machine.SetTurn(false) // unless it is
		w.mu.Unlock()
		if w.Turns.take(w) {
			w.tell(func(m *remote.Machine) { m.SetTurn(true) })
		}
		return 0
	case remote.GiveWay:
		w.machine.GiveWay()
		w.effects(remote.Effects{CancelStep: true})
		w.mu.Unlock()
		return 0
	case remote.Compare:
		f := w.beginStep(ctx, now)
		w.mu.Unlock()
		if f != nil {
			w.goes(func() { w.compare(f) })
		}
		w.Changed(false)
		return 0
	case remote.Send:
		f := w.begin(ctx, now)
		w.mu.Unlock()
		if f != nil {
			w.goes(func() { w.carry(f) })
		}
		w.Changed(false)
		return 0
	}
	if w.machine.Unanswered() {
		w.answer()
	}
	w.mu.Unlock()
	return max(at.Sub(now), 1)
}

// Woken reports whether something has changed for Turn since it was asked last.
func (w *Worker) Woken() bool {
	select {
	case <-w.wake:
		return true
	default:
		return false
	}
}

// goes has do done beside Turn, and waited for at the end.
func (w *Worker) goes(do func()) {
	w.sending.Add(1)
	w.World.Go(func() {
		defer w.sending.Done()
		do()
	})
}

// end leaves all as it is to be left.
func (w *Worker) end() {
	w.sending.Wait()
	w.mu.Lock()
	w.rememberHold()
	w.rememberVerify(true)
	may := w.machine.MayTouch()
	for _, c := range w.comparers {
		c.Close()
	}
	w.dropListings(true)
	w.mu.Unlock()
	w.Turns.release(w)
	w.Carrier.Leave(func() bool { return may && w.Guard(math.MaxUint64) == "" })
	w.Carrier.Close()
}

// answer reaches the barriers behind which nothing is open; the caller holds mu.
func (w *Worker) answer() {
	if w.machine.Answer() {
		w.Changed(true)
	}
}

// Account is what is known of the remote, for tests and simulations to look at.
func (w *Worker) Account() remote.Account {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.machine.Account()
}
