package rsync

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

// post is an rsync daemon with the module "mod" for a user with a password. It
// counts the connections that have come so far that they have a module, and
// those that have ended.
type post struct {
	*remotetest.RsyncDaemon
	t                *testing.T
	module, password string
	tally            string
}

func newPost(t *testing.T, config ...string) *post {
	t.Helper()
	p := &post{t: t, module: dir(t, 0), tally: dir(t, 0)}
	p.password = filepath.Join(p.tally, "password")
	check(t, os.WriteFile(p.password, []byte("secret\n"), 0o600))
	p.RsyncDaemon = remotetest.StartRsyncDaemon(t, map[string]string{"mod": p.module}, remotetest.RsyncDaemonOptions{
		Users: map[string]string{"u": "secret"},
		Config: append([]string{
			"pre-xfer exec = echo >>" + p.tally + "/came",
			"post-xfer exec = echo >>" + p.tally + "/went",
		}, config...),
	})
	return p
}

func (p *post) count(what string) int {
	content, err := os.ReadFile(filepath.Join(p.tally, what))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Fatal(err)
	}
	return strings.Count(string(content), "\n")
}

// prepare makes a standby and waits until the daemon has it.
func (p *post) prepare(src string, job Job) *Standby {
	p.t.Helper()
	before := p.count("came")
	s, err := Prepare(src, Environment(""), job)
	check(p.t, err)
	p.t.Cleanup(s.Close)
	poll(p.t, "the run", func() bool { return p.count("came") > before })
	return s
}

// small is the job that is prepared, for paths.
func (p *post) small(sub string, paths ...string) Job {
	e := daemonEndpoint(p.RsyncDaemon, "mod/"+sub, p.password)
	return Paths(e, paths, true).Limit(e, 0)
}

// left reports whether the standby's process is there, if only to be waited for.
func left(s *Standby) bool {
	return !errors.Is(syscall.Kill(s.process.cmd.Process.Pid, 0), syscall.ESRCH)
}

// over checks that nothing of the standby is left.
func over(t *testing.T, s *Standby) {
	t.Helper()
	select {
	case <-s.ended:
	default:
		t.Error("the standby has not ended")
	}
	if s.Ready() || left(s) {
		t.Errorf("ready: %v; its process is there: %v", s.Ready(), left(s))
	}
}

// unused checks that the standby leaves the job to the usual way, and that this
// way does it.
func unused(t *testing.T, s *Standby, src string, job Job) {
	t.Helper()
	if r, ok, err := s.Run(t.Context(), job, nil); ok || err != nil {
		t.Errorf("it was used: %+v, %v", r, err)
	}
	over(t, s)
	run(t, src, job)
}

