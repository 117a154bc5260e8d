package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

func TestLongPoll(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.add("music")
	s := d.status()
	if len(s.Workspaces) != 2 || s.Revision == 0 {
		t.Fatalf("the status is %+v", s)
	}
	poll := func(query string) <-chan api.Status {
		answer := make(chan api.Status, 1)
		go func() {
			_, _, data := d.ask("GET", "/v1/status?"+query, "")
			var s api.Status
			if err := json.Unmarshal(data, &s); err != nil {
				t.Errorf("%v in %s", err, data)
			}
			answer <- s
		}()
		return answer
	}
	// Nothing is new.
	var quiet uint64
	for range 2 { // supervisors may still tell that they have begun
		quiet = d.status().Revision
		d.eventually("docs", "quiet", func(api.WorkspaceStatus) bool { return true })
	}
	answer := poll(fmt.Sprintf("workspace=docs&after=%d", quiet))
	d.attach("docs", "one")
	if s := next(t, "a newer status", answer); s.Revision <= quiet || len(s.Workspaces) != 1 {
		t.Errorf("the answer is %+v", s)
	}
	// What was missed is answered at once, and so is what another daemon said.
	for _, after := range []uint64{1, 1_000_000} {
		if s := next(t, "an answer", poll(fmt.Sprintf("after=%d", after))); len(s.Workspaces) != 2 {
			t.Errorf("the answer is %+v", s)
		}
	}
	// A report wakes too.
	m := d.monitor()
	d.eventually("docs", "the start", func(s api.WorkspaceStatus) bool { return s.Monitor.PID == m.pid })
	for revision := d.status().Revision; ; {
		answer := poll(fmt.Sprintf("after=%d", revision))
		m.send(t, m.first.Barrier, "one", nil)
		s := next(t, "the report", answer)
		if s.Workspaces[0].Remotes[0].State == report.InSync {
			break
		}
		revision = s.Revision
	}
}

func TestWaitReached(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.add("none")
	d.attach("docs", "one")
	d.attach("docs", "two")
	m := d.monitor()
	first, result := d.startWait(m, api.Wait{})
	second, later := d.startWait(m, api.Wait{Workspace: "docs"})
	_, one := d.startWait(m, api.Wait{Workspace: "docs", Remote: "one"})
	if second <= first {
		t.Errorf("the barriers are %d and %d", first, second)
	}
	// In sync once, but with what was before.
	m.send(t, first-1, "one two", nil)
	d.eventually("docs", "a report", func(s api.WorkspaceStatus) bool { return s.Watch.Armed })
	d.pending("the barrier is not reached", result)
	m.send(t, first, "one two", func(s *report.RemoteStatus) {
		if s.Name == "two" {
			s.Barrier--
		}
	})
	d.eventually("docs", "one", func(s api.WorkspaceStatus) bool { return d.barrier(s) == first })
	d.pending("one remote has not reached the barrier", result)
	m.send(t, first, "one two", func(s *report.RemoteStatus) { s.State = report.Pending }) // with newer changes
	d.expectWait(result, true, false)
	d.pending("that barrier is a later one", later)
	m.send(t, second+1, "one two", func(s *report.RemoteStatus) {
		if s.Name == "two" {
			s.State, s.Barrier = report.Offline, 0
		}
	})
	d.expectWait(one, true, false)
	d.pending("two is offline", later)
	m.send(t, second, "one two", nil)
	d.expectWait(later, true, false)
}

func TestWaitTimesOut(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.attach("docs", "two")
	m := d.monitor()
	result := call[api.WaitResult](d, "POST", "/v1/wait", api.Wait{Timeout: 20 * time.Millisecond})
	if result.InSync || !result.TimedOut || len(result.Behind) != 2 || result.Behind[0].Remote.State != report.Starting {
		t.Errorf("the result is %+v", result)
	}
	barrier, ended := d.startWait(m, api.Wait{Timeout: 200 * time.Millisecond})
	m.send(t, barrier, "one two", func(s *report.RemoteStatus) {
		if s.Name == "two" {
			s.State, s.Barrier = report.Retrying, 0
		}
	})
	d.expectWait(ended, false, true, "docs/two")
}

