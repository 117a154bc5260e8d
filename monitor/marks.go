package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/rsync"
)

// Two mirrors of one directory, or of one inside of the other, would delete each
// other's files. What their destinations are called does not tell: a host has many
// names, and the other may be another daemon's. So each leaves a mark at its
// destination and looks for those of others there and in the directories above it,
// when it has connected and before each full pass. It writes before it looks: of
// two that come at the same time at least one sees the other. The one that finds
// another's mark above its own destination leaves its own there, too.
//
// A remote that takes no marks, or does not show them, is served without.

// markTime is how long a mark counts that is not renewed, beside the time between
// two full passes.
const markTime = 24 * time.Hour

// meeting is that another mirror was found at the destination.
type meeting struct {
	// ids are those of the others, in order.
	ids []string
	// other names one of them, and place is where it was found.
	other, place string
}

// ownMarks are those of a lane.
type ownMarks struct {
	// self is whose marks they are, but for what the remote says.
	self config.Mark
	// life is how long they count.
	life time.Duration
	// looked: the destination was looked at since the connection was made.
	looked bool
	// levels are where there may be one of this lane.
	levels []string
	// of is the remote that they are for.
	of config.Remote
}

// newMarks prepares the marks of a workspace's lane. directory is the daemon's own.
func newMarks(workspace, directory string, interval time.Duration) ownMarks {
	self := config.Mark{Workspace: workspace, Directory: directory, User: fmt.Sprint(os.Getuid())}
	if u, err := user.Current(); err == nil {
		self.User = u.Username
	}
	self.Host, _ = os.Hostname() // without it the others are told less
	return ownMarks{self: self, life: markTime + 2*interval}
}

// meets looks for other mirrors at the destination, if it is time to, and tells
// that there are some: then the outcome is final. With write the own mark is left there.
func (t *transfer) meets(write bool) bool {
	m := &t.lane.marks
	if t.remote.ID == "" || m.looked && t.batch.Everything == nil {
		return false
	}
	found := t.lane.look(t.ctx, t.endpoint, write, t.takeOver)
	m.looked = m.looked || write
	if found == nil {
		return false
	}
	t.meet(found)
	return true
}

// meet ends the transfer with a meeting.
func (t *transfer) meet(found *meeting) {
	t.out = outcome{met: found, attention: true,
		err: fmt.Errorf("%s is mirrored to by %s, too: two mirrors would delete each other's files", found.place, found.other)}
}

// look finds the marks of others, and takes those away that takeOver names, or
// that are left of this remote or of one that is gone.
func (l *lane) look(ctx context.Context, endpoint rsync.Endpoint, write bool, takeOver []string) *meeting {
	release, err := l.session(ctx)
	if err != nil {
		return nil
	}
	defer release()
	levels := l.levels(ctx, endpoint.Remote)
	if write {
		l.leaveMark(ctx, endpoint, endpoint.Remote.RemotePath)
	}
	found := l.pullMarks(ctx, endpoint, levels)
	self := l.markOf(endpoint.Remote)
	var met meeting
	for _, f := range found {
		switch {
		case f.ID == self.ID:
			continue
		case f.SameMirror(self), time.Now().After(f.Until), slices.Contains(takeOver, f.ID):
			l.log.Info("The mark of another mirror is removed", zap.String("of", l.nameOf(f.Mark)), zap.String("directory", f.level))
			l.removeMark(ctx, endpoint, f.level, f.ID)
			continue
		case write && f.level != endpoint.Remote.RemotePath && !slices.Contains(l.marks.levels, f.level):
			l.leaveMark(ctx, endpoint, f.level)
		}
		if !slices.Contains(met.ids, f.ID) {
			met.ids = append(met.ids, f.ID)
			met.other, met.place = l.nameOf(f.Mark), f.level
		}
	}
	if len(met.ids) == 0 {
		return nil
	}
	slices.Sort(met.ids)
	return &met
}