func TestStandbyEqualsRun(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	for _, test := range []struct {
		name     string
		src, dst map[string]string
		paths    []string
		code     int
		check    func(r Result) bool
	}{
		{name: "a change", src: map[string]string{"f": "new", "d/g": "new"}, dst: map[string]string{"f": "old"}, paths: []string{"f", "d/g", "d"},
			check: func(r Result) bool {
				return r.Files == 2 && r.Bytes == 6 && r.Changed == 2 && slices.Equal(r.Made, []string{"d"})
			}},
		{name: "nothing", src: map[string]string{"f": ""}, dst: map[string]string{"other": ""}, check: func(r Result) bool { return r.Changed == 0 }},
		{name: "odd names", src: odd(), dst: map[string]string{"x": ""}, paths: oddNames, check: func(r Result) bool { return r.Files == len(oddNames) }},
		{name: "many paths", src: map[string]string{"last": "x"}, dst: map[string]string{"x": ""}, paths: append(slices.Repeat([]string{strings.Repeat("l", 200)}, 2000), "last"),
			check: func(r Result) bool { return r.Files == 1 }},
		{name: "a path that is missing here and there", src: map[string]string{"f": ""}, dst: map[string]string{"x": ""}, paths: []string{"gone", "f"},
			check: func(r Result) bool { return r.Files == 1 && r.Deleted == 0 }},
		{name: "a path that is only there", src: map[string]string{"f": ""}, dst: map[string]string{"gone": ""}, paths: []string{"gone", "f"},
			check: func(r Result) bool {
				return r.Files == 1 && r.Deleted == 0 && strings.Contains(r.Stderr, "Deletions stopped")
			}},
		{name: "a path below a file", src: map[string]string{"f": "", "g": "g"}, dst: map[string]string{"x": ""}, paths: []string{"f/below", "g"}, code: 23,
			check: func(r Result) bool { return r.Files == 1 && strings.Contains(r.Stderr, "Not a directory") }},
		{name: "a missing destination", src: map[string]string{"f": "x"}, paths: []string{"f"}, check: func(r Result) bool { return slices.Contains(r.Made, "") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name != "a change" && test.name != "odd names" && test.name != "a missing destination" {
				remotetest.Long(t, testing.Short())
			}
			src := dir(t, 0)
			tree(t, src, test.src)
			age(t, src)
			var results []Result
			for _, way := range []string{"usual", "standby"} {
				sub := fmt.Sprintf("%x-%s", test.name, way)
				if test.dst != nil {
					tree(t, filepath.Join(p.module, sub), test.dst)
				}
				job := p.small(sub, test.paths...)
				var r Result
				var err error
				if way == "usual" {
					r, err = Run(t.Context(), src, Environment(""), job, nil)
				} else {
					s := p.prepare(src, p.small(sub))
					if !s.Ready() {
						t.Error("it is not ready")
					}
					var ok bool
					if r, ok, err = s.Run(t.Context(), job, nil); !ok {
						t.Error("it was not used")
					}
					over(t, s)
				}
				check(t, err)
				r.Stderr = strings.ReplaceAll(r.Stderr, sub, "SUB")
				if r.Code != test.code || !test.check(r) {
					t.Errorf("%s: %+v", way, r)
				}
				results = append(results, r)
			}
			if !reflect.DeepEqual(results[0], results[1]) {
				t.Errorf("usually %+v, by the standby %+v", results[0], results[1])
			}
			usual, standby := filepath.Join(p.module, fmt.Sprintf("%x-usual", test.name)), filepath.Join(p.module, fmt.Sprintf("%x-standby", test.name))
			check(t, os.Chtimes(usual, time.Unix(1, 0), time.Unix(1, 0)))
			check(t, os.Chtimes(standby, time.Unix(1, 0), time.Unix(1, 0)))
			if a, b := listing(t, usual), listing(t, standby); !slices.Equal(a, b) {
				t.Errorf("usually %q, by the standby %q", a, b)
			}
		})
	}
}

// What is sent is what is there when the list is written, not before.
func TestStandbySeesTheLatest(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"f": "before", "d/g": "before"})
	s := p.prepare(src, p.small("sub"))
	check(t, os.RemoveAll(filepath.Join(src, "d")))
	tree(t, src, map[string]string{"f": "after", "d": "a file now"})
	if r, ok, err := s.Run(t.Context(), p.small("sub", "f", "d"), nil); !ok || err != nil || r.Code != 0 {
		t.Fatalf("%+v, %v, %v", r, ok, err)
	}
	same(t, src, filepath.Join(p.module, "sub"))
}

// A large batch shows how far it is, as it does without a standby.
func TestStandbyTellsProgress(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, odd())
	var mu sync.Mutex
	var last Progress
	tell := func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		last = p
	}
	r, ok, err := p.prepare(src, p.small("")).Run(t.Context(), p.small("", oddNames...), tell)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if last != r.Progress || last.Files != len(oddNames) {
		t.Errorf("it last told %+v of %+v", last, r.Progress)
	}
}

func TestStandbyForAnotherJob(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"f": "x"})
	e := daemonEndpoint(p.RsyncDaemon, "mod", p.password)
	for name, job := range map[string]Job{
		"with deletions":      Paths(e, []string{"f"}, true).Limit(e, 1),
		"not byte by byte":    Paths(e, []string{"f"}, false).Limit(e, 0),
		"a dry run":           p.small("", "f").DryRun(),
		"another destination": p.small("elsewhere", "f"),
		"a full pass":         fullPass(e, nil, 0),
	} {
		t.Run(name, func(t *testing.T) { unused(t, p.prepare(src, p.small("")), src, job) })
	}
}

