package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

var (
	churnSeeds = flag.Int("churn.seeds", 3, "TestChurn: how many seeds")
	churnSeed  = flag.Uint64("churn.seed", 0, "TestChurn: the first seed; alone, the only one")
	churnOps   = flag.Int("churn.ops", 120, "TestChurn: how many operations per seed")
	churnKeep  = flag.Bool("churn.keep", false, "TestChurn: keep the directory of a seed that fails")
	churnSkip  = flag.String("churn.skip", "", "TestChurn: leave out these `operations`, by name, separated by commas; other operations take their place")
)

const (
	// churnWait is how long a wait may take when everything is healthy: a dead
	// link is noticed after 15 s, and back-off adds to that.
	churnWait = 90 * time.Second
	// churnShown is how many of the last operations a failure shows, and
	// churnLogShown how many lines of each log.
	churnShown    = 200
	churnLogShown = 150
)

// TestChurn is the promise that no change is ever lost, as a model-based test:
// operations of all kinds on a workspace with one to three remotes of all
// kinds, while its processes, its servers and the lines to them fail. Now and
// then, and at the end, all is quiet for a moment: `wsync wait` is run, and when
// it succeeds each remote must be equal to the workspace, in names, types,
// bytes, modes, targets of symbolic links, and times to the nanosecond. The
// source itself is the model. In half of the seeds a large file is under way for much
// of the time, and small changes go beside it. Half of these waits begin while a fault is under
// way, and may fail; but success is a lie if a remote differs. After the faults
// a wait must succeed within churnWait.
//
// The seed decides about the remotes, the operations and their content, the
// pauses, the faults and the waits. A seed that fails is replayed by
//
//	go test . -run TestChurn -churn.seed=S [-churn.ops=N] [-churn.keep]
//
// with the N it failed with: the same operations with the same pauses, while
// what the scheduler does in between is new each time; -count=20 helps. Many
// seeds are tried, two at a time, by
//
//	go test . -run TestChurn -churn.seeds=500 -parallel 2 -timeout 3h
//
// and from another one than 1 on with -churn.seed too. Half of the seeds turn
// the guard against mass deletion off and delete as they like; in the others
// less than it holds back is gone in all, and nothing may be held.
//
// In two thirds of the seeds there are ignore rules, which change all the time, and
// somebody writes on the remotes what is ignored there: see churnRules and churnIgnored.
// Then each remote must be equal to the workspace without what is ignored, what is ignored
// there must stay as it was after the last wait, and nothing may be there that was in
// ignored files alone.
func TestChurn(t *testing.T) {
	if missing := remotetest.Missing(); missing != "" {
		t.Fatal(missing)
	}
	first, count := uint64(1), *churnSeeds
	given := make(map[string]bool)
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["churn.seed"] {
		first = *churnSeed
		if !given["churn.seeds"] {
			count = 1
		}
	}
	if testing.Short() && !given["churn.seeds"] {
		count = 1
	}
	for i := range count {
		seed := first + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			runChurn(t, seed)
		})
	}
}

// churn is one seed at work. The goroutine of the test owns all but what is
// said to be others'.
type churn struct {
	t    churnT
	seed uint64
	rng  *rand.Rand

	dir, home, source string
	outside           string // where trees are moved in from and out to
	environ           []string
	wsync             string
	remotes           []churnRemote
	guarded           bool
	tame              bool // symbolic links must not lead out of the workspace

	tree    churnTree
	fresh   int // numbers names that were never used
	gone    int // entries deleted or renamed
	handles []churnHandle
	large   churnLarge
	rules   churnRules
	ignored churnIgnored

	faults chan churnFault

	mu      sync.Mutex // guards what follows
	log     []churnEvent
	idle    sync.WaitGroup // faults under way
	started time.Time
}

// churnRemote is a remote with what can go wrong with it. Its server and its
// proxy are nil for a local path.
type churnRemote struct {
	name, kind, destination string
	options                 []string
	dir                     string // where it ends up on this machine
	server                  server
	proxy                   *remotetest.Proxy
}

