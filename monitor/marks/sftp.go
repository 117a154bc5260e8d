package marks

import (
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"wsync/config"
	"wsync/monitor/rsync"
	"wsync/monitor/sftp"
)

// witnessed returns the session of sftp if that sees what rsync does, nil otherwise: the
// own mark, which has a name that nobody else has, and which rsync has left.
func (m *Marks) witnessed(ctx context.Context, endpoint rsync.Endpoint) *sftp.Client {
	own := endpoint.Remote.RemotePath
	if m.connection == nil || !slices.Contains(m.left.Levels, own) {
		return nil
	}
	session, err := m.connection.SFTP(ctx, m.environment())
	if err != nil {
		return nil
	}
	if _, err := session.Lstat(path.Join(own, m.left.Name())).Wait(); err != nil {
		return nil
	}
	return session
}

// pullBySFTP reads the marks in directories of the remote; ok is false if the session
// broke.
func pullBySFTP(session *sftp.Client, levels []string) (found []foundMark, ok bool) {
	looks := make([]sftp.AttrsReply, len(levels))
	for i, level := range levels {
		looks[i] = session.Lstat(path.Join(level, config.TempDirectory))
	}
	for i, level := range levels {
		if attrs, err := looks[i].Wait(); err != nil || !attrs.IsDirectory() {
			continue // most have none
		}
		entries, err := session.ReadDir(path.Join(level, config.TempDirectory))
		if err != nil {
			continue // rsync would not see them either
		}
		for _, e := range entries {
			if mark, is := readMark(session, path.Join(level, config.TempDirectory), e); is {
				found = append(found, foundMark{mark, level})
			}
		}
	}
	return found, session.Err() == nil
}

// readMark reads the mark that an entry of a directory is, if it is one.
func readMark(session *sftp.Client, dir string, e sftp.Entry) (mark config.Mark, ok bool) {
	id, is := strings.CutPrefix(e.Name, path.Base(config.MarkPrefix))
	if !is || !e.Attrs.IsRegular() || e.Attrs.Size == nil || *e.Attrs.Size > maxLocalMark {
		return mark, false
	}
	handle, err := session.Open(path.Join(dir, e.Name)).Wait()
	if err != nil {
		return mark, false
	}
	read := session.Read(handle, 0, maxLocalMark)
	session.CloseHandle(handle)
	data, err := read.Wait()
	return mark, err == nil && json.Unmarshal(data, &mark) == nil && mark.ID == id
}
