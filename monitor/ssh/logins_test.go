package ssh

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestTurns: of the logins at a host only so many are under way at once.
func TestTurns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logins")
	real := time.Now()
	synctest.Test(t, func(t *testing.T) {
		host := Host{Name: "h", User: "u"}
		// take begins a login, and says how long it had to wait for that.
		take := func(h Host) (over func(bool), waited time.Duration) {
			t.Helper()
			began := time.Now()
			over, err := turn(t.Context(), dir, h)
			if err != nil {
				t.Fatal(err)
			}
			return over, time.Since(began)
		}
		var all []func(bool)
		for range maxLogins {
			over, waited := take(host)
			if waited > 0 {
				t.Fatalf("it waited %v", waited)
			}
			all = append(all, over)
		}
		if over, waited := take(Host{Name: "h", Port: 2222}); waited > 0 {
			t.Errorf("for another sshd it waited %v", waited)
		} else {
			over(true)
		}

		// One more goes on when another is over.
		release := all[0]
		go func() {
			<-time.After(3 * time.Second)
			release(false)
		}()
		over, waited := take(Host{Name: "h", User: "another"})
		if waited < 3*time.Second || waited > 4*time.Second {
			t.Errorf("it waited %v", waited)
		}
		all[0] = over

		// As long as others succeed, it is worth waiting: here, every 6 seconds.
		slots, err := filepath.Glob(dir + "/*-0") // of both hosts
		if err != nil || len(slots) == 0 {
			t.Fatal(slots, err)
		}
		last := all[2]
		go func() {
			for i := range 3 {
				<-time.After(6 * time.Second)
				at := real.Add(time.Duration(i+1) * time.Hour) // as leave does, and one that gets the slot at once
				if err := chtimes(slots, at); err != nil {
					t.Error(err)
				}
			}
			<-time.After(6 * time.Second)
			last(true)
		}()
		if over, waited = take(host); waited < 24*time.Second || waited > 25*time.Second {
			t.Errorf("it waited %v", waited)
		}
		all[2] = over

		// Nobody waits for ever, nor longer than who wants it does.
		if _, waited := take(host); waited != turnTime {
			t.Errorf("it waited %v", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := turn(ctx, dir, host); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the end of the context: %v", err)
		}
		for _, over := range all {
			over(true)
		}
		if _, waited := take(host); waited > 0 {
			t.Errorf("it waited %v for nobody", waited)
		}
	})
	if _, err := turn(t.Context(), "", Host{}); err != nil {
		t.Error(err)
	}
}

func chtimes(paths []string, at time.Time) (err error) {
	for _, path := range paths {
		err = errors.Join(err, os.Chtimes(path, at, at))
	}
	return err
}
