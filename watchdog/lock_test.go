package watchdog

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// observedLock is a lock that keeps what fatal is called with.
func observedLock() (lock *Lock, logs *observer.ObservedLogs, reasons chan string) {
	core, logs := observer.New(zap.InfoLevel)
	reasons = make(chan string, 10)
	return NewLock(zap.New(core), func(reason string) { reasons <- reason }), logs, reasons
}

// field is a field of the only log line with a message.
func field(t *testing.T, logs *observer.ObservedLogs, message, key string) string {
	t.Helper()
	found := logs.FilterMessage(message).All()
	if len(found) != 1 {
		t.Fatalf("%d lines say %q in %v", len(found), message, logs.All())
	}
	return fmt.Sprintf("%s", found[0].ContextMap()[key])
}

func TestLockPanic(t *testing.T) {
	lock, logs, reasons := observedLock()
	lock.Do(func() { panicForTest() })
	lock.Do(func() { panicForTest() })
	if len(reasons) != 1 || !strings.Contains(<-reasons, "panic") {
		t.Error("fatal was not called once, for a panic")
	}
	if stacks := field(t, logs, "The daemon ends itself", "goroutines"); !strings.Contains(stacks, "goroutine ") {
		t.Errorf("no stacks are logged: %q", stacks)
	}
	lines := logs.FilterMessage("Panic while the state was locked").All()
	if len(lines) != 2 {
		t.Fatalf("%d panics are logged", len(lines))
	}
	fields := lines[0].ContextMap()
	if fields["panic"] != "for the test" || !strings.Contains(fmt.Sprintf("%s", fields["stack"]), "panicForTest") {
		t.Errorf("the panic is logged as %v", fields)
	}
}

func panicForTest() { panic("for the test") }

func TestLockHeldTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lock, logs, reasons := observedLock()
		ctx, cancel := context.WithCancel(t.Context())
		go lock.Watch(ctx, 20*time.Second)
		release := make(chan struct{})
		go lock.Do(func() { heldForTest(release) }) // at once: the clock has not moved since NewLock
		began := time.Now()
		for len(reasons) == 0 && time.Since(began) < time.Hour {
			pass(time.Second)
		}
		if took := time.Since(began); took <= 20*time.Second || took > 26*time.Second {
			t.Errorf("fatal was called after %v", took)
		}
		pass(time.Minute)
		if len(reasons) != 1 || !strings.Contains(<-reasons, "20s") {
			t.Error("fatal was not called once, with the limit")
		}
		if stacks := field(t, logs, "The daemon ends itself", "goroutines"); !strings.Contains(stacks, "heldForTest") {
			t.Errorf("the stacks do not show who holds the lock: %s", stacks)
		}
		close(release)
		cancel()
	})
}

func heldForTest(release <-chan struct{}) { <-release }

// TestLockNormalUse: many short holds are not one long one, and Watch ends.
func TestLockNormalUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lock, logs, reasons := observedLock()
		ctx, cancel := context.WithCancel(t.Context())
		watched := make(chan struct{})
		go func() { lock.Watch(ctx, 10*time.Second); close(watched) }()
		for range 200 {
			lock.Do(func() { pass(9 * time.Second) })
		}
		pass(time.Hour)
		if len(reasons) != 0 || logs.Len() != 0 {
			t.Errorf("fatal was called %d times and %v logged", len(reasons), logs.All())
		}
		cancel()
		<-watched
	})
}

// TestLockExcludes: no two are inside at once.
func TestLockExcludes(t *testing.T) {
	lock, _, _ := observedLock()
	inside := 0 // the race detector watches it too
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				lock.Do(func() { inside++ })
			}
		})
	}
	all.Wait()
	if inside != 8*200 {
		t.Errorf("%d went in, expected %d", inside, 8*200)
	}
}

// pass lets time pass in a bubble of synctest, and what is due happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