func TestWaitStuck(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.attach("docs", "two")
	m := d.monitor()
	// with sends what is reported of two.
	with := func(barrier uint64, change func(*report.RemoteStatus)) {
		t.Helper()
		m.send(t, barrier, "one two", func(s *report.RemoteStatus) {
			if s.Name == "two" {
				change(s)
			}
		})
		d.eventually("docs", "the report", func(s api.WorkspaceStatus) bool {
			return s.Remotes[1].State != report.Starting && d.barrier(s) == barrier
		})
	}

	// A report of paused, before the monitor has heard of the command and
	// after it was resumed, means nothing.
	barrier, result := d.startWait(m, api.Wait{})
	paused := func(s *report.RemoteStatus) { s.State, s.Barrier, s.Pending = report.Paused, 0, 1 }
	with(barrier, paused)
	d.pending("it is not paused any more", result)
	d.act(api.Pause, "docs", "two")
	d.expectWait(result, false, false, "docs/two")
	barrier, result = d.startWait(m, api.Wait{Workspace: "docs", Remote: "two"})
	d.pending("the monitor has not been heard of since", result)
	with(barrier, paused)
	d.expectWait(result, false, false, "docs/two")
	d.act(api.Resume, "docs", "")
	barrier, result = d.startWait(m, api.Wait{})
	with(barrier, paused)
	d.pending("it was resumed", result)
	with(barrier, func(s *report.RemoteStatus) {})
	d.expectWait(result, true, false)
	// Paused with nothing to send is in sync.
	d.act(api.Pause, "docs", "")
	barrier, result = d.startWait(m, api.Wait{})
	with(barrier, func(s *report.RemoteStatus) { s.State, s.Barrier = report.Paused, barrier-1 })
	d.pending("the barrier is on its way", result)
	with(barrier, func(s *report.RemoteStatus) { s.State = report.Paused })
	d.expectWait(result, true, false)
	d.act(api.Resume, "docs", "")

	// Held, then approved.
	held := func(s *report.RemoteStatus) {
		s.State, s.Barrier, s.Pending, s.Held = report.Halted, 0, 1, &report.Held{ID: "h1", Count: 1}
	}
	barrier, result = d.startWait(m, api.Wait{})
	with(barrier, held)
	d.expectWait(result, false, false, "docs/two")
	d.act(api.Approve, "docs", "")
	barrier, result = d.startWait(m, api.Wait{})
	with(barrier, held)
	d.pending("the deletions were approved", result)
	with(barrier, func(s *report.RemoteStatus) { held(s); s.Held.ID = "h2" })
	d.expectWait(result, false, false, "docs/two")

	// Somebody must do something else than a command of wsync's: a try from before
	// says nothing, as that may be done by now.
	refused := func(stuck uint64) func(*report.RemoteStatus) {
		return func(s *report.RemoteStatus) {
			s.State, s.Barrier, s.Pending, s.Attention, s.Stuck = report.Offline, 0, 1, true, stuck
		}
	}
	barrier, result = d.startWait(m, api.Wait{})
	with(barrier, refused(barrier-1))
	d.pending("it was not tried since", result)
	with(barrier, refused(barrier))
	d.expectWait(result, false, false, "docs/two")

	// The root is gone.
	barrier, result = d.startWait(m, api.Wait{})
	with(barrier, func(s *report.RemoteStatus) {
		s.State, s.Barrier, s.PendingEverything = report.Halted, 0, true
	})
	d.expectWait(result, false, false, "docs/two")

	// The monitor is given up, and brought back.
	_, result = d.startWait(m, api.Wait{})
	with(barrier, func(s *report.RemoteStatus) { s.State, s.Barrier = report.Offline, 0 })
	for range d.settings.RestartLimit {
		d.launchError <- errForTest
	}
	m.exit(errForTest)
	d.expectWait(result, false, false, "docs/one", "docs/two")
	d.act(api.Restart, "docs", "")
	if r := call[api.WaitResult](d, "POST", "/v1/wait", api.Wait{Timeout: 20 * time.Millisecond}); !r.TimedOut {
		t.Errorf("after the restart: %+v", r)
	}
	m = d.monitor()
	barrier, result = d.startWait(m, api.Wait{})
	m.send(t, barrier, "one two", nil)
	d.expectWait(result, true, false)
}

// TestWaitOverRestart: what a monitor said before it died does not answer what
// is asked of the next.
func TestWaitOverRestart(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	m.send(t, 100, "one", nil) // more than it was asked
	d.eventually("docs", "in sync", isState(report.InSync))
	m.exit(errForTest)
	second := d.monitor()
	d.eventually("docs", "the restart", func(s api.WorkspaceStatus) bool { return s.Monitor.PID == second.pid })
	barrier, result := d.startWait(second, api.Wait{})
	d.pending("the next monitor has said nothing", result)
	second.send(t, barrier-1, "one", nil)
	d.eventually("docs", "in sync", isState(report.InSync))
	d.pending("the next monitor has not reached the barrier", result)
	second.exit(errForTest)
	third := d.monitor()
	if third.first.Barrier != barrier {
		t.Errorf("the third monitor is asked for barrier %d, expected %d", third.first.Barrier, barrier)
	}
	third.send(t, barrier, "one", nil)
	d.expectWait(result, true, false)
}

