package watchdog

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"wsync/monitor/report"
)

// fakeProcess is a Process in the hands of a test.
type fakeProcess struct {
	pid     int
	started time.Time
	reports chan report.Report
	exited  chan error

	mu          sync.Mutex
	definitions []report.Definition
	ends        int
	stubborn    bool // End is not obeyed
}

func (p *fakeProcess) PID() int                      { return p.pid }
func (p *fakeProcess) Reports() <-chan report.Report { return p.reports }
func (p *fakeProcess) Exited() <-chan error          { return p.exited }

func (p *fakeProcess) Define(d report.Definition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.definitions = append(p.definitions, d)
}

func (p *fakeProcess) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends++
	if p.stubborn {
		return
	}
	select {
	case p.exited <- nil:
	default: // it has ended already
	}
}

// barriers are those of the definitions that it was given.
func (p *fakeProcess) barriers() (all []uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.definitions {
		all = append(all, d.Barrier)
	}
	return all
}

// observation is one call of observe.
type observation struct {
	Status
	report *report.Report
}

// harness is a supervisor with fake processes.
type harness struct {
	*Supervisor
	mu           sync.Mutex
	processes    []*fakeProcess
	observations []observation
	launch       func(*fakeProcess) error // what happens at a start; guarded by mu
	attempts     []time.Time
}

func newHarness(t *testing.T, launch func(*fakeProcess) error) *harness {
	h := &harness{launch: launch}
	h.Supervisor = NewSupervisor(zap.NewNop(), policy, h.start, func(s Status, r *report.Report) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.observations = append(h.observations, observation{s, r})
	})
	t.Cleanup(func() { h.Close(context.Background()) })
	return h
}

func (h *harness) start(d report.Definition) (Process, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attempts = append(h.attempts, time.Now())
	p := &fakeProcess{
		pid:         100 + len(h.processes),
		started:     time.Now(),
		reports:     make(chan report.Report, 1),
		exited:      make(chan error, 1),
		definitions: []report.Definition{d},
	}
	if h.launch != nil {
		if err := h.launch(p); err != nil {
			return nil, err
		}
	}
	h.processes = append(h.processes, p)
	return p, nil
}

// last waits until nothing moves, and returns the newest process and what was
// observed last.
func (h *harness) last() (*fakeProcess, observation) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	var p *fakeProcess
	if len(h.processes) > 0 {
		p = h.processes[len(h.processes)-1]
	}
	var o observation
	if len(h.observations) > 0 {
		o = h.observations[len(h.observations)-1]
	}
	return p, o
}

func (h *harness) expect(t *testing.T, want State) observation {
	t.Helper()
	_, o := h.last()
	if o.State != want {
		t.Fatalf("the state is %q, expected %q", o.State, want)
	}
	return o
}

func goodReport() report.Report { return report.Report{Version: report.Version} }

func TestSupervisorGivesUp(t *testing.T) {
	for name, launch := range map[string]func(*fakeProcess) error{
		"dies at once": func(p *fakeProcess) error {
			p.exited <- errors.New("exit status 7")
			close(p.reports)
			return nil
		},
		"cannot start": func(*fakeProcess) error { return errors.New("exit status 7") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, launch)
				h.Start()
				pass(time.Hour)
				o := h.expect(t, Failed)
				if o.Restarts != policy.Limit || o.PID != 0 || !strings.Contains(o.LastExit, "exit status 7") || !o.NextStart.IsZero() {
					t.Errorf("failed with %+v", o.Status)
				}
				if len(h.attempts) != policy.Limit+1 {
					t.Fatalf("started %d times, expected %d", len(h.attempts), policy.Limit+1)
				}
				var before time.Duration
				for i := 1; i < len(h.attempts); i++ {
					waited := h.attempts[i].Sub(h.attempts[i-1])
					if i == 1 && waited != 0 || i > 1 && (waited <= before || waited > maxBackoff) {
						t.Errorf("the wait before restart %d is %v, after one of %v", i, waited, before)
					}
					before = waited
				}
				h.mu.Lock()
				waits := slices.ContainsFunc(h.observations, func(o observation) bool { return o.State == BackingOff && !o.NextStart.IsZero() })
				h.launch = nil
				h.mu.Unlock()
				if !waits {
					t.Error("nobody could see when the next start is due")
				}

				// Only a restart leads out of it.
				h.Start()
				h.Define(report.Definition{Barrier: 5})
				h.expect(t, Failed)
				h.Restart()
				if o := h.expect(t, Starting); o.Restarts != 0 || o.PID == 0 {
					t.Errorf("restarted with %+v", o.Status)
				}
				p, _ := h.last()
				if got := p.barriers(); !slices.Equal(got, []uint64{5}) {
					t.Errorf("the new process was given %v", got)
				}
				p.reports <- goodReport()
				h.expect(t, Running)
			})
		})
	}
}

func TestSupervisorRestartsTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, nil)
		if p, _ := h.last(); p != nil {
			t.Error("a process was started before Start")
		}
		h.Start()
		h.Start()
		first, _ := h.last()
		h.expect(t, Starting)
		first.reports <- goodReport()
		if o := h.expect(t, Running); o.report == nil || o.PID != first.pid {
			t.Errorf("observed %+v", o)
		}
		first.exited <- errors.New("signal: killed")
		second, _ := h.last()
		if second == first || second.started != first.started {
			t.Error("the process was not restarted at once")
		}
		if o := h.expect(t, Starting); o.Restarts != 1 || o.LastExit != "signal: killed" || o.PID != second.pid || o.report != nil {
			t.Errorf("observed %+v", o)
		}
		// One that ran well for long leaves nothing behind.
		second.reports <- goodReport()
		pass(healthyAfter)
		for range 2 {
			p, _ := h.last()
			p.exited <- nil
		}
		if o := h.expect(t, BackingOff); o.LastExit != "ended by itself" || o.PID != 0 || time.Until(o.NextStart) > firstBackoff {
			t.Errorf("observed %+v at %v", o.Status, time.Now())
		}
	})
}

func TestSupervisorDefine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, nil)
		h.Define(report.Definition{Barrier: 1})
		h.Start()
		p, _ := h.last()
		h.Define(report.Definition{Barrier: 2})
		h.Define(report.Definition{Barrier: 3})
		synctest.Wait()
		if got := p.barriers(); !slices.Equal(got, []uint64{1, 2, 3}) {
			t.Errorf("the process was given %v", got)
		}
		h.Restart()
		next, _ := h.last()
		if got := next.barriers(); next == p || !slices.Equal(got, []uint64{3}) {
			t.Errorf("the next process was given %v", got)
		}
		if o := h.expect(t, Starting); o.LastExit != "was stopped" || o.Restarts != 0 {
			t.Errorf("observed %+v", o.Status)
		}
	})
}

// TestSupervisorUseless: a process that speaks another version, or says no
// more, is ended, and meanwhile nobody takes it for a running one.
func TestSupervisorUseless(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*fakeProcess)
		exit  string
	}{
		"version": {func(p *fakeProcess) { p.reports <- report.Report{Version: report.Version + 1} }, "it speaks version 2 of the protocol instead of 1"},
		"silence": {func(p *fakeProcess) { close(p.reports) }, "signal: killed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, func(p *fakeProcess) error { p.stubborn = true; return nil })
				h.Start()
				p, _ := h.last()
				p.reports <- goodReport()
				h.expect(t, Running)
				test.spoil(p)
				if o := h.expect(t, Stopping); o.report != nil {
					t.Error("its report was believed")
				}
				if p.ends == 0 {
					t.Fatal("it was not asked to end")
				}
				if name == "version" {
					p.reports <- goodReport()
					if o := h.expect(t, Stopping); o.report != nil {
						t.Error("a later report of it was believed")
					}
				}
				p.exited <- errors.New("signal: killed")
				if o := h.expect(t, Starting); o.LastExit != test.exit || o.Restarts != 1 {
					t.Errorf("observed %+v", o.Status)
				}
				// The next one is judged by what it does itself.
				p, _ = h.last()
				p.reports <- goodReport()
				h.expect(t, Running)
				p.mu.Lock()
				p.stubborn = false // lets Close end it
				p.mu.Unlock()
			})
		})
	}
}

func TestSupervisorStopWhileBackingOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, func(*fakeProcess) error { return errors.New("no") })
		h.Start()
		pass(100 * time.Millisecond)
		h.expect(t, BackingOff)
		h.Stop()
		h.expect(t, Stopped)
		pass(2 * time.Hour)
		if o := h.expect(t, Stopped); len(h.attempts) != 2 || !o.NextStart.IsZero() {
			t.Errorf("started %d times, %+v", len(h.attempts), o.Status)
		}
	})
}

// TestSupervisorStaleReport: what a process says after it was asked to end
// does not count.
func TestSupervisorStaleReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, func(p *fakeProcess) error { p.stubborn = true; return nil })
		h.Start()
		p, _ := h.last()
		p.reports <- goodReport()
		h.expect(t, Running)
		h.Restart()
		h.expect(t, Stopping)
		p.reports <- goodReport()
		if o := h.expect(t, Stopping); o.report != nil {
			t.Error("the report of a process that is ending was delivered")
		}
		h.Stop()
		p.reports <- goodReport() // nobody may wait for its end before this
		p.exited <- nil
		h.expect(t, Stopped)
	})
}

func TestSupervisorNothingBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var state sync.Mutex // as the daemon's lock
		entered := make(chan struct{}, 1)
		observed, launches := 0, 0
		s := NewSupervisor(zap.NewNop(), policy, func(report.Definition) (Process, error) {
			launches++
			return &fakeProcess{reports: make(chan report.Report, 1), exited: make(chan error, 1)}, nil
		}, func(Status, *report.Report) {
			select {
			case entered <- struct{}{}:
			default:
			}
			state.Lock()
			observed++
			state.Unlock()
		})
		state.Lock()
		s.Stop()
		<-entered // observe waits for the lock
		for i := range 1000 {
			s.Define(report.Definition{Barrier: uint64(i)})
			s.Start()
			s.Restart()
			s.Stop()
		}
		state.Unlock()
		s.Close(t.Context())
		if observed == 0 || launches == 0 {
			t.Errorf("observed %d times, launched %d times", observed, launches)
		}
	})
}

func TestSupervisorClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, func(p *fakeProcess) error { p.stubborn = true; return nil })
		h.Start()
		p, _ := h.last()
		closed := make(chan struct{})
		go func() { h.Close(t.Context()); close(closed) }()
		synctest.Wait()
		// Requests that come too late start nothing.
		h.Start()
		h.Restart()
		h.Define(report.Definition{})
		pass(time.Hour)
		select {
		case <-closed:
			t.Fatal("Close did not wait for the process")
		default:
		}
		if p.ends == 0 {
			t.Error("the process was not asked to end")
		}
		// It does not wait for ever either.
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		h.Close(limited)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("Close took %v, expected a minute", took)
		}
		p.exited <- nil
		<-closed
		if len(h.processes) != 1 {
			t.Errorf("%d processes were started, expected one", len(h.processes))
		}
		h.Start()
		h.Close(t.Context())
	})

	for _, launch := range []func(*fakeProcess) error{nil, func(*fakeProcess) error { return errors.New("no") }} {
		synctest.Test(t, func(t *testing.T) {
			h := newHarness(t, launch)
			h.Start()
			pass(300 * time.Millisecond) // running, or backing off
			h.Close(t.Context())
			if _, o := h.last(); o.State != Stopped || o.PID != 0 {
				t.Errorf("observed %+v at the end", o.Status)
			}
		})
	}
}