// churnEvent is an operation, a fault or a wait.
type churnEvent struct {
	at    time.Duration
	text  string
	paths []string // of an operation
}

// churnT lets any goroutine fail the test, the faults' included.
type churnT struct{ *testing.T }

func (t churnT) Fatalf(format string, args ...any) {
	t.Helper()
	t.Errorf(format, args...)
	runtime.Goexit()
}

func runChurn(t *testing.T, seed uint64) {
	c := &churn{
		t:       churnT{t},
		seed:    seed,
		rng:     rand.New(rand.NewPCG(seed, 1)),
		dir:     churnDir(t),
		faults:  make(chan churnFault, 100),
		started: time.Now(),
	}
	c.home, c.source, c.outside = filepath.Join(c.dir, "home"), filepath.Join(c.dir, "src"), filepath.Join(c.dir, "out")
	for _, dir := range []string{c.home, c.source, c.outside, filepath.Join(c.dir, "bin"), filepath.Join(c.home, ".wsync")} {
		c.check(os.MkdirAll(dir, 0o700))
	}
	c.guarded = c.rng.IntN(2) == 0
	settings := "LogLevel=debug\nRestartLimit=1000\n"
	if !c.guarded {
		settings += "HoldDeletionsCount=1000000\n"
	}
	c.check(os.WriteFile(filepath.Join(c.home, ".wsync", "wsync.config"), []byte(settings), 0o600))
	wsync, err := exec.LookPath("wsync")
	c.check(err)
	c.wsync = wsync
	c.environ = append(os.Environ(),
		"HOME="+c.home,
		"PATH="+filepath.Join(c.dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"GOTRACEBACK=single")
	c.makeRemotes()
	c.makeTree()
	c.slowRsync()

	t.Cleanup(c.end)
	c.mustRun("daemon", "start")
	c.mustRun(append([]string{"add", "ws", c.source}, c.drawRules()...)...)
	for _, r := range c.remotes {
		c.mustRun(append([]string{"attach", "ws", r.name, r.destination}, append(r.options, c.drawWay()...)...)...)
	}
	c.run()
}

// churnDir makes the directory of a seed, with a short path.
func churnDir(t *testing.T) string {
	if !*churnKeep {
		return shortTempDir(t)
	}
	dir, err := os.MkdirTemp("/tmp", "ws")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept: %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return dir
}

// end leaves nothing running.
func (c *churn) end() {
	for _, h := range c.handles {
		h.file.Close()
	}
	if out, code := c.exec("daemon", "stop"); code != 0 {
		c.t.Logf("wsync daemon stop: exit code %d\n%s", code, out)
	}
	if left := leftBehind(c.home); len(left) > 0 {
		c.t.Errorf("processes are left: %q", left)
	}
	checkLogs(c.t, filepath.Join(c.home, ".wsync", "log"))
}

// run is the churn: the operations, with the faults and waits among them.
func (c *churn) run() {
	plan := c.plan()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for f := range c.faults {
			injected := make(chan struct{})
			go func() { // of its own, because a failure ends the goroutine
				defer close(injected)
				defer c.idle.Done()
				if !c.t.Failed() {
					c.inject(f)
				}
			}()
			<-injected
		}
	}()
	defer func() { close(c.faults); <-finished }()
	defer c.logBeside()

	if c.rng.IntN(2) == 0 {
		c.quiet(false, nil)
	}
	for i := range *churnOps {
		for _, f := range plan.faults[i] {
			c.start(f)
		}
		c.writeLarge(i)
		c.operate()
		c.pause()
		if fault, ok := plan.waits[i]; ok {
			c.quiet(fault != nil, fault)
		}
		if c.t.Failed() {
			return
		}
	}
	c.quiet(false, nil)
}

// churnPlan says before which operations which faults begin, and after which a
// wait is made, with the fault that begins at the same time if it is not nil.
type churnPlan struct {
	faults map[int][]churnFault
	waits  map[int]*churnFault
}

