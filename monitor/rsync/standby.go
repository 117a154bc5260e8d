package rsync

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Standby is a run of rsync that has come as far as it can without its list of
// paths: the process is there, connected, and has agreed with the other end.
// What is left takes a few milliseconds.
type Standby struct {
	job     Job
	process *process
	stdin   io.WriteCloser
	cancel  context.CancelFunc
	expiry  *time.Timer

	mu    sync.Mutex // guards used
	used  bool       // the list was written, or is not wanted any more
	ended chan struct{}
	how   Result
	err   error // how and err are set before ended is closed
}

// standbyTime is how long a standby lasts. It keeps a connection, of which an
// rsync daemon may allow few, and which the network may forget.
const standbyTime = 30 * time.Second

// endTime is how long one that is not wanted may take to end.
const endTime = time.Second

// Prepare starts a job without its input, which must be read from standard
// input. The standby ends on its own if it is not used for a while.
func Prepare(dir string, env []string, job Job) (*Standby, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Standby{job: job, process: newProcess(ctx, dir, env, job), cancel: cancel, ended: make(chan struct{})}
	var err error
	if s.stdin, err = s.process.cmd.StdinPipe(); err != nil {
		cancel()
		return nil, fmt.Errorf("cannot run rsync: %w", err)
	}
	if err := s.process.start(); err != nil {
		cancel()
		return nil, err
	}
	go func() {
		s.how, s.err = s.process.result(ctx, nil)
		close(s.ended)
		cancel()
	}()
	s.expiry = time.AfterFunc(standbyTime, s.Close)
	return s, nil
}

// take makes the standby the caller's, unless it is somebody else's.
func (s *Standby) take() bool {
	s.expiry.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used {
		return false
	}
	s.used = true
	return true
}

// Run runs job if it is the one that was prepared; ok is false if it is not, or
// if the standby is over. It can be used once.
func (s *Standby) Run(ctx context.Context, job Job) (r Result, ok bool, err error) {
	if !slices.Equal(s.job.Args, job.Args) {
		s.Close()
		return Result{}, false, nil
	}
	if !s.take() {
		return Result{}, false, nil
	}
	stop := context.AfterFunc(ctx, s.cancel)
	defer stop()
	_, err = s.stdin.Write(job.Input)
	if err != nil {
		s.cancel() // it broke off before it had anything to do
		<-s.ended
		return Result{}, ctx.Err() != nil, ctx.Err()
	}
	s.stdin.Close()
	<-s.ended
	if ctx.Err() != nil {
		return s.how, true, ctx.Err()
	}
	return s.how, true, s.err
}

// Close ends a standby that is not wanted, and waits until it is gone: with an
// empty list there is nothing to do.
func (s *Standby) Close() {
	if s.take() {
		s.stdin.Close()
		time.AfterFunc(endTime, s.cancel)
	}
	<-s.ended
}
