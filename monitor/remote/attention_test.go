package remote

import (
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// Whoever waits is told that somebody is needed when a try has shown it that began after
// the request, and that is about what the request is for.
func TestAttention(t *testing.T) {
	const request = 7 // for marks up to 5
	entry := func(seq, barrier uint64, attempts int, cure dirty.Cure) func(m *Machine) {
		return func(m *Machine) {
			e := &dirty.Entry{Path: "f", Seq: seq, Barrier: barrier, Attempts: attempts, Cure: cure, Change: watch.Content}
			m.set.Restore(dirty.Batch{Entries: []*dirty.Entry{e}}, start)
		}
	}
	whole := func(barrier uint64, failures int, cure dirty.Cure) func(m *Machine) {
		return func(m *Machine) {
			m.set.Mark("f", watch.Content, 3, start)
			m.retry.failures, m.retry.barrier, m.retry.failure = failures, barrier, &Failure{Kind: Offline, Cure: cure}
		}
	}
	for name, test := range map[string]struct {
		prepare func(m *Machine)
		needed  bool
		stuck   uint64
	}{
		"nothing":                     {func(*Machine) {}, false, 0},
		"away":                        {whole(request, 9, dirty.ByTime), false, 0},
		"another host key":            {whole(request, 1, dirty.ByPerson), true, request},
		"it failed before the wait":   {whole(request-1, 1, dirty.ByPerson), true, 0},
		"the disk is full once":       {whole(request, 1, dirty.IfLasting), false, 0},
		"the disk is full":            {whole(request, 3, dirty.IfLasting), true, request},
		"a path may not be written":   {entry(3, request, 1, dirty.ByPerson), true, request},
		"a path was tried before":     {entry(3, request-1, 1, dirty.ByPerson), true, 0},
		"a path is younger":           {entry(6, request, 1, dirty.ByPerson), true, 0},
		"a path fails for now":        {entry(3, request, 5, dirty.ByTime), false, 0},
		"a path that is tried again":  {func(m *Machine) { entry(3, request, 1, dirty.ByPerson)(m); m.running = sendingOf(m.set.Take(start)) }, true, request},
		"a path for which is no room": {entry(3, request, 3, dirty.IfLasting), true, request},
	} {
		m := testMachine()
		m.AddBarrier(request, 5, start)
		test.prepare(m)
		if s := m.Status(start); s.Attention != test.needed || s.Stuck != test.stuck {
			t.Errorf("%s: needed %t, stuck %d", name, s.Attention, s.Stuck)
		}
	}
}

func sendingOf(b dirty.Batch) *Sending { return &Sending{Order: Order{Batch: b}} }

// What needs somebody is shown before what is tried sooner.
func TestFirstFailing(t *testing.T) {
	m := testMachine()
	for _, e := range []*dirty.Entry{
		{Path: "a", Seq: 1, Attempts: 1, Problem: "busy", Change: watch.Content},
		{Path: "b", Seq: 1, Attempts: 1, Problem: "denied", Cure: dirty.ByPerson, Change: watch.Content},
	} {
		m.set.Restore(dirty.Batch{Entries: []*dirty.Entry{e}}, start.Add(time.Duration(len(e.Problem))))
	}
	if s := m.Status(start); s.ErrorPath != "b" || s.Error != "denied" {
		t.Errorf("%s: %s", s.ErrorPath, s.Error)
	}
}

// A wait has what failed tried again soon, and the failure of that try is an answer.
func TestAWaitRetries(t *testing.T) {
	m := testMachine()
	seq := uint64(1)
	next := func() uint64 { seq++; return seq }
	m.set.Mark("f", watch.Content, seq, start)
	now := start
	fail := func() {
		t.Helper()
		s := m.Send(noRepositories{}, seq, false, now)
		if s == nil {
			t.Fatal("nothing is sent")
		}
		m.End(s, Outcome{Failure: &Failure{Kind: Attention, Cure: dirty.ByPerson, Message: "no"}}, nil, now)
	}
	for range 9 { // so often that the wait is long
		_, now = m.Next(now, next)
		fail()
	}
	if _, at := m.Next(now, next); at.Sub(now) < time.Minute {
		t.Fatalf("it is tried again in %v", at.Sub(now))
	}
	now = now.Add(time.Minute)
	m.AddBarrier(1, seq, now)
	if s := m.Status(now); !s.Attention || s.Stuck != 0 {
		t.Fatalf("before a try: %+v", s)
	}
	step, at := m.Next(now, next)
	if step != Send || at.After(now) {
		t.Fatalf("%v in %v", step, at.Sub(now))
	}
	fail()
	if s := m.Status(now); s.Stuck != 1 {
		t.Errorf("after a try: %+v", s)
	}
}

// A request that comes while a try is under way that fails has another one made soon, also
// where single paths fail.
func TestAWaitDuringATryRetries(t *testing.T) {
	for name, outcome := range map[string]func(s *Sending) Outcome{
		"all": func(*Sending) Outcome {
			return Outcome{Failure: &Failure{Kind: Attention, Cure: dirty.ByPerson, Message: "no"}}
		},
		"a path": func(s *Sending) Outcome {
			e := s.Order.Batch.Entries[0]
			e.Attempts, e.Cure, e.Problem = e.Attempts+1, dirty.ByPerson, "no"
			return Outcome{Failed: []*dirty.Entry{e}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := testMachine()
			seq := uint64(1)
			next := func() uint64 { seq++; return seq }
			m.set.Mark("f", watch.Content, seq, start)
			now := start
			try := func(during func()) {
				t.Helper()
				s := m.Send(noRepositories{}, seq, false, now)
				if s == nil {
					t.Fatal("nothing is sent")
				}
				now = now.Add(time.Second)
				during()
				m.End(s, outcome(s), nil, now)
			}
			for range 9 { // so often that the wait is long
				_, now = m.Next(now, next)
				try(func() {})
			}
			_, now = m.Next(now, next)
			try(func() { m.AddBarrier(1, seq, now) })
			if s := m.Status(now); !s.Attention || s.Stuck != 0 {
				t.Fatalf("before a try: %+v", s)
			}
			_, at := m.Next(now, next)
			if at.Sub(now) > 5*eagerWait {
				t.Fatalf("it is tried again in %v", at.Sub(now))
			}
			now = at
			try(func() {})
			if s := m.Status(now); s.Stuck != 1 {
				t.Errorf("after a try: %+v", s)
			}
			if _, at := m.Next(now, next); at.Sub(now) < 20*time.Second {
				t.Errorf("nobody has asked again, and it is tried in %v", at.Sub(now))
			}
		})
	}
}