// plan draws the faults and the waits, from a stream of random numbers of
// their own.
func (c *churn) plan() churnPlan {
	rng := rand.New(rand.NewPCG(c.seed, 2))
	p := churnPlan{faults: make(map[int][]churnFault), waits: make(map[int]*churnFault)}
	every := 25 + rng.IntN(40) // operations per fault
	if rng.IntN(4) == 0 {
		every = 0 // none at all: what goes wrong here needs no accident
	}
	if every > 0 {
		for range *churnOps / every {
			i := rng.IntN(*churnOps)
			p.faults[i] = append(p.faults[i], c.drawFault(rng))
		}
	}
	for i := 20 + rng.IntN(40); i < *churnOps; i += 20 + rng.IntN(60) {
		p.waits[i] = nil
		if every > 0 && rng.IntN(2) == 0 {
			f := c.drawFault(rng)
			p.waits[i] = &f
		}
	}
	return p
}

// pause lets a bounded random time pass between two operations. It is part of
// the load, not a synchronization: most operations follow each other at once,
// some after the time that a transfer takes, a few after a quiet moment.
func (c *churn) pause() {
	var d time.Duration
	switch n := c.rng.IntN(100); {
	case n < 55:
		return
	case n < 80:
		d = time.Duration(c.rng.Int64N(int64(5 * time.Millisecond)))
	case n < 95:
		d = time.Duration(c.rng.Int64N(int64(40 * time.Millisecond)))
	default:
		d = time.Duration(c.rng.Int64N(int64(300 * time.Millisecond)))
	}
	churnPause(d)
}

// churnPause is a part of the load: see churn.pause.
func churnPause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// quiet makes no changes, waits, and compares. Where a fault is under way the
// first wait may fail, but must not lie.
func (c *churn) quiet(risky bool, fault *churnFault) {
	if fault != nil {
		c.start(*fault)
	}
	c.makeWay()
	if risky {
		c.wait(5*time.Second, true)
	}
	c.idle.Wait()
	c.makeWay()
	c.wait(churnWait, false)
	c.keep()
}

// wait waits and compares, and does so once more when all is confirmed.
func (c *churn) wait(timeout time.Duration, mayFail bool) {
	if c.waitFor(timeout, mayFail, remotetest.Comparison{SameTime: remotetest.SameSent, Excluded: c.excludes}) {
		c.waitFor(timeout, mayFail, remotetest.Comparison{Excluded: c.excludes}, "--confirmed")
	}
}

// waitFor runs one wait with some options, and reports whether it has succeeded and
// all is equal.
func (c *churn) waitFor(timeout time.Duration, mayFail bool, compare remotetest.Comparison, options ...string) bool {
	if c.t.Failed() {
		return false
	}
	c.note(nil, "wait --timeout %v %s begins", timeout, strings.Join(options, " "))
	out, code := c.exec(append([]string{"wait", "ws", "--timeout", timeout.String()}, options...)...)
	c.note(nil, "wait ends with exit code %d", code)
	if code != 0 {
		if mayFail {
			return false
		}
		status, _ := c.exec("status", "--json")
		c.fail(fmt.Sprintf("wsync wait did not succeed within %v although everything is healthy: exit code %d\n%s\n%s", timeout, code, out, status), nil)
		return false
	}
	for _, r := range c.remotes {
		differences := compare.Trees(c.source, r.dir)
		if differences == nil {
			continue
		}
		status, _ := c.exec("status", "--json")
		churnPause(3 * time.Second) // a look at it, no second chance
		later := "and still so 3 s later"
		if again := compare.Trees(c.source, r.dir); again == nil {
			later = "but not any more 3 s later"
		} else if len(again) != len(differences) {
			later = "and 3 s later:\n" + strings.Join(again, "\n")
		}
		c.fail(fmt.Sprintf("wsync wait %s returned 0 while remote %s (%s) %s:\n%s\n%s\nstatus: %s",
			strings.Join(options, " "), r.name, r.kind, churnVerdict(r.dir, differences), strings.Join(differences, "\n"), later, status), differences)
		return false
	}
	if wrong := c.checkIgnored(); wrong != nil {
		c.fail(fmt.Sprintf("after wsync wait %s, WHAT IS IGNORED WAS SENT OR HAS GONE:\n%s", strings.Join(options, " "), strings.Join(wrong, "\n")), wrong)
		return false
	}
	return true
}

