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

	mu       sync.Mutex // guards expiry, used, progress and running
	expiry   *time.Timer
	used     bool // the list was written, or is not wanted any more
	progress func(Progress)
	running  Job // the one that it is used for

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
	return prepare(dir, env, job, standbyTime)
}

func prepare(dir string, env []string, job Job, lasting time.Duration) (*Standby, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Standby{job: job, process: newProcess(ctx, dir, env, job), cancel: cancel, ended: make(chan struct{})}
	s.process.job.Deleting, s.process.job.Differing, s.process.job.Sending = s.deleting, s.differing, s.sending
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
		s.how, s.err = s.process.result(ctx, s.tell)
		close(s.ended)
		cancel()
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expiry = time.AfterFunc(lasting, s.Close)
	return s, nil
}

// tell passes on progress to whoever uses the standby.
func (s *Standby) tell(p Progress) {
	s.mu.Lock()
	progress := s.progress
	s.mu.Unlock()
	if progress != nil {
		progress(p)
	}
}

// deleting, differing and sending pass on what is told of entries.
func (s *Standby) deleting(path string, dir bool) {
	if tell := s.runs().Deleting; tell != nil {
		tell(path, dir)
	}
}

func (s *Standby) differing(path, code string) {
	if tell := s.runs().Differing; tell != nil {
		tell(path, code)
	}
}

func (s *Standby) sending(path string, size int64) {
	if tell := s.runs().Sending; tell != nil {
		tell(path, size)
	}
}

func (s *Standby) runs() Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// Ready reports whether the standby waits for its list. Its connection may be dead all
// the same: rsync does not look at it before it has the list.
func (s *Standby) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.ended:
		return false
	default:
		return !s.used
	}
}

// take makes the standby the caller's, unless it is somebody else's.
func (s *Standby) take(progress func(Progress)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expiry.Stop()
	if s.used {
		return false
	}
	s.used, s.progress = true, progress
	return true
}

// Run runs job, as the function Run does, if it is the one that was prepared. ok
// is false if it is not, or if the standby was over or turned out to be dead:
// then it is gone, and the job is to be run in the usual way. It can be used once.
func (s *Standby) Run(ctx context.Context, job Job, progress func(Progress)) (r Result, ok bool, err error) {
	if !slices.Equal(s.job.Args, job.Args) {
		s.Close()
		return Result{}, false, nil
	}
	if !s.take(progress) {
		<-s.ended // it may be about to end, and holds its connection until then
		return Result{}, false, nil
	}
	s.mu.Lock()
	s.running = job
	s.mu.Unlock()
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
	if s.err == nil && s.how.fruitless() {
		return Result{}, false, nil
	}
	return s.how, true, s.err
}

// fruitless reports whether a run failed before it had touched anything: the connection
// had been lost while nobody looked, or there was none to be had at the time.
func (r *Result) fruitless() bool {
	switch verdict, _ := Classify(r.Code); verdict {
	case Done, Vanished, Partial, PartialDeletion:
		return false
	}
	return r.Changed == 0 && r.Files == 0 && len(r.Made) == 0
}

// Close ends a standby that is not wanted, and waits until it is gone: with an
// empty list there is nothing to do.
func (s *Standby) Close() {
	if s.take(nil) {
		s.stdin.Close()
		time.AfterFunc(endTime, s.cancel)
	}
	<-s.ended
}
