package transfer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"wsync/config"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
)

// askedContents is how large a file may be, in bytes, whose contents are compared when
// somebody asks for it.
const askedContents = 256 << 20

// Ask finds out what the remote has at a path now, and whether that is as it is here, by
// runs of rsync that change nothing. It may be called beside transfers.
func (l *Lane) Ask(ctx context.Context, r config.Remote, path string) (look report.Look) {
	if path == "" {
		look.Unknown, look.Hint = "it is the whole workspace", "wsync diff"
		return look
	}
	dir, endpoint, failure := l.aside(ctx, r)
	if failure != nil {
		look.Unknown, look.Hint = failure.Message, failure.Hint
		return look
	}
	defer os.RemoveAll(dir)
	endpoint.Strategy.Nanoseconds = endpoint.Strategy.Nanoseconds && l.known.Load() != nil && l.known.Load().probed
	if failure := l.list(ctx, dir, endpoint, path, &look); failure != nil {
		look.Unknown, look.Hint = failure.Message, failure.Hint
		return look
	}
	t := &transfer{lane: l}
	here := t.entryHere(path)
	switch {
	case here == nil && look.There == nil:
		look.Equal = true
	case here == nil:
		look.Differs = []report.DifferenceKind{report.DiffDelete}
	case look.There == nil:
		look.Differs = []report.DifferenceKind{report.DiffNew}
	case here.Kind != look.There.Kind:
		look.Differs = []report.DifferenceKind{report.DiffKind}
	case here.Kind == report.File && t.isUnreadable(path): // rsync takes two that it cannot read for equal
		look.Unknown = "cannot read the file: " + syscall.EACCES.Error()
	default:
		l.compareOne(ctx, endpoint, path, here, &look)
	}
	return look
}

// aside is an endpoint for a run beside transfers, and a directory for it, which the caller
// removes unless there is a failure.
func (l *Lane) aside(ctx context.Context, r config.Remote) (dir string, e rsync.Endpoint, failure *remote.Failure) {
	e = rsync.Endpoint{Remote: r, Strategy: rsync.Choose(l.local, rsync.Version{})}
	if k := l.known.Load(); k != nil {
		e.Strategy = k.strategy
	}
	if l.connection != nil {
		if err := l.connection.Ensure(ctx, l.environment()); err != nil {
			return "", e, connectFailure(err)
		}
		e.SSH = l.connection.Command()
	}
	dir, err := os.MkdirTemp(l.scratch, "trial")
	if err != nil {
		return "", e, failed(remote.Trouble, err, "")
	}
	return dir, e, nil
}

// What rsync says of a path that the remote does not have, and of a destination that is not
// there: both with ENOENT, of the path also with ENOTDIR, where its directory is a file there.
const (
	missingPath      = "link_stat "
	missingDirectory = "change_dir "
)

// list takes in what the remote has at a path.
func (l *Lane) list(ctx context.Context, dir string, e rsync.Endpoint, path string, look *report.Look) *remote.Failure {
	wanted := map[string]bool{path: true}
	result, failure := l.runAside(ctx, dir, rsync.List(e, []string{path}, func(line string) {
		if listed, ok := rsync.ParseListed(line); ok {
			if listed = listed.Among(wanted); listed.Path == path {
				look.There = entryThere(listed)
			}
		}
	}))
	missing := func(what string, why syscall.Errno) bool {
		return strings.Contains(result.Stderr, what) && strings.Contains(strings.ToLower(result.Stderr), why.Error())
	}
	switch {
	case failure != nil:
		return failure
	case result.Code == 0 || look.There != nil:
	case missing(missingDirectory, syscall.ENOENT):
		return failed(remote.Trouble, errors.New("there is no destination directory"), "")
	case missing(missingPath, syscall.ENOENT), missing(missingPath, syscall.ENOTDIR):
	default:
		said := rsync.ParseStderr(result.Stderr, dir, e.Remote.RemotePath)
		message, hint := rsync.Words(result.Code, said)
		return failed(remote.Trouble, errors.New(message), hint)
	}
	if e.Remote.Connection.Kind() == config.KindLocal && look.There != nil {
		look.There.Owner = ownerOf(filepath.Join(e.Remote.RemotePath, filepath.FromSlash(path)))
	}
	return nil
}

// ownerOf are the numbers of the owner and the group of an entry of this machine, "" if
// they cannot be read.
func ownerOf(name string) string {
	info, err := os.Lstat(name)
	if err != nil {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d:%d", st.Uid, st.Gid)
}

// compareOne takes in whether an entry that both sides have is equal.
func (l *Lane) compareOne(ctx context.Context, e rsync.Endpoint, path string, here *report.Entry, look *report.Look) {
	if e.Strategy.Basic {
		look.Differs = []report.DifferenceKind{report.DiffUnknown}
		return
	}
	job := rsync.Paths(e, []string{path}, false).WithoutMissing().DryRun()
	if look.Contents = here.Kind == report.File && here.Size == look.There.Size && here.Size <= askedContents; look.Contents {
		job = job.Checksum()
	}
	job.Differing = func(name, code string) {
		if name, _ := cutSlash(name); name == path {
			look.Differs, _ = differs(rsync.ParseCode(code))
		}
	}
	result, failure := l.runAside(ctx, l.root, job)
	switch {
	case failure != nil:
		look.Unknown, look.Hint = failure.Message, failure.Hint
	case result.Code != 0:
		said := rsync.ParseStderr(result.Stderr, l.root, e.Remote.RemotePath)
		look.Unknown, look.Hint = rsync.Words(result.Code, said)
		if len(said.Failures) > 0 {
			look.Unknown, _ = rsync.PathWords(said.Failures[0].Message)
		}
	default:
		look.Equal = len(look.Differs) == 0
	}
}

// runAside makes one run in dir beside transfers.
func (l *Lane) runAside(ctx context.Context, dir string, job rsync.Job) (rsync.Result, *remote.Failure) {
	release, err := l.session(ctx)
	if err != nil {
		return rsync.Result{}, failed(remote.Trouble, err, "")
	}
	defer release()
	result, err := rsync.Run(ctx, dir, l.environment(), job, nil)
	if err != nil {
		return result, failed(remote.Trouble, err, "")
	}
	return result, nil
}
