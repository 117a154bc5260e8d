package remotetest

import (
	"os"
	"time"
)

// Check ends the test if there is an error.
func Check(t T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// pollTime is how long Poll waits. It bounds a test that goes wrong, and no other.
const pollTime = 30 * time.Second

// Poll waits until done returns true. It ends the test, saying what it has waited
// for, when that takes too long.
func Poll(t T, what string, done func() bool) {
	t.Helper()
	if !pollFor(pollTime, done) {
		t.Fatalf("%s: it took too long", what)
	}
}

// PollFor is Poll for a value: it waits until get returns a good one, and returns that.
// When it takes too long, it says what there is instead.
func PollFor[V any](t T, what string, get func() V, good func(V) bool) V {
	t.Helper()
	var v V
	if !pollFor(pollTime, func() bool { v = get(); return good(v) }) {
		t.Fatalf("%s: it took too long; %+v", what, v)
	}
	return v
}

// A Skipper is a test that can be skipped.
type Skipper interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Skip skips the test because this machine, or this user, cannot check what it
// checks. The continuous integration can check everything, so that there, where
// CI is "true", it fails.
func Skip(t Skipper, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("cannot be checked here, but must be: %s", reason)
	}
	t.Skipf("cannot be checked here: %s", reason)
}

// NeedRoot skips the test unless root runs it.
func NeedRoot(t Skipper, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, "it needs root: "+why)
	}
}

// Long skips a test that takes long where -short is given; short is testing.Short().
func Long(t Skipper, short bool) {
	t.Helper()
	if short {
		t.Skipf("it takes long")
	}
}
