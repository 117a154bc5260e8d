package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// awaitAttached waits until it is clear how a remote fares that was just
// attached, until the daemon ends, and for limit at most, or until it is known whether
// it may be there: an attach that is answered before is not refused any more. That takes
// a connection and a comparison of all there is, for lookTime at most. A client that leaves
// meanwhile changes nothing: what is attached is decided here.
func (d *Daemon) awaitAttached(r *http.Request, e *entry, name string, limit time.Duration) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	limited, end := context.WithTimeout(ctx, limit)
	defer end()
	stop := context.AfterFunc(r.Context(), func() {
		if errors.Is(context.Cause(r.Context()), errStopped) {
			cancel()
		}
	})
	defer stop()
	settled := func(orAdopted bool) func() bool {
		return func() bool {
			i := e.remote(name)
			if i < 0 {
				return true // it was detached meanwhile
			}
			s := d.remoteStatus(e, e.workspace.Remotes[i])
			switch s.State {
			case report.Starting, report.Pending, report.Syncing:
				return orAdopted && s.Adopted
			}
			return true
		}
	}
	if d.until(limited, settled(false)) {
		return
	}
	late, end := context.WithTimeout(ctx, lookTime)
	defer end()
	d.until(late, settled(true))
}

// foundAt says what is at a destination that would be lost.
func foundAt(remote config.Remote, held *report.Held) string {
	switch {
	case held.Overwritten == 0:
		return fmt.Sprintf("%s holds what the workspace does not have, and it would be deleted", remote.Destination())
	case held.Count == 0:
		return fmt.Sprintf("%s holds files with other contents, and they would be overwritten", remote.Destination())
	}
	return fmt.Sprintf("%s holds what the workspace does not have, and files with other contents: it would be deleted, and they overwritten", remote.Destination())
}

// refused is what is held without what is allowed.
func refused(remote config.Remote, held report.Held) *report.Held {
	if remote.AdoptDelete {
		held.Count, held.Sample = 0, nil
	}
	if remote.AdoptOverwrite {
		held.Overwritten, held.Overwrites = 0, nil
	}
	return &held
}

// allowing says which options allow what is refused.
func allowing(held *report.Held) string {
	var options []string
	if held.Count > 0 {
		options = append(options, "--delete-existing")
	}
	if held.Overwritten > 0 {
		options = append(options, "--overwrite-existing")
	}
	return strings.Join(options, " ") + " allows that; or choose an empty directory"
}

// decideAttached attaches a provisional remote for good, or takes it back if its
// destination holds what is not the workspace's, or cannot be reached and is not to be
// attached offline. The lock is held.
func (d *Daemon) decideAttached(e *entry, remote config.Remote, offline bool) error {
	i := e.remote(remote.Name)
	if d.entries[e.workspace.Name] != e || i < 0 || !e.isProvisional(remote.Name) {
		return &api.Error{Kind: api.Conflict, Message: "it was detached meanwhile"}
	}
	replaced := e.provisional[remote.Name]
	s := d.remoteStatus(e, e.workspace.Remotes[i])
	if away := s.State == report.Offline || s.State == report.Retrying; away && !s.Adopted && !offline {
		if err := d.takeBack(e, i); err != nil {
			return err
		}
		hint := "--offline attaches it all the same, for later"
		if s.Hint != "" {
			hint = s.Hint + "; " + hint
		}
		return &api.Error{Kind: api.Failed, Message: s.Error, Hint: hint}
	}
	if s.State == report.Halted && s.Held != nil && !s.Adopted && !(s.Held.Other != "" && remote.AdoptDelete) {
		if err := d.takeBack(e, i); err != nil {
			return err
		}
		if s.Held.Other != "" {
			return &api.Error{
				Kind:    api.Held,
				Message: s.Error,
				Hint:    "choose another directory, or detach that; if it is gone for good, attach with --delete-existing, then wsync approve",
			}
		}
		held, hint := refused(remote, *s.Held), ""
		if replaced != nil {
			hint = "; it stays at " + replaced.Destination()
		}
		return &api.Error{Kind: api.Held, Message: foundAt(remote, held), Hint: allowing(held) + hint, Held: held}
	}
	delete(e.provisional, remote.Name)
	if err := d.save(); err != nil {
		e.provisional[remote.Name] = replaced
		return errors.Join(err, d.takeBack(e, i))
	}
	e.tellAttached(remote.Name, replaced != nil)
	return nil
}

// takeBack detaches a provisional remote, with index i, or puts the one that it was to
// replace in its place again. The lock is held.
func (d *Daemon) takeBack(e *entry, i int) error {
	name := e.workspace.Remotes[i].Name
	replaced := e.provisional[name]
	if replaced == nil {
		return d.detach(e, i)
	}
	before := e.workspace
	e.workspace = before.Clone()
	paused := before.Remotes[i].Paused
	e.workspace.Remotes[i] = replaced.Clone()
	e.workspace.Remotes[i].Paused = paused
	delete(e.provisional, name)
	if err := d.commit(e, before); err != nil {
		e.provisional[name] = replaced
		return err
	}
	d.beginAnew(e, name)
	d.apply(e)
	return nil
}

// beginAnew forgets what was reported of a remote, which is another one from now on, and
// what was asked of it. The lock is held.
func (d *Daemon) beginAnew(e *entry, remote string) {
	delete(e.orders, remote)
	delete(e.released, remote)
	e.dropStatus(remote)
	e.barrier++
	e.attached[remote] = e.barrier
}
