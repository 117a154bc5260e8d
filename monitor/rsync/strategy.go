package rsync

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"wsync/monitor/remotefs"
)

// Strategy is which of rsync's abilities are used with a remote.
type Strategy struct {
	// Nanoseconds: both ends keep and compare fractions of a second.
	Nanoseconds bool
	// DeleteMissing: a listed path that is gone is deleted
	// (--delete-missing-args). Some receivers refuse that by mistake.
	DeleteMissing bool
	// Mkpath: a missing destination is made, parents included.
	Mkpath bool
	// SecludedArgs: names are protected from the remote's shell by --secluded-args
	// because this end is too old to quote them.
	SecludedArgs bool
	// Basic: the remote's rsync knows only what openrsync does.
	Basic bool
	// Unnamed: nobody knows whether the remote's rsync is an openrsync.
	Unnamed bool
	// Capabilities are those of the destination's file system.
	Capabilities remotefs.Capabilities
	// WindowRefused: there are no Nanoseconds because the remote does not take the
	// option for them, as rrsync does not.
	WindowRefused bool
	// KeepsExisting: the remote leaves files as they are that are there already, and
	// says nothing, as rrsync -no-overwrite does. There is no way to mirror to it.
	KeepsExisting bool
	// NoDelay: the remote makes no directory in which updates could be delayed, as
	// rrsync, which has it in another place.
	NoDelay bool
}

// Choose finds the strategy for two versions, before anything was tried. What
// is not known is taken to be of today: an option that the remote refuses
// shows in the status.
func Choose(local, remote Version) Strategy {
	old := func(v Version, major, minor, patch int) bool {
		return v.Flavour != "" && !v.AtLeast(major, minor, patch)
	}
	fresh := func(major, minor, patch int) bool {
		return !old(local, major, minor, patch) && !old(remote, major, minor, patch)
	}
	return Strategy{
		// Protocol 31 carries nanoseconds; the negative window, which both ends
		// must know, came with 3.1.3.
		Nanoseconds:   fresh(3, 1, 3) && (remote.Protocol == 0 || remote.Protocol >= 31),
		DeleteMissing: fresh(3, 1, 0),
		Mkpath:        fresh(3, 2, 3),
		SecludedArgs:  local.Flavour == "rsync" && old(local, 3, 2, 4),
		Basic:         local.Flavour == "openrsync" || remote.Flavour == "openrsync",
		Unnamed:       remote.Flavour == "" && remote.Protocol < 30,
	}
}

// Describe says in words how a remote is served.
func (s Strategy) Describe() []string {
	var lines []string
	add := func(ok bool, yes, no string) {
		if !ok {
			yes = no
		}
		lines = append(lines, yes)
	}
	coarse := "the remote does not keep fractions"
	if s.WindowRefused {
		coarse = "the remote refuses --modify-window=-1"
	}
	add(s.Nanoseconds, "times are compared to the nanosecond",
		"times are compared to the second, because "+coarse+"; changed paths are compared by content")
	add(s.DeleteMissing, "deletions travel with other changes", "deletions take a run of their own, because the remote's rsync refuses --delete-missing-args")
	if !s.Mkpath {
		lines = append(lines, "the parents of a missing destination must be made by hand, because one of the two rsyncs is older than 3.2.3")
	}
	if s.Basic {
		lines = append(lines, "only basic options are used, because the other end is openrsync")
	}
	return append(lines, s.Capabilities.Describe()...)
}

// probePrefix begins the names of the scratch directories of probes.
const probePrefix = ".wsync-probe-"

// Probe tries on the remote what Choose only guessed. In a scratch directory of
// the destination, which is removed again, it makes two files, changes one and
// deletes it: then it is known whether fractions of a second survive, whether a
// file is replaced, and whether a missing path is deleted. With more files it finds
// out what the file system there keeps. dir is an existing directory of this
// machine for the other side of it. Mode, owner and group of the destination itself
// are left alone.
//
// While one of the files is there, visit is called with its path within the
// destination, for what else there is to be tried.
//
// The error is that nothing could be learnt; the strategy is then the one that
// was guessed. A destination that does not exist is made.
func Probe(ctx context.Context, e Endpoint, dir string, env []string, visit func(path string)) (learnt Strategy, err error) {
	source, err := os.MkdirTemp(dir, strings.TrimPrefix(probePrefix, ".wsync-"))
	if err != nil {
		return e.Strategy, fmt.Errorf("cannot probe the remote: %w", err)
	}
	defer os.RemoveAll(source)
	e.Began = time.Time{} // what is made here is no loss
	p := prober{source: source, scratch: ".wsync-" + filepath.Base(source), env: env, endpoint: e}
	stamp := time.Unix(1234567890, 123456789)
	if err := os.Mkdir(p.file(""), 0o700); err != nil {
		return e.Strategy, fmt.Errorf("cannot probe the remote: %w", err)
	}
	for _, name := range []string{"kept", "removed"} {
		if err := errors.Join(os.WriteFile(p.file(name), []byte("wsync\n"), 0o600), os.Chtimes(p.file(name), stamp, stamp)); err != nil {
			return e.Strategy, fmt.Errorf("cannot probe the remote: %w", err)
		}
	}
	defer func() {
		// Whatever ended the probe, its directory is not to stay. Behind a connection
		// that is broken it must: the full pass that follows removes it.
		if failure := (*ProbeError)(nil); ctx.Err() == nil && errors.As(err, &failure) && failure.broken() {
			return
		}
		left, removeErr := p.remove(ctx)
		if err == nil && removeErr != nil {
			err = fmt.Errorf("cannot remove %s on the remote: %w", p.scratch, removeErr)
		}
		learnt.DeleteMissing = learnt.DeleteMissing && !(err == nil && left) // it said so, and did not
	}()
	learnt, err = p.try(ctx, visit)
	if err != nil {
		return e.Strategy, fmt.Errorf("cannot probe the remote: %w", err)
	}
	return learnt, nil
}