// insideOf finds out about the mirrors in directories of the destination, of which a
// run of rsync would delete the marks. nil: there is none that counts.
func (l *lane) insideOf(ctx context.Context, endpoint rsync.Endpoint, inside map[string]string, takeOver []string) *meeting {
	var met meeting
	for dir, id := range inside {
		if slices.Contains(takeOver, id) || id == endpoint.Remote.ID {
			continue
		}
		met.ids = append(met.ids, id)
		met.other, met.place = "another mirror", path.Join(endpoint.Remote.RemotePath, dir)
		level := path.Join(endpoint.Remote.RemotePath, dir)
		for _, f := range l.pullMarks(ctx, endpoint, []string{level}) {
			switch {
			case f.ID != id:
			case f.SameMirror(l.markOf(endpoint.Remote)), time.Now().After(f.Until):
				met.ids = met.ids[:len(met.ids)-1]
			default:
				met.other = l.nameOf(f.Mark)
			}
		}
	}
	if len(met.ids) == 0 {
		return nil
	}
	slices.Sort(met.ids)
	return &met
}

// levels are where marks may be that matter: the destination, and what is above it
// by its name and by where that leads.
func (l *lane) levels(ctx context.Context, r config.Remote) []string {
	all := rsync.Levels(r)
	real := r.RemotePath
	switch r.Connection.Kind() {
	case config.KindLocal:
		if resolved, err := filepath.EvalSymlinks(real); err == nil {
			real = resolved
		}
	case config.KindSSH:
		session, err := l.connection.SFTP(ctx, l.environment())
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

// markOf is the mark of a remote.
func (l *lane) markOf(r config.Remote) config.Mark {
	m := l.marks.self
	m.ID, m.Remote, m.Destination, m.Until = r.ID, r.Name, r.Destination(), time.Now().Add(l.marks.life)
	return m
}

// nameOf says whose a mark is.
func (l *lane) nameOf(m config.Mark) string {
	name := fmt.Sprintf("remote %s of workspace %s", m.Remote, m.Workspace)
	switch self := l.marks.self; {
	case m.User != self.User || m.Host != self.Host:
		return fmt.Sprintf("%s of %s@%s (%s)", name, m.User, m.Host, m.Destination)
	case m.Directory != self.Directory:
		return fmt.Sprintf("%s of the wsync in %s (%s)", name, m.Directory, m.Destination)
	}
	return fmt.Sprintf("%s (%s)", name, m.Destination)
}

// foundMark is a mark in a directory of the remote.
type foundMark struct {
	config.Mark
	level string
}

// pullMarks reads the marks in directories of the remote.
func (l *lane) pullMarks(ctx context.Context, endpoint rsync.Endpoint, levels []string) (found []foundMark) {
	dir, err := os.MkdirTemp(l.scratch, "marks-")
	if err != nil {
		l.log.Warn("Cannot look for other mirrors", zap.Error(err))
		return nil
	}
	defer os.RemoveAll(dir)
	if isLocal(endpoint) {
		pullLocalMarks(levels, dir)
	} else if !l.runMark(ctx, dir, rsync.PullMarks(endpoint, levels, dir)) {
		l.runMark(ctx, dir, rsync.PullOwnMarks(endpoint, dir))
	}
	filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		var m config.Mark
		data, err := os.ReadFile(name)
		if err != nil || json.Unmarshal(data, &m) != nil || m.ID == "" || path.Base(config.MarkPrefix)+m.ID != e.Name() {
			return nil
		}
		relative, err := filepath.Rel(dir, filepath.Dir(filepath.Dir(name)))
		if err != nil {
			return nil
		}
		found = append(found, foundMark{m, levelAt(filepath.ToSlash(relative), levels)})
		return nil
	})
	return found
}

// levelAt is the level whose marks were brought to a directory of that name, the
// first one if it does not tell.
func levelAt(relative string, levels []string) string {
	for _, level := range levels {
		_, inModule, _ := strings.Cut(level, "/")
		if name := strings.Trim(level, "/"); name == relative || name == "" && relative == "." || !path.IsAbs(level) && inModule == relative {
			return level
		}
	}
	return levels[0]
}

func isLocal(e rsync.Endpoint) bool { return e.Remote.Connection.Kind() == config.KindLocal }