// A standby that is not used does nothing, and is gone when Close returns.
func TestStandbyClose(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"f": "new", "new": ""})
	tree(t, p.module, map[string]string{"f": "old", "extra": ""})
	age(t, p.module)
	before := dir(t, 0)
	run(t, p.module, fullPass(local(before, modern), nil, 0))

	s := p.prepare(src, p.small(""))
	s.Close()
	over(t, s)
	if s.how.Code != 0 { // it did not end by itself
		t.Errorf("it ended with %d: %s", s.how.Code, s.how.Stderr)
	}
	s.Close()
	poll(t, "the change", func() bool { return p.count("went") == 1 })
	same(t, before, p.module)
	unused(t, s, src, p.small("", "f", "new"))

	// From several goroutines, all of which wait for the end.
	s = p.prepare(src, p.small(""))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s.Close()
			over(t, s)
		})
	}
	all.Wait()
}

// It has no chance to end by itself: its process is stopped.
func TestStandbyCloseOfOneThatHangs(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	s := p.prepare(dir(t, 0), p.small(""))
	check(t, syscall.Kill(s.process.cmd.Process.Pid, syscall.SIGSTOP))
	s.Close()
	over(t, s)
}

func TestStandbyExpires(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"f": "x"})
	s, err := prepare(src, Environment(""), p.small(""), time.Nanosecond)
	check(t, err)
	<-s.ended
	over(t, s)
	unused(t, s, src, p.small("", "f"))
	s.Close()

	// Used in time, it does not expire any more.
	s = p.prepare(src, p.small(""))
	if _, ok, err := s.Run(t.Context(), p.small("", "f"), nil); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if s.expiry.Stop() {
		t.Error("its time goes on")
	}
}

// One that is just about to end holds its connection until then, and whoever
// wants to use it waits: the daemon may have no second one.
func TestStandbyThatIsEnding(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"f": "x"})
	s := p.prepare(src, p.small(""))
	pid := s.process.cmd.Process.Pid
	check(t, syscall.Kill(pid, syscall.SIGSTOP))
	go s.Close()
	poll(t, "the end of the run", func() bool { return !s.Ready() })
	unused(t, s, src, p.small("", "f"))
}

func TestStandbyWasKilled(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"f": "x"})
	for name, wait := range map[string]bool{"a while ago": true, "just now": false} {
		t.Run(name, func(t *testing.T) {
			s := p.prepare(src, p.small(""))
			check(t, s.process.cmd.Process.Kill())
			if wait {
				poll(t, "the end of the run", func() bool { return !s.Ready() })
			}
			unused(t, s, src, p.small("", "f"))
			same(t, src, p.module)
		})
	}
}

// rsync does not look at its connection while it waits for the list, and so does
// not know that it is dead.
func TestStandbyWhoseDaemonRestarted(t *testing.T) {
	t.Parallel()
	const waits = "waits for no one long"
	for name, lose := range map[string]func(p *post){
		"restarted":            func(p *post) { p.Restart() },
		"lost all connections": func(p *post) { p.KillConnections() },
		waits:                  func(p *post) { poll(p.t, "the end of the run", func() bool { return p.count("went") == 1 }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			if name == waits {
				remotetest.Long(t, testing.Short())
				lines = append(lines, "timeout = 3") // also for a run, on a machine with much to do
			}
			p := newPost(t, lines...)
			src := dir(t, 0)
			tree(t, src, map[string]string{"f": "x"})
			s := p.prepare(src, p.small(""))
			lose(p)
			unused(t, s, src, p.small("", "f"))
			same(t, src, p.module)
		})
	}
}

// A run that breaks when it has begun is reported as it is: it may have left
// something behind.
func TestStandbyThatBreaksInTheMiddle(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"a": "x", "large": strings.Repeat("0123456789abcdef", 1<<20)})
	slow := func(paths ...string) Job { return p.small("", paths...).with("--bwlimit=100").with("--whole-file") }
	s := p.prepare(src, slow())
	ended := make(chan Result, 1)
	go func() {
		r, ok, err := s.Run(t.Context(), slow("a", "large"), nil)
		if !ok || err != nil {
			t.Errorf("used: %v, %v", ok, err)
		}
		ended <- r
	}()
	poll(t, "the change", func() bool {
		found, err := filepath.Glob(filepath.Join(p.module, ".large.*"))
		return err == nil && len(found) > 0
	})
	p.Stop()
	r := <-ended
	if verdict, _ := Classify(r.Code); verdict != Unreachable || r.Files == 0 {
		t.Errorf("%+v", r)
	}
	over(t, s)
}

