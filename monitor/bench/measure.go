//go:build linux

package main

import (
	"fmt"
	"slices"
	"syscall"
	"time"
)

// pollPause is the time between two looks at the remote. What a look costs
// comes on top; both are part of what is measured.
const pollPause = 80 * time.Microsecond

// pause sleeps in the kernel: timers of Go have a resolution of a millisecond
// while the program idles.
func pause() {
	t := syscall.NsecToTimespec(int64(pollPause))
	_ = syscall.Nanosleep(&t, nil) // an early end is no harm
}

// change is something that is done to a source, and how a remote shows it.
type change struct {
	// act does it. The time runs from its beginning.
	act func() error
	// seen returns a function that is called, often, until it returns true:
	// then all of the change is on the remote.
	seen func(remote string) func() bool
	// paths are what somebody who mirrors by hand has to name, relative to the
	// source; none if something is gone.
	paths []string
}

// errInvisible says that a change did not arrive.
type errInvisible struct{ after time.Duration }

func (e errInvisible) Error() string { return fmt.Sprintf("not there after %v", e.after) }

// measurement is the time that it took to make a change, and the time from its
// beginning until the last remote showed all of it.
type measurement struct{ made, visible time.Duration }

// visible makes a change and waits for it.
func (c *contestant) visible(s *stage, ch change, patience time.Duration) (m measurement, err error) {
	var conditions []func() bool
	for _, remote := range c.remotes {
		conditions = append(conditions, ch.seen(remote))
	}
	began := time.Now()
	if err := ch.act(); err != nil {
		return m, fmt.Errorf("cannot change the source: %w", err)
	}
	m.made = time.Since(began)
	if err := c.mirror.push(ch.paths); err != nil {
		return m, err
	}
	for {
		for len(conditions) > 0 && conditions[0]() {
			conditions = conditions[1:]
		}
		m.visible = time.Since(began)
		if len(conditions) == 0 {
			return m, nil
		}
		if m.visible > patience {
			return m, errInvisible{patience}
		}
		if s.ctx.Err() != nil {
			s.Fatalf("interrupted")
		}
		pause()
	}
}

// percentile is the smallest of the times that at least percent of them do not
// exceed.
func percentile(times []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