// leaveMark writes the own mark to a directory of the remote.
func (l *lane) leaveMark(ctx context.Context, endpoint rsync.Endpoint, level string) {
	mark := l.markOf(endpoint.Remote)
	name := config.MarkPrefix + mark.ID
	data, err := json.Marshal(mark)
	switch {
	case err != nil:
	case isLocal(endpoint):
		err = leaveLocalMark(level, name, data)
	default:
		err = l.pushMark(ctx, endpoint, level, name, data)
	}
	if err != nil {
		l.log.Debug("Cannot leave a mark", zap.Error(err))
	} else if !slices.Contains(l.marks.levels, level) {
		l.marks.levels, l.marks.of = append(l.marks.levels, level), endpoint.Remote
	}
}

// pushMark sends a mark with rsync.
func (l *lane) pushMark(ctx context.Context, endpoint rsync.Endpoint, level, name string, data []byte) error {
	dir, err := os.MkdirTemp(l.scratch, "mark-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, name)
	// The remote's umask is to decide about modes, not this one's.
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, data, 0o600),
		os.Chmod(file, 0o666), os.Chmod(filepath.Dir(file), 0o777)); err != nil {
		return err
	}
	if !l.runMark(ctx, dir, rsync.PushMark(endpoint, level, name)) {
		return errors.New("rsync failed")
	}
	return nil
}

// removeMark removes a mark from a directory of the remote.
func (l *lane) removeMark(ctx context.Context, endpoint rsync.Endpoint, level, id string) bool {
	if isLocal(endpoint) {
		return removeLocalMark(level, config.MarkPrefix+id)
	}
	dir, err := os.MkdirTemp(l.scratch, "no-mark-")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	return l.runMark(ctx, dir, rsync.RemoveMark(endpoint, level, config.MarkPrefix+id))
}

// runMark runs a job that does not count, and tells whether it was done or some of
// what it was for was not there.
func (l *lane) runMark(ctx context.Context, dir string, job rsync.Job) bool {
	const partly = 23
	result, err := rsync.Run(ctx, dir, l.environment(), job, nil)
	if err != nil || result.Code != 0 && result.Code != partly {
		l.log.Debug("Marks are refused", zap.Int("code", result.Code), zap.Strings("args", job.Args), zap.String("stderr", result.Stderr), zap.Error(err))
		return false
	}
	return true
}

// leaveTime bounds the removal of marks at the end of a lane.
const leaveTime = 2 * time.Second

// leave removes the own marks from the remote; what cannot be removed in a moment
// goes stale. Nothing is made for that, should somebody have removed the destination.
// mayTouch tells that the destination's own attributes may be set from the workspace's
// root.
func (l *lane) leave(mayTouch func() bool) {
	levels := l.marks.levels
	if len(levels) == 0 {
		return
	}
	l.marks.levels = nil
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	own := l.marks.of.RemotePath
	if d := l.directly(); d != nil && d.Err() == nil && slices.Equal(levels, []string{own}) {
		d.Remove(config.MarkPrefix + l.marks.of.ID)
		return
	}
	endpoint, failure := l.connect(ctx, l.marks.of)
	if failure != nil || l.leaveBySFTP(ctx, levels) {
		return
	}
	l.learn(ctx, &endpoint, false)
	release, err := l.session(ctx)
	if err != nil {
		return
	}
	defer release()
	for _, level := range levels {
		l.removeMark(ctx, endpoint, level, l.marks.of.ID)
	}
	if slices.Contains(levels, own) && mayTouch() {
		l.runMark(ctx, l.root, rsync.Root(endpoint).IfThere()) // its time has changed
	}
}

// leaveBySFTP removes the own marks where there is sftp, which is the faster way, and
// tells whether there is.
func (l *lane) leaveBySFTP(ctx context.Context, levels []string) bool {
	if l.connection == nil {
		return false
	}
	session, err := l.connection.SFTP(ctx, l.environment())
	if err != nil {
		return false
	}
	for _, level := range levels {
		session.Remove(path.Join(level, config.MarkPrefix+l.marks.of.ID))
		session.Rmdir(path.Join(level, config.TempDirectory)) // unless there is more
	}
	session.Flush()
	_, err = session.Lstat(".").Wait() // all of it was done before
	return err == nil
}
