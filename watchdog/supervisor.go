package watchdog

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/report"
)

// Status is what a Supervisor knows about its process.
type Status struct {
	State     State
	PID       int // 0 when none runs
	Restarts  int
	LastExit  string // how the process ended last; "" if it never did
	NextStart time.Time
}

// Supervisor keeps the monitor of one workspace running. One goroutine, run,
// owns all of it; the methods leave it requests and may be called from any
// goroutine until Close. None but Close blocks, so that they may be called
// with the very lock held that observe needs.
type Supervisor struct {
	log     *zap.Logger
	launch  Launch
	observe func(Status, *report.Report)

	mu       sync.Mutex
	requests []func()      // in order; guarded by mu
	wake     chan struct{} // one token: there are requests
	closed   chan struct{} // closed when run has returned

	// Owned by run.
	machine    machine
	definition report.Definition
	process    Process
	exited     <-chan error
	reports    <-chan report.Report
	lastExit   string
	givenUp    bool   // the process is wanted, but this one is useless and asked to end
	whyGivenUp string // "" when its end will tell
	timer      *time.Timer
	closing    bool
}

// NewSupervisor returns a supervisor that does nothing until Start. launch
// starts the process. observe is called, from the supervisor's goroutine, after
// each change: with the report if there is a new one, else with nil. Only a
// process in the state Running has a report: one that is to end does not watch
// any more, and what it says would be out of date.
func NewSupervisor(log *zap.Logger, policy Policy, launch Launch, observe func(Status, *report.Report)) *Supervisor {
	s := &Supervisor{
		log:     log.Named("watchdog"),
		launch:  launch,
		observe: observe,
		wake:    make(chan struct{}, 1),
		closed:  make(chan struct{}),
		machine: machine{policy: policy, state: Stopped},
		timer:   time.NewTimer(time.Hour),
	}
	go s.run()
	return s
}

// Start starts the process unless it runs.
func (s *Supervisor) Start() { s.start((*machine).start) }

// Stop ends the process; it returns before it has ended.
func (s *Supervisor) Stop() { s.do(func() { s.act(s.machine.stop()) }) }

// Restart starts a new process, also after it has failed.
func (s *Supervisor) Restart() { s.start((*machine).restart) }

// start leaves an event that may start a process. After Close it must not.
func (s *Supervisor) start(event func(*machine, time.Time) action) {
	s.do(func() {
		if !s.closing {
			s.act(event(&s.machine, time.Now()))
		}
	})
}

// Define gives the process, and those that follow it, a definition.
func (s *Supervisor) Define(d report.Definition) {
	s.do(func() {
		s.definition = d
		if s.process != nil {
			s.process.Define(d)
		}
	})
}

// Close ends the process for good and waits until it is gone, or ctx is done.
// The other methods do nothing afterwards.
func (s *Supervisor) Close(ctx context.Context) {
	s.do(func() {
		s.closing = true
		s.act(s.machine.stop())
	})
	select {
	case <-s.closed:
	case <-ctx.Done():
	}
}

// do leaves f for the supervisor's goroutine.
func (s *Supervisor) do(f func()) {
	s.mu.Lock()
	s.requests = append(s.requests, f)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// takeRequests returns what do has left.
func (s *Supervisor) takeRequests() []func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

// run is the supervisor's goroutine.
func (s *Supervisor) run() {
	defer close(s.closed)
	defer s.timer.Stop()
	for !s.closing || s.process != nil {
		var received *report.Report
		select {
		case <-s.wake:
			for _, f := range s.takeRequests() {
				f()
			}
		case r, ok := <-s.reports:
			if !ok {
				// It is ending. If it is not, nobody would ever learn what it does.
				s.reports = nil
				s.giveUp("")
				break
			}
			if r.Version != report.Version {
				s.giveUp(fmt.Sprintf("it speaks version %d of the protocol instead of %d", r.Version, report.Version))
				break
			}
			s.machine.reported()
			if s.status().State == Running {
				received = &r
			}
		case err := <-s.exited:
			s.ended(err)
		case <-s.timer.C:
			s.act(s.machine.backoffElapsed(time.Now()))
		}
		s.observe(s.status(), received)
	}
}

// giveUp ends a process of which nothing can be expected. For the machine it
// dies.
func (s *Supervisor) giveUp(why string) {
	if why != "" {
		s.logger().Error("The monitor is of no use and is ended", zap.String("why", why))
	}
	s.givenUp, s.whyGivenUp = true, why
	s.process.End()
}

// ended takes in that the process is gone.
func (s *Supervisor) ended(err error) {
	s.process, s.exited, s.reports = nil, nil, nil
	wanted := s.machine.state != Stopping
	switch {
	case s.whyGivenUp != "":
		s.lastExit = s.whyGivenUp
	case err != nil:
		s.lastExit = err.Error()
	case wanted:
		s.lastExit = "ended by itself"
	default:
		s.lastExit = "was stopped"
	}
	s.givenUp, s.whyGivenUp = false, ""
	if wanted {
		s.logger().Warn("The monitor died", zap.String("exit", s.lastExit))
	}
	s.act(s.machine.exited(time.Now()))
}

// logger is one that says which workspace it is about, by its name of now.
func (s *Supervisor) logger() *zap.Logger {
	return s.log.With(zap.String("workspace", s.definition.Workspace.Name))
}

// act carries out what the machine asks for.
func (s *Supervisor) act(a action) {
	switch a {
	case spawn:
		s.spawn()
	case wait:
		s.timer.Reset(time.Until(s.machine.nextStart))
		s.logger().Info("The monitor is started again", zap.Time("at", s.machine.nextStart))
	case end:
		s.process.End()
	case abandon:
		s.logger().Error("The monitor died too often and is given up", zap.Int("restarts", s.machine.total), zap.String("exit", s.lastExit))
	}
}

// spawn starts the process.
func (s *Supervisor) spawn() {
	p, err := s.launch(s.definition)
	if err != nil {
		s.lastExit = fmt.Sprintf("cannot start: %v", err)
		s.logger().Error("Cannot start the monitor", zap.Error(err))
		s.act(s.machine.startFailed(time.Now()))
		return
	}
	s.process, s.exited, s.reports = p, p.Exited(), p.Reports()
	s.logger().Info("The monitor was started", zap.Int("pid", p.PID()), zap.Int("restarts", s.machine.total))
}

func (s *Supervisor) status() Status {
	status := Status{State: s.machine.state, Restarts: s.machine.total, LastExit: s.lastExit}
	if s.process != nil {
		status.PID = s.process.PID()
	}
	if s.givenUp {
		status.State = Stopping
	}
	if s.machine.state == BackingOff {
		status.NextStart = s.machine.nextStart
	}
	return status
}
