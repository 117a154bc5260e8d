package daemon

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// TestWaitForOthers: a remote that is stuck ends a wait, but not before the
// others have said that they are in sync, or have had a moment for it.
func TestWaitForOthers(t *testing.T) {
	home := newHome(t)
	settings := loadSettings(t, home)
	synctest.Test(t, func(t *testing.T) {
		d := &testDaemon{t: t, home: home, launched: make(chan *fakeMonitor, 1), launchError: make(chan error)}
		d.Daemon = &Daemon{
			log:      zap.NewNop(),
			settings: settings,
			launch:   d.launcher(),
			entries:  make(map[string]*entry),
			changed:  make(chan struct{}),
		}
		d.lock = watchdog.NewLock(zap.NewNop(), func(reason string) { t.Errorf("fatal: %s", reason) })
		paused := d.local("two", "two")
		paused.Paused = true
		d.restore([]config.Workspace{{
			Name: "docs", LocalPath: "/docs", Root: new(config.RootIdentity), Remotes: []config.Remote{d.local("one", "one"), paused},
		}})
		defer d.entries["docs"].supervisor.Close(context.Background())
		m := d.monitor()
		// wait begins a wait, which two ends before one is heard of.
		wait := func() (barrier uint64, behind <-chan string) {
			result := make(chan string, 1)
			go func() {
				answer, err := d.wait(httptest.NewRequest("POST", api.WaitPath, strings.NewReader("{}")))
				if err != nil {
					t.Error(err)
				}
				var names []string
				for _, b := range answer.(api.WaitResult).Behind {
					names = append(names, b.Remote.Name+" "+string(b.Remote.State))
				}
				result <- strings.Join(names, ", ")
			}()
			synctest.Wait()
			d.lock.Do(func() { barrier = d.entries["docs"].barrier })
			return barrier, result
		}
		tell := func(barrier uint64, one report.State, reached uint64) {
			m.send(t, barrier, "one two", func(s *report.RemoteStatus) {
				s.State, s.Barrier = one, reached
				if s.Name == "two" {
					s.State, s.Barrier, s.Pending = report.Paused, 0, 1
				}
			})
			synctest.Wait()
		}
		expect := func(what, want string, result <-chan string) {
			t.Helper()
			select {
			case got := <-result:
				if got != want {
					t.Errorf("%s: behind are %q, expected %q", what, got, want)
				}
			default:
				t.Errorf("%s: the wait goes on", what)
			}
		}
		barrier, result := wait()
		tell(barrier, report.InSync, barrier-1)
		select {
		case got := <-result:
			t.Errorf("the wait ended with %q before all had answered", got)
		default:
		}
		tell(barrier, report.InSync, barrier)
		expect("the other has answered", "two paused", result)

		barrier, result = wait()
		tell(barrier, report.Offline, barrier-1)
		expect("the other is in trouble", "one offline, two paused", result)

		barrier, result = wait()
		tell(barrier, report.Syncing, barrier-1)
		if got := next(t, "the end", result); got != "one syncing, two paused" {
			t.Errorf("behind are %q", got)
		}
	})
}
