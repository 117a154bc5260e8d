package marks

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/rsync"
)

// markGrace is how much longer than what it is for a mark may take to be sent. One that
// is not ended is there or is not: nobody would know, and it could come when it has been
// removed.
const markGrace = time.Second

// leaveMark writes the own mark to a directory of the remote.
func (m *Marks) leaveMark(ctx context.Context, endpoint rsync.Endpoint, level string) {
	mark := m.markOf(endpoint.Remote)
	name := config.MarkPrefix + mark.ID
	data, err := json.Marshal(mark)
	switch {
	case err != nil:
	case isLocal(endpoint):
		err = leaveLocalMark(level, name, data)
	default:
		err = m.pushMark(ctx, endpoint, level, name, data)
	}
	if err != nil {
		m.log.Debug("Cannot leave a mark", zap.Error(err))
	}
	if (err == nil || ctx.Err() != nil) && !slices.Contains(m.left.Levels, level) {
		m.left.Levels, m.left.Remote = append(m.left.Levels, level), endpoint.Remote
	}
}

// patient returns a context that ends markGrace after ctx.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(markGrace, cancel) })
	return longer, func() { stop(); cancel() }
}

// pushMark sends a mark with rsync.
func (m *Marks) pushMark(ctx context.Context, endpoint rsync.Endpoint, level, name string, data []byte) error {
	dir, err := os.MkdirTemp(m.scratch, "mark-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, name)
	// Others who write to the destination must be able to read it, whatever the umask.
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, data, 0o600),
		os.Chmod(file, 0o644), os.Chmod(filepath.Dir(file), 0o755)); err != nil {
		return err
	}
	ctx, cancel := patient(ctx)
	defer cancel()
	if !m.runMark(ctx, dir, rsync.PushMark(endpoint, level, name)) {
		return errors.New("rsync failed")
	}
	return nil
}

// removeMark removes a mark from a directory of the remote.
func (m *Marks) removeMark(ctx context.Context, endpoint rsync.Endpoint, level, id string) bool {
	if isLocal(endpoint) {
		return removeLocalMark(level, config.MarkPrefix+id)
	}
	dir, err := os.MkdirTemp(m.scratch, "no-mark-")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	return m.runMark(ctx, dir, rsync.RemoveMark(endpoint, level, config.MarkPrefix+id))
}

// Take returns the marks that were left, and forgets them: they are to be removed.
func (m *Marks) Take() Left {
	left := m.left
	m.left.Levels = nil
	return left
}

// Name is that of each of the marks, in the directory that it is in.
func (l Left) Name() string { return config.MarkPrefix + l.Remote.ID }

// OnlyHere reports whether there is no mark but the one at the destination itself.
func (l Left) OnlyHere() bool { return slices.Equal(l.Levels, []string{l.Remote.RemotePath}) }

// Here reports whether there is one at the destination itself.
func (l Left) Here() bool { return slices.Contains(l.Levels, l.Remote.RemotePath) }

// Remove removes marks with rsync. Nothing is made for that, should somebody have
// removed the destination.
func (m *Marks) Remove(ctx context.Context, endpoint rsync.Endpoint, left Left) {
	release, err := m.acquire(ctx)
	if err != nil {
		return
	}
	defer release()
	for _, level := range left.Levels {
		m.removeMark(ctx, endpoint, level, left.Remote.ID)
	}
}

// RemoveBySFTP removes marks where there is sftp, which is the faster way, and
// reports whether there is.
func (m *Marks) RemoveBySFTP(ctx context.Context, left Left) bool {
	if m.connection == nil {
		return false
	}
	session, err := m.connection.SFTP(ctx, m.environment())
	if err != nil {
		return false
	}
	for _, level := range left.Levels {
		session.Remove(path.Join(level, left.Name()))
		session.Rmdir(path.Join(level, config.TempDirectory)) // unless there is more
	}
	session.Flush()
	_, err = session.Lstat(".").Wait() // all of it was done before
	return err == nil
}

// runMark runs a job that does not count, and reports whether it was done or some of
// what it was for was not there.
func (m *Marks) runMark(ctx context.Context, dir string, job rsync.Job) bool {
	const partly = 23
	result, err := rsync.Run(ctx, dir, m.environment(), job, nil)
	if err != nil || result.Code != 0 && result.Code != partly {
		m.log.Debug("Marks are refused", zap.Int("code", result.Code), zap.Strings("args", job.Args), zap.String("stderr", result.Stderr), zap.Error(err))
		return false
	}
	return true
}