// prober is a probe under way.
type prober struct {
	// source is a directory of this machine, and scratch the name of the one in it
	// that is sent.
	source, scratch string
	env             []string
	endpoint        Endpoint
	// sent: the scratch directory may be at the destination.
	sent bool
	// slowest is how long the longest run has taken.
	slowest time.Duration
}

// file is a file of the scratch directory on this machine.
func (p *prober) file(name string) string { return filepath.Join(p.source, p.scratch, name) }

// inside is the endpoint whose destination is the scratch directory: what is sent
// there says nothing about the directories around it.
func (p *prober) inside() Endpoint {
	return p.endpoint.at(path.Join(p.endpoint.Remote.RemotePath, p.scratch))
}

// run runs a job in a directory of this machine. The error, if it is not that of
// the run itself, is a ProbeError.
func (p *prober) run(ctx context.Context, dir string, job Job) (Result, error) {
	began := time.Now()
	r, err := Run(ctx, dir, p.env, job, nil)
	p.slowest = max(p.slowest, time.Since(began))
	if err != nil || r.Code == 0 {
		return r, err
	}
	said := ParseStderr(r.Stderr, dir, p.endpoint.Remote.RemotePath)
	message, hint := Words(r.Code, said)
	verdict, _ := Classify(r.Code)
	judged := Judge(r.Code, said)
	return r, &ProbeError{
		message:     message,
		Hint:        hint,
		Unreachable: judged == Unreachable && !refused(r),
		Busy:        judged == Trouble && verdict == Unreachable,
		Mute:        Mute(r.Stderr),
		refused:     refused(r),
	}
}

// try carries the probe out, but for the removal of what it has made.
func (p *prober) try(ctx context.Context, visit func(path string)) (learnt Strategy, err error) {
	guess := p.endpoint.Strategy
	r, err := p.send(ctx)
	if err == nil && strings.Contains(r.Stderr, noPartialDir) {
		p.endpoint.Strategy.NoDelay = true
		_, err = p.run(ctx, p.source, sendDirectory(p.endpoint, p.scratch))
	}
	if err != nil {
		return guess, err
	}
	var failure *ProbeError
	learnt = p.endpoint.Strategy
	learnt.WindowRefused = guess.Nanoseconds && !learnt.Nanoseconds
	visit(p.scratch + "/kept")
	// One file has changed; the other one looks changed where fractions are lost.
	if err := os.WriteFile(p.file("removed"), []byte("wsync, changed\n"), 0o600); err != nil {
		return guess, err
	}
	if r, err = p.run(ctx, p.file(""), Paths(p.inside(), []string{"kept", "removed"}, false)); err != nil {
		return guess, err
	}
	learnt.KeepsExisting = r.Files == 0
	learnt.Nanoseconds = learnt.Nanoseconds && r.Files < 2
	if err := os.Remove(p.file("removed")); err != nil {
		return guess, err
	}
	p.endpoint.Strategy = learnt
	if learnt.Unnamed && !learnt.Basic {
		// An openrsync deletes nothing then, or all of it, and says nothing.
		r, err := p.run(ctx, p.file(""), FullPass(p.inside(), nil, 0).DryRun())
		if err != nil && (!errors.As(err, &failure) || failure.Unreachable) {
			return guess, err
		}
		learnt.Basic = err == nil && !ParseStderr(r.Stderr, p.file(""), p.endpoint.Remote.RemotePath).DeletionsHeld
		p.endpoint.Strategy = learnt
	}
	if learnt.Basic {
		if err := p.tellsDeletions(ctx); err != nil {
			return guess, err
		}
	}
	switch able, err := probeCapabilities(ctx, p.inside(), p.file(""), p.env); {
	case errors.As(err, &failure) && failure.Unreachable:
		return guess, err
	case err == nil:
		learnt.Capabilities = able
	}
	if learnt.DeleteMissing = guess.DeleteMissing && !learnt.Basic; learnt.DeleteMissing {
		p.endpoint.Strategy = learnt
		_, err := p.run(ctx, p.file(""), Paths(p.inside(), []string{"removed"}, false))
		if err != nil && !(errors.As(err, &failure) && failure.refused) {
			return guess, err
		}
		learnt.DeleteMissing = err == nil
		p.endpoint.Strategy.DeleteMissing = learnt.DeleteMissing
	}
	return learnt, nil
}

