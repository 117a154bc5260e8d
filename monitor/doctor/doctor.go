// Package doctor looks for what keeps a mirror from working well: on this machine, in
// workspaces and at remotes. It changes nothing but a scratch directory at each
// destination, which it removes again.
package doctor

import (
	"context"
	"os"

	"wsync/config"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
)

// Examine carries out all checks of an examination, and calls tell with the result of
// each as soon as it is known.
func Examine(ctx context.Context, e report.Examination, tell func(report.Check)) error {
	run, err := os.MkdirTemp("", "wsync-doctor-") // a short name: sockets will be in it
	if err != nil {
		return err
	}
	defer os.RemoveAll(run)
	pool, err := ssh.NewPool(run)
	if err != nil {
		return err
	}
	defer pool.Close()
	x := examiner{Examination: e, ctx: ctx, run: run, pool: pool, tell: tell}
	x.local, _ = rsync.LocalVersion(ctx) // unknown if there is none
	x.machine()
	for _, w := range e.Workspaces {
		x.workspace(w)
		for _, r := range w.Remotes {
			if ctx.Err() == nil {
				x.remote(w, r)
			}
		}
	}
	return ctx.Err()
}

// examiner is an examination under way.
type examiner struct {
	report.Examination
	ctx   context.Context
	run   string // a directory for what is of use for a moment
	pool  *ssh.Pool
	local rsync.Version
	tell  func(report.Check)
	// meeting are the names of the workspace that is examined that may be one file, by
	// their directories.
	meeting map[string][]string
}

// about tells of checks of one subject.
type about struct {
	x                 *examiner
	workspace, remote string
}

func (a about) say(status report.CheckStatus, name, found, remedy string) {
	a.x.tell(report.Check{Workspace: a.workspace, Remote: a.remote, Name: name, Status: status, Found: found, Remedy: remedy})
}

func (a about) ok(name, found string)           { a.say(report.CheckOK, name, found, "") }
func (a about) warn(name, found, remedy string) { a.say(report.CheckWarn, name, found, remedy) }
func (a about) fail(name, found, remedy string) { a.say(report.CheckFail, name, found, remedy) }

// needs reports whether a remote of the examination is reached in a way.
func (x *examiner) needs(kind config.Kind) bool {
	for _, w := range x.Workspaces {
		for _, r := range w.Remotes {
			if r.Connection.Kind() == kind {
				return true
			}
		}
	}
	return false
}
