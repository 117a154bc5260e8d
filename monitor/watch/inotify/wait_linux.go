package inotify

import (
	"time"

	"golang.org/x/sys/unix"
)

// wait returns when there are events, when woken, or when something is due.
func (w *Watcher) wait() error {
	fds := []unix.PollFd{
		{Fd: int32(w.fd), Events: unix.POLLIN},
		{Fd: int32(w.wakeFD), Events: unix.POLLIN},
		{Fd: -1, Events: unix.POLLPRI}, // ignored
	}
	table := w.mounts.Table()
	if table != nil {
		fds[2].Fd = int32(table.FD())
	}
	timeout := w.timeout(time.Now())
	if _, err := unix.Poll(fds, timeout); err != nil && err != unix.EINTR {
		return err
	}
	if fds[1].Revents != 0 {
		var counter [8]byte
		_, _ = unix.Read(w.wakeFD, counter[:]) // It is readable, or was not set.
	}
	if fds[2].Revents != 0 {
		table.Note()
		w.mountsNoted = true
	}
	return nil
}

// timeout returns in how many milliseconds something is due.
func (w *Watcher) timeout(now time.Time) int {
	asked := w.asked.Load()
	if len(w.visits) > 0 || w.polls.Busy() || len(w.unwatched) > 0 || len(w.tree.ending) > 0 || w.looking.Any() || asked != w.answered {
		return 0
	}
	next := w.root.Next()
	earlier := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	if len(w.unpaired) > 0 {
		earlier(w.unpaired[0].until)
	}
	if !w.overflow.IsZero() {
		earlier(w.overflow.Add(overflowWait))
	}
	if poll := w.polls.Next(); !poll.IsZero() {
		earlier(poll)
	}
	if len(w.polls.Unwatched) > 0 {
		earlier(w.nextRewatch)
	}
	if d := next.Sub(now); d > 0 {
		return int(d/time.Millisecond) + 1
	}
	return 0
}