// noPartialDir is what rsync says, and no more, of a file that it was to keep for a
// while and cannot.
const noPartialDir = "Unable to create partial-dir for "

// send sends the scratch directory, in the way that the remote takes.
func (p *prober) send(ctx context.Context) (r Result, err error) {
	var failure *ProbeError
	for _, p.endpoint.Strategy = range p.endpoint.Strategy.lesser() {
		p.sent = true
		if r, err = p.run(ctx, p.source, sendDirectory(p.endpoint, p.scratch)); err == nil || !errors.As(err, &failure) || !failure.refused {
			break
		}
	}
	return r, err
}

// tellsDeletions finds out whether the remote lists what it would delete, as it has
// to where it cannot stop at a number. Some openrsyncs list nothing.
func (p *prober) tellsDeletions(ctx context.Context) error {
	r, err := p.run(ctx, p.file(""), ListDeletions(p.inside(), nil))
	if err != nil || slices.Contains(r.DeletedSample, "removed") {
		return err
	}
	return &ProbeError{
		message:    "the rsync on the remote does not tell what it would delete, so that nothing can be mirrored to it",
		Hint:       "install rsync there, instead of openrsync",
		Busy:       true,
		unsuitable: true,
	}
}

// The removal of what a probe has made is bounded when the probe itself has been cut
// off: by removeTime or, if the remote is slow, by what two runs have taken, but no
// more than slowRemoveTime.
const (
	removeTime     = 2 * time.Second
	slowRemoveTime = 10 * time.Second
)

// remove removes the scratch directory from the destination, also when ctx is done.
// missed: the file that had been deleted there before was still there.
func (p *prober) remove(ctx context.Context) (missed bool, err error) {
	if !p.sent {
		return false, nil
	}
	if ctx.Err() != nil {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(max(removeTime, 2*p.slowest), slowRemoveTime))
		defer cancel()
		ctx = late
	}
	if err := os.RemoveAll(p.file("")); err != nil {
		return false, err
	}
	r, err := p.run(ctx, p.source, removeDirectory(p.endpoint, p.scratch))
	return slices.Contains(r.DeletedSample, p.scratch+"/removed"), err
}

// sendDirectory sends the directory name of the working directory, with all that is
// in it, to the destination, and nothing about the destination itself.
func sendDirectory(e Endpoint, name string) Job {
	args := append([]string{"--recursive", e.bytewise()}, e.force()...)
	args = append(args, e.delay()...)
	job := e.job(append(args, e.mkpath()...), nil)
	job.Args[len(job.Args)-2] = name
	return job
}

// removeDirectory removes the directory name, which the working directory does not
// have, from the destination, and leaves the attributes of the destination alone.
func removeDirectory(e Endpoint, name string) Job {
	// Without those for links and the like, an openrsync leaves them.
	return e.plain([]string{"--recursive", "--links", "--specials", "--delete", "--include=/" + name, "--include=/" + name + "/**", "--exclude=*"}, nil)
}

// lesser are the strategies to try in turn, s first, each with fewer options
// that a remote may not know. None has DeleteMissing, which is tried by itself.
func (s Strategy) lesser() []Strategy {
	s.DeleteMissing = false
	tries := []Strategy{s}
	add := func(lesser Strategy) {
		if lesser != s {
			s = lesser
			tries = append(tries, s)
		}
	}
	lesser := s
	lesser.Nanoseconds = false
	add(lesser)
	lesser.Mkpath = false
	add(lesser)
	lesser.Basic = true
	add(lesser)
	return tries
}

// ProbeError is that a probe could not be carried out.
type ProbeError struct {
	message string
	// Hint is a next step, "" for none.
	Hint string
	// Unreachable: the connection broke, or Busy: the remote did not take it, just
	// then or as it is; neither says anything about the remote. Mute is what the
	// function Mute says of it.
	Unreachable, Busy, Mute bool
	refused                 bool // the remote does not take an option
	unsuitable              bool // it works, but in a way that is of no use here
}

// broken reports whether there may be no connection any more.
func (e *ProbeError) broken() bool { return (e.Unreachable || e.Busy || e.Mute) && !e.unsuitable }

func (e *ProbeError) Error() string { return e.message }

// refusals are what an rsync says about an option that it does not take.
var refusals = regexp.MustCompile(`(?i)unknown option|unrecognized|invalid option|refus|not supported|invalid file mode|rejecting|` +
	`rrsync error: invalid rsync-command syntax|rrsync error: option .* has been disabled`)

// refused reports whether a run failed for an option. That it just failed is no
// refusal: the connection may have broken.
func refused(r Result) bool {
	switch r.Code {
	case 2, 4:
		return !Mute(r.Stderr)
	case 1, 5, 12:
		return refusals.MatchString(r.Stderr)
	}
	return false
}