// TestWaitForAttached: a remote that is attached during a wait gets a barrier
// of its own, so that the wait ends.
func TestWaitForAttached(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	barrier, result := d.startWait(m, api.Wait{Workspace: "docs"})
	d.attach("docs", "two")
	attached := m.defined(t, "two", func(d report.Definition) bool { return len(d.Workspace.Remotes) == 2 })
	if attached.Barrier <= barrier {
		t.Errorf("the barrier is %d after %d", attached.Barrier, barrier)
	}
	m.send(t, barrier, "one", nil)
	d.eventually("docs", "one in sync", func(s api.WorkspaceStatus) bool { return s.Remotes[0].State == report.InSync })
	d.pending("two is missing", result)
	m.send(t, attached.Barrier, "one two", nil)
	d.expectWait(result, true, false)
}

func TestWaitForRemoved(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	d.add("music")
	d.attach("music", "one")
	music := d.monitor()
	_, named := d.startWait(m, api.Wait{Workspace: "docs"})
	_, all := d.startWait(m, api.Wait{})
	barrier := music.defined(t, "a barrier", func(d report.Definition) bool { return d.Barrier > 1 }).Barrier
	call[struct{}](d, "DELETE", "/v1/workspaces/docs", nil)
	if a := next(t, "end of the wait", named); a.code != http.StatusNotFound || a.Kind != api.NotFound || a.Message != "workspace docs was removed meanwhile" {
		t.Errorf("the wait ended with %+v", a)
	}
	d.pending("music goes on", all)
	// Another one of that name is another one.
	d.add("docs")
	d.attach("docs", "one")
	again := d.monitor()
	again.send(t, again.first.Barrier, "one", func(s *report.RemoteStatus) { s.State, s.Pending = report.Syncing, 1 })
	d.pending("music still goes on", all)
	music.send(t, barrier, "one", nil)
	d.expectWait(all, true, false)
}

// TestWaitEndsWithDaemon: the end of the daemon is no timeout.
func TestWaitEndsWithDaemon(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	_, result := d.startWait(m, api.Wait{})
	d.end()
	if a := next(t, "end of the wait", result); a.code != http.StatusInternalServerError || a.Message != "the daemon was stopped meanwhile" {
		t.Errorf("the wait ended with %+v", a)
	}
	select {
	case <-m.ended:
	default:
		t.Error("the monitor was not asked to end")
	}
}

// TestBusy: everything at once, for the race detector.
func TestBusy(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	m := d.monitor()
	var working, polling sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		polling.Go(func() {
			for revision := uint64(1); ; {
				select {
				case <-stop:
					return
				default:
				}
				_, _, data := d.ask("GET", fmt.Sprintf("/v1/status?after=%d", revision), "")
				var s api.Status
				if err := json.Unmarshal(data, &s); err != nil {
					t.Errorf("%v in %s", err, data)
					return
				}
				revision = s.Revision
			}
		})
	}
	working.Go(func() {
		for i := range 50 {
			m.send(t, uint64(1000+i), "one two", nil)
		}
	})
	working.Go(func() {
		for range 20 {
			d.attach("docs", "two")
			d.ask("DELETE", "/v1/workspaces/docs/remotes/two", "")
		}
	})
	working.Go(func() {
		for i := range 20 {
			name := fmt.Sprintf("w%d", i)
			d.add(name)
			d.ask("DELETE", "/v1/workspaces/"+name, "")
		}
	})
	working.Go(func() {
		for range 20 {
			d.act(api.Pause, "docs", "one")
			d.ask("POST", "/v1/wait", `{"timeout":1000000}`, api.AuthSockHeader, filepath.Join(d.home, "agent"))
			d.act(api.Resume, "docs", "")
		}
	})
	working.Wait()
	close(stop)
	d.act(api.Resync, "docs", "") // wakes who polls
	polling.Wait()
	if s := d.status(); len(s.Workspaces) != 1 || len(s.Workspaces[0].Remotes) != 1 {
		t.Errorf("the status is %+v", s)
	}
}
