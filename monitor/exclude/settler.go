package exclude

import (
	"context"
	"sync"
	"time"

	"wsync/config"
)

// Settler settles what is unsettled of a Live when it is time, and has it applied. It is
// safe for concurrent use.
type Settler struct {
	live *Live
	o    SettlerOptions

	mu      sync.Mutex  // guards everything below
	timer   *time.Timer // settles; nil before there was anything to settle
	waiting []func()    // for all to be settled and applied
	pending int         // how many changes are being applied, or defined
	wanted  *config.Workspace
	// defining: a goroutine takes in what is wanted.
	defining bool

	applying sync.Mutex // held while a change is applied
}

// SettlerOptions are what a Settler is made with. The functions are called from any
// goroutine, without a lock.
type SettlerOptions struct {
	// Context ends all; nil before anything has begun.
	Context func() context.Context
	// Ready reports whether the workspace's directory is there: if it is not, no file
	// says anything.
	Ready func() bool
	// Apply is told of each change, of one at a time.
	Apply func(s Settled)
}

// notReadyInterval is how long to wait for a directory that is not there.
const notReadyInterval = time.Second

// NewSettler returns a settler for a Live.
func NewSettler(l *Live, o SettlerOptions) *Settler { return &Settler{live: l, o: o} }

// Later has what is unsettled settled when it is time.
func (s *Settler) Later() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if due, ok := s.live.Due(); ok {
		s.wake(time.Until(due))
	}
}

// wake sets the timer; the caller holds mu.
func (s *Settler) wake(after time.Duration) {
	if s.timer == nil {
		s.timer = time.AfterFunc(after, s.settle)
	} else {
		s.timer.Reset(after)
	}
}

// settle is called by the timer.
func (s *Settler) settle() {
	if ctx := s.o.Context(); ctx == nil || ctx.Err() != nil {
		return
	}
	ready := s.o.Ready()
	s.mu.Lock()
	if !ready {
		s.wake(notReadyInterval)
		s.mu.Unlock()
		return
	}
	// Within the lock: who asks sees it unsettled, or being applied.
	change, ok := s.live.Settle(time.Now())
	if ok {
		s.pending++
	}
	if due, more := s.live.Due(); more {
		s.wake(time.Until(due))
	}
	s.mu.Unlock()
	if ok {
		s.apply(change)
	} else {
		s.goOn()
	}
}

// apply has a change applied that is pending.
func (s *Settler) apply(change Settled) {
	s.applying.Lock()
	s.o.Apply(change)
	s.applying.Unlock()
	s.mu.Lock()
	s.pending--
	s.mu.Unlock()
	s.goOn()
}

// When calls do when all is in force, and applied, that files say by now: at once, or
// from another goroutine.
func (s *Settler) When(do func()) {
	s.live.Refresh(time.Now())
	s.mu.Lock()
	s.waiting = append(s.waiting, do)
	s.mu.Unlock()
	s.Later()
	s.goOn()
}

// goOn calls those who wait if nothing is unsettled or pending.
func (s *Settler) goOn() {
	s.mu.Lock()
	if _, unsettled := s.live.Due(); unsettled || s.pending > 0 {
		s.mu.Unlock()
		return
	}
	due := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	for _, do := range due {
		do()
	}
}

// Define takes in what a workspace says about rules. It is in force when Define returns,
// unless the whole tree has to be looked through first: nobody waits for that but those
// who wait by When.
func (s *Settler) Define(w config.Workspace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.defining && s.live.Quick(w) {
		if change, ok := s.live.Define(s.o.Context(), w); ok {
			s.pending++
			go s.apply(change)
		}
		return
	}
	s.wanted = &w // the newest is all that counts
	if !s.defining {
		s.defining = true
		s.pending++
		go s.define()
	}
}

// define takes in what is wanted until nothing is.
func (s *Settler) define() {
	for {
		s.mu.Lock()
		w := s.wanted
		s.wanted = nil
		if w == nil {
			s.defining = false
			s.pending--
			s.mu.Unlock()
			s.goOn()
			return
		}
		s.mu.Unlock()
		if change, ok := s.live.Define(s.o.Context(), *w); ok {
			s.mu.Lock()
			s.pending++
			s.mu.Unlock()
			s.apply(change)
		}
	}
}