// What the daemon says about a standby is nobody's business. The usual run finds
// it out.
func TestStandbyThatIsRefused(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"f": "x"})
	check(t, os.WriteFile(p.password, []byte("wrong\n"), 0o600))
	for name, wait := range map[string]bool{"known": true, "not known yet": false} {
		t.Run(name, func(t *testing.T) {
			s, err := Prepare(src, Environment(""), p.small(""))
			check(t, err)
			if wait {
				<-s.ended
			}
			if r, ok, err := s.Run(t.Context(), p.small("", "f"), nil); ok || err != nil {
				t.Errorf("%+v, %v", r, err)
			}
			over(t, s)
		})
	}
	run(t, src, p.small("", "f"), 5)
}

func TestStandbyCancelled(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"f": strings.Repeat("0123456789abcdef", 1<<20)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := p.prepare(src, p.small(""))
	if _, ok, err := s.Run(ctx, p.small("", "f"), nil); !ok || !errors.Is(err, context.Canceled) {
		t.Errorf("before: %v, %v", ok, err)
	}
	over(t, s)

	// In the middle, and while the list is written to somebody who does not read.
	begin := func(s *Standby, job Job) (cancelled func(what string)) {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		ended := make(chan error, 1)
		go func() {
			_, ok, err := s.Run(ctx, job, nil)
			if !ok {
				err = errors.New("it was not used")
			}
			ended <- err
		}()
		return func(what string) {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
			over(t, s)
		}
	}
	check(t, os.RemoveAll(filepath.Join(p.module, "f")))
	slow := func(paths ...string) Job { return p.small("", paths...).with("--bwlimit=100").with("--whole-file") }
	s = p.prepare(src, slow())
	cancelled := begin(s, slow("f"))
	poll(t, "the change", func() bool {
		found, err := filepath.Glob(filepath.Join(p.module, ".f.*"))
		return err == nil && len(found) > 0
	})
	cancelled("in the middle")

	s = p.prepare(src, p.small(""))
	check(t, syscall.Kill(s.process.cmd.Process.Pid, syscall.SIGSTOP))
	cancelled = begin(s, p.small("", slices.Repeat([]string{strings.Repeat("l", 200)}, 5000)...))
	poll(t, "the end of the run", func() bool { return !s.Ready() })
	cancelled("while the list was written")
}

// It can be used once, whoever comes first.
func TestStandbyIsUsedOnce(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	src := dir(t, 0)
	tree(t, src, map[string]string{"f": "x"})
	s := p.prepare(src, p.small(""))
	used := make(chan bool, 4)
	for range cap(used) {
		go func() {
			_, ok, err := s.Run(t.Context(), p.small("", "f"), nil)
			used <- ok && err == nil
		}()
	}
	n := 0
	for range cap(used) {
		if <-used {
			n++
		}
	}
	if n != 1 {
		t.Errorf("it was used %d times", n)
	}
	same(t, src, p.module)
}

func TestPrepareFails(t *testing.T) {
	p := newPost(t)
	t.Setenv("PATH", dir(t, 0))
	if s, err := Prepare(dir(t, 0), Environment(""), p.small("")); err == nil {
		s.Close()
		t.Error("it runs an rsync that is not there")
	}
}

func TestFruitless(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		r    Result
		want bool
	}{
		{Result{}, false},
		{Result{Code: 12}, true},
		{Result{Code: 5}, true},
		{Result{Code: 14}, true},
		{Result{Code: math.MaxInt32}, true},
		{Result{Code: 23}, false},
		{Result{Code: 24}, false},
		{Result{Code: 25}, false},
		{Result{Code: 12, Changed: 1}, false},
		{Result{Code: 12, Progress: Progress{Files: 1}}, false},
		{Result{Code: 12, Made: []string{""}}, false},
	} {
		if test.r.fruitless() != test.want {
			t.Errorf("%+v", test.r)
		}
	}
}
