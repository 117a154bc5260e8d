// Package marks lets mirrors notice each other at a destination.
//
// Two mirrors of one directory, or of one inside of the other, would delete each
// other's files. What their destinations are called does not tell: a host has many
// names, and the other may be another daemon's. So each leaves a mark at its
// destination and looks for those of others there and in the directories above it,
// when it has connected and before each full pass. It has written before it looks: of
// two that come at the same time at least one sees the other. The one that finds
// another's mark above its own destination leaves its own there, too.
//
// A remote that takes no marks, or does not show them, is served without.
package marks

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
)

// markTime is how long a mark counts that is not renewed, beside the time between
// two full passes.
const markTime = 24 * time.Hour

// Options are what Marks are made of.
type Options struct {
	Log *zap.Logger
	// Scratch is an existing directory for what is of use for a moment.
	Scratch string
	// Environment returns the environment of children.
	Environment func() []string
	// Connection is nil unless the remote is reached by ssh.
	Connection *ssh.Connection
	// Workspace returns the name of the mirror's, which may change; nil for "".
	Workspace func() string
	// Directory is the daemon's own.
	Directory string
	// Interval is the time between two full passes.
	Interval time.Duration
}

// Marks are those that one mirror leaves. They are used by one goroutine at a time.
type Marks struct {
	log         *zap.Logger
	scratch     string
	environment func() []string
	connection  *ssh.Connection
	// self is whose marks they are, but for what the remote says.
	self      config.Mark
	workspace func() string
	// interval is the time between two full passes, unless the remote has its own.
	interval time.Duration
	left     Left
}

// Left are marks that were left.
type Left struct {
	// Remote is whose they are.
	Remote config.Remote
	// Levels are the directories where there may be one.
	Levels []string
}

// New prepares the marks of a mirror.
func New(o Options) *Marks {
	self := config.Mark{Directory: o.Directory, User: fmt.Sprint(os.Getuid())}
	if u, err := user.Current(); err == nil {
		self.User = u.Username
	}
	self.Host, _ = os.Hostname() // without it the others are told less
	return &Marks{log: o.Log, scratch: o.Scratch, environment: o.Environment, connection: o.Connection,
		self: self, workspace: o.Workspace, interval: o.Interval}
}

// Look finds the marks of others, and removes those that takeOver names, or that are
// left of this remote or of one that is gone. With write it leaves the own mark first.
// It returns nil if there is no other mirror.
func (m *Marks) Look(ctx context.Context, endpoint rsync.Endpoint, write bool, takeOver []string) *remote.Meeting {
	release, err := m.acquire(ctx)
	if err != nil {
		return nil
	}
	defer release()
	levels := m.levelsOf(ctx, endpoint.Remote)
	self := m.markOf(endpoint.Remote)
	var found []foundMark
	if !write || slices.Contains(m.left.Levels, endpoint.Remote.RemotePath) {
		found = m.pullMarks(ctx, endpoint, levels)
	}
	if write && !m.isFresh(found, self, endpoint.Remote) {
		m.leaveMark(ctx, endpoint, endpoint.Remote.RemotePath)
		found = m.pullMarks(ctx, endpoint, levels)
	}
	var met remote.Meeting
	for _, f := range found {
		switch {
		case f.ID == self.ID:
			continue
		case f.SameMirror(self), time.Now().After(f.Until), slices.Contains(takeOver, f.ID):
			m.log.Info("The mark of another mirror is removed", zap.String("of", m.nameOf(f.Mark)), zap.String("directory", f.level))
			m.removeMark(ctx, endpoint, f.level, f.ID)
			continue
		case write && f.level != endpoint.Remote.RemotePath && !slices.Contains(m.left.Levels, f.level):
			m.leaveMark(ctx, endpoint, f.level)
		}
		if !slices.Contains(met.IDs, f.ID) {
			met.IDs = append(met.IDs, f.ID)
			met.Other, met.Place = m.nameOf(f.Mark), f.level
		}
	}
	if len(met.IDs) == 0 {
		return nil
	}
	slices.Sort(met.IDs)
	return &met
}

// isFresh reports whether the own mark, as it is to be now, is among those that were found
// at the destination, and need not be renewed before the next look.
func (m *Marks) isFresh(found []foundMark, self config.Mark, r config.Remote) bool {
	return slices.ContainsFunc(found, func(f foundMark) bool {
		left := self.Until.Sub(f.Until)
		f.Until = self.Until
		return f.level == r.RemotePath && f.Mark == self && left < markTime/2
	})
}

// Inside finds out about the mirrors in directories of the destination, of which a
// run of rsync would delete the marks. It returns nil if there is none that counts.
func (m *Marks) Inside(ctx context.Context, endpoint rsync.Endpoint, inside map[string]string, takeOver []string) *remote.Meeting {
	var met remote.Meeting
	for dir, id := range inside {
		if slices.Contains(takeOver, id) || id == endpoint.Remote.ID {
			continue
		}
		met.IDs = append(met.IDs, id)
		met.Other, met.Place = "another mirror", path.Join(endpoint.Remote.RemotePath, dir)
		level := path.Join(endpoint.Remote.RemotePath, dir)
		for _, f := range m.pullMarks(ctx, endpoint, []string{level}) {
			switch {
			case f.ID != id:
			case f.SameMirror(m.markOf(endpoint.Remote)), time.Now().After(f.Until):
				met.IDs = met.IDs[:len(met.IDs)-1]
			default:
				met.Other = m.nameOf(f.Mark)
			}
		}
	}
	if len(met.IDs) == 0 {
		return nil
	}
	slices.Sort(met.IDs)
	return &met
}

// levelsOf are where marks may be that matter: the destination, and what is above it
// by its name and by where that leads.
func (m *Marks) levelsOf(ctx context.Context, r config.Remote) []string {
	all := rsync.Levels(r)
	real := r.RemotePath
	switch r.Connection.Kind() {
	case config.KindLocal:
		if resolved, err := filepath.EvalSymlinks(real); err == nil {
			real = resolved
		}
	case config.KindSSH:
		session, err := m.connection.SFTP(ctx, m.environment())
		if err != nil {
			break
		}
		if resolved, err := session.Realpath(real).Wait(); err == nil && path.IsAbs(resolved) {
			real = resolved
		}
	}
	r.RemotePath = real
	for _, level := range rsync.Levels(r) {
		if !slices.Contains(all, level) {
			all = append(all, level)
		}
	}
	return all
}

// acquire waits until a command may run on the connection, if there is one.
func (m *Marks) acquire(ctx context.Context) (release func(), err error) {
	if m.connection == nil {
		return func() {}, nil
	}
	return m.connection.Acquire(ctx)
}