// churnLeftover is what a killed rsync or a failed probe left on a remote, as
// CompareTrees shows it.
var churnLeftover = regexp.MustCompile(`^"(?:(?:.*/)?\.[^/]+\.[A-Za-z0-9]{6}|\.wsync-probe-.*|(?:.*/)?\.wsync-tmp-.*)": only in `)

// churnVerdict says what kind of lie it is.
func churnVerdict(remote string, differences []string) string {
	for _, d := range differences {
		if !churnLeftover.MatchString(d) || !strings.HasSuffix(d, "only in "+remote) {
			// The time of a directory in which something was left differs too.
			if _, rest, _ := strings.Cut(d, `": `); strings.HasPrefix(rest, "modified ") {
				continue
			}
			return "DIFFERS: A CHANGE WAS LOST, the worst bug there is"
		}
	}
	return "holds what a killed rsync or a failed probe left, or only a time differs"
}

// fail reports everything that helps to find the cause.
func (c *churn) fail(message string, differences []string) {
	c.mu.Lock()
	events := slices.Clone(c.log)
	c.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %s\n\nreplay: go test . -run TestChurn -churn.seed=%d -churn.ops=%d -churn.skip=%q -churn.keep -count=20\n",
		c.seed, message, c.seed, *churnOps, *churnSkip)
	for _, r := range c.remotes {
		fmt.Fprintf(&b, "remote %s: %s %s\n", r.name, r.kind, r.destination)
	}
	for _, d := range differences {
		quoted, err := strconv.QuotedPrefix(d)
		if err != nil {
			continue
		}
		p, err := strconv.Unquote(quoted)
		if err != nil {
			continue
		}
		fmt.Fprintf(&b, "\nevents that touched %.200s:\n", quoted)
		for _, e := range events {
			if slices.ContainsFunc(e.paths, func(q string) bool { return churnConcerns(p, q) }) {
				fmt.Fprintln(&b, e)
			}
		}
	}
	fmt.Fprintf(&b, "\nthe last of %d events:\n", len(events))
	for _, e := range events[max(0, len(events)-churnShown):] {
		fmt.Fprintln(&b, e)
	}
	for _, log := range c.logs() {
		content, err := os.ReadFile(log)
		if err != nil {
			continue
		}
		lines := bytes.Split(bytes.TrimRight(content, "\n"), []byte("\n"))
		fmt.Fprintf(&b, "\nthe last of %d lines of %s:\n", len(lines), filepath.Base(log))
		for _, line := range lines[max(0, len(lines)-churnLogShown):] {
			fmt.Fprintf(&b, "%.600s\n", line)
		}
	}
	c.t.Error(b.String())
}

// logs are those of the daemon and of the monitors.
func (c *churn) logs() (files []string) {
	for _, pattern := range []string{"*.log*", "workspaces/*"} {
		found, _ := filepath.Glob(filepath.Join(c.home, ".wsync", "log", pattern)) // the pattern is right
		files = append(files, found...)
	}
	return files
}

// churnConcerns reports whether an operation on touched may concern p: it is the
// same, above or below.
func churnConcerns(p, touched string) bool {
	return p == touched || p == "." && touched == "" ||
		touched != "" && strings.HasPrefix(p, touched+"/") ||
		p != "." && strings.HasPrefix(touched, p+"/") ||
		filepath.Dir(touched) == p // the time of a directory
}

func (e churnEvent) String() string {
	return fmt.Sprintf("%9.3fs %s", e.at.Seconds(), e.text)
}

// note logs an event.
func (c *churn) note(paths []string, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, churnEvent{time.Since(c.started), fmt.Sprintf(format, args...), paths})
}

// check ends the test if something fails that is not the product's.
func (c *churn) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("seed %d: %v", c.seed, err)
	}
}

// exec runs wsync.
func (c *churn) exec(args ...string) (output string, code int) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*churnWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.wsync, args...)
	cmd.Args[0] = "wsync"
	cmd.Env, cmd.Dir = c.environ, c.dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return string(out), 0
	case errors.As(err, &exit):
		return string(out), exit.ExitCode()
	}
	return err.Error(), -1
}

func (c *churn) mustRun(args ...string) {
	c.t.Helper()
	if out, code := c.exec(args...); code != 0 {
		c.t.Fatalf("seed %d: wsync %s: exit code %d\n%s", c.seed, strings.Join(args, " "), code, out)
	}
}

// makeRemotes draws one to three remotes, each with a server of its own behind
// a proxy.
func (c *churn) makeRemotes() {
	kinds := []string{"ssh", "alias", "rsyncd", "local"}
	c.rng.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	sshds := make(map[string]*remotetest.SSHD)
	var replace []string
	for i, kind := range kinds[:1+c.rng.IntN(3)] {
		r := churnRemote{name: fmt.Sprintf("r%d", i), kind: kind, dir: filepath.Join(c.dir, fmt.Sprintf("dst%d", i))}
		switch kind {
		case "ssh", "alias":
			// A home directory of its own, so that the shell of a session runs
			// nothing of the user's, such as a .bashrc that takes a lock: the
			// faults kill it with kill -9.
			config := []string{"SetEnv HOME=" + c.remoteHome()}
			if c.rng.IntN(4) == 0 {
				config = append(config, "Subsystem sftp /none") // all goes by rsync
			}
			sshd := remotetest.StartSSHD(c.t, remotetest.SSHDOptions{Config: config})
			r.server, r.proxy = sshd, remotetest.StartProxy(c.t, fmt.Sprintf("127.0.0.1:%d", sshd.Port))
			sshds[kind+"host"] = sshd
			replace = append(replace,
				fmt.Sprintf("Port %d\n", sshd.Port), fmt.Sprintf("Port %d\n", r.proxy.Port),
				fmt.Sprintf("]:%d ", sshd.Port), fmt.Sprintf("]:%d ", r.proxy.Port))
			if kind == "alias" {
				r.destination = "aliashost:" + r.dir
				break
			}
			r.destination = sshd.User + "@127.0.0.1:" + r.dir
			r.options = []string{"--port", fmt.Sprint(r.proxy.Port), "--identity-file", sshd.Identity}
		case "rsyncd":
			module := filepath.Join(c.dir, "module")
			config := []string{"munge symlinks = no"}
			if os.Geteuid() == 0 {
				// Without it a daemon strips what leads out of the module from
				// the targets of symbolic links, whoever sends them.
				config = append(config, "use chroot = yes")
			} else {
				c.tame = true
			}
			rsyncd := remotetest.StartRsyncDaemon(c.t, map[string]string{"module": module}, remotetest.RsyncDaemonOptions{Config: config})
			r.server, r.proxy = rsyncd, remotetest.StartProxy(c.t, fmt.Sprintf("127.0.0.1:%d", rsyncd.Port))
			r.destination, r.dir = fmt.Sprintf("rsync://127.0.0.1:%d/module", r.proxy.Port), module
			if c.rng.IntN(2) == 0 {
				r.destination, r.dir = r.destination+"/sub", filepath.Join(module, "sub")
			}
		default:
			r.destination = r.dir
		}
		c.remotes = append(c.remotes, r)
	}
	if len(sshds) == 0 {
		return
	}
	// The wrapper leads to the servers; the lines to them go by the proxies.
	bin := filepath.Join(c.dir, "bin")
	remotetest.WriteWrapper(c.t, bin, sshds)
	ports := strings.NewReplacer(replace...)
	for _, name := range []string{"ssh_config", "known_hosts"} {
		file := filepath.Join(bin, name)
		content, err := os.ReadFile(file)
		c.check(err)
		c.check(os.WriteFile(file, []byte(ports.Replace(string(content))), 0o600))
	}
}

// remoteHome is the home directory of those who log in.
func (c *churn) remoteHome() string {
	dir := filepath.Join(c.dir, "rhome")
	c.check(os.MkdirAll(dir, 0o700))
	return dir
}
