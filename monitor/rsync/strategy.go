package rsync

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
	// Capabilities are those of the destination's file system.
	Capabilities remotefs.Capabilities
	// WindowRefused: there are no Nanoseconds because the remote does not take the
	// option for them, as rrsync does not.
	WindowRefused bool
	// KeepsExisting: the remote leaves files as they are that are there already, and
	// says nothing, as rrsync -no-overwrite does. There is no way to mirror to it.
	KeepsExisting bool
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
// machine for the other side of it.
//
// While one of the files is there, visit is called with its path within the
// destination, for what else there is to be tried.
//
// The error is that nothing could be learnt; the strategy is then the one that
// was guessed. A destination that does not exist is made.
func Probe(ctx context.Context, e Endpoint, dir string, env []string, visit func(path string)) (Strategy, error) {
	source, err := os.MkdirTemp(dir, strings.TrimPrefix(probePrefix, ".wsync-"))
	if err != nil {
		return e.Strategy, fmt.Errorf("cannot probe the remote: %w", err)
	}
	defer os.RemoveAll(source)
	scratch := ".wsync-" + filepath.Base(source)
	kept, removed := scratch+"/kept", scratch+"/removed"
	stamp := time.Unix(1234567890, 123456789)
	if err := os.Mkdir(filepath.Join(source, scratch), 0o700); err != nil {
		return e.Strategy, fmt.Errorf("cannot probe the remote: %w", err)
	}
	for _, name := range []string{kept, removed} {
		path := filepath.Join(source, name)
		if err := errors.Join(os.WriteFile(path, []byte("wsync\n"), 0o600), os.Chtimes(path, stamp, stamp)); err != nil {
			return e.Strategy, fmt.Errorf("cannot probe the remote: %w", err)
		}
	}
	run := func(job Job) (Result, error) {
		r, err := Run(ctx, source, env, job, nil)
		if err == nil && r.Code != 0 {
			said := ParseStderr(r.Stderr, source, e.Remote.RemotePath)
			message, hint := Words(r.Code, said)
			verdict, _ := Classify(r.Code)
			judged := Judge(r.Code, said)
			err = &ProbeError{
				message:     message,
				Hint:        hint,
				Unreachable: judged == Unreachable && !refused(r),
				Busy:        judged == Trouble && verdict == Unreachable,
				Mute:        Mute(r.Stderr),
				refused:     refused(r),
			}
		}
		return r, err
	}
	e.Began = time.Time{} // what is made here is no loss
	guess := e.Strategy
	var failure *ProbeError
	for _, e.Strategy = range guess.lesser() {
		make := Paths(e, []string{kept, removed}, true)
		make.Args = append(e.mkpath(), make.Args...)
		if _, err = run(make); err == nil || !errors.As(err, &failure) || !failure.refused {
			break
		}
	}
	if err != nil {
		return guess, fmt.Errorf("cannot probe the remote: %w", err)
	}
	e.Strategy.WindowRefused = guess.Nanoseconds && !e.Strategy.Nanoseconds
	visit(kept)
	// One file has changed; the other one looks changed where fractions are lost.
	other := filepath.Join(source, removed)
	if err := os.WriteFile(other, []byte("wsync, changed\n"), 0o600); err != nil {
		return guess, fmt.Errorf("cannot probe the remote: %w", err)
	}
	r, err := run(Paths(e, []string{kept, removed}, false))
	if err != nil {
		return guess, fmt.Errorf("cannot probe the remote: %w", err)
	}
	e.Strategy.KeepsExisting = r.Files == 0
	e.Strategy.Nanoseconds = e.Strategy.Nanoseconds && r.Files < 2
	if err := os.Remove(other); err != nil {
		return guess, fmt.Errorf("cannot probe the remote: %w", err)
	}
	switch able, err := probeCapabilities(ctx, e, source, scratch, env); {
	case errors.As(err, &failure) && failure.Unreachable:
		return guess, err
	case err == nil:
		e.Strategy.Capabilities = able
	}
	learnt := e.Strategy
	if learnt.DeleteMissing = guess.DeleteMissing && !e.Strategy.Basic; learnt.DeleteMissing {
		able := e
		able.Strategy = learnt
		_, err := run(Paths(able, []string{removed}, false))
		if err != nil && !(errors.As(err, &failure) && failure.refused) {
			return guess, fmt.Errorf("cannot probe the remote: %w", err)
		}
		learnt.DeleteMissing = err == nil
	}
	os.RemoveAll(filepath.Join(source, scratch))
	r, err = run(Deletions(e, []string{scratch}))
	if err != nil {
		return learnt, fmt.Errorf("cannot remove %s on the remote: %w", scratch, err)
	}
	for _, name := range r.DeletedSample {
		if strings.HasSuffix(name, "/removed") {
			learnt.DeleteMissing = false // it said so, and did not
		}
	}
	return learnt, nil
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
	// Unreachable: the connection broke, or Busy: the remote did not take it just
	// then; neither says anything about the remote. Mute is what the function Mute
	// says of it.
	Unreachable, Busy, Mute bool
	refused                 bool // the remote does not take an option
}

func (e *ProbeError) Error() string { return e.message }

// refusals are what an rsync says about an option that it does not take.
var refusals = regexp.MustCompile(`(?i)unknown option|unrecognized|invalid option|refus|not supported|invalid file mode|rejecting|` +
	`rrsync error: invalid rsync-command syntax|rrsync error: option .* has been disabled`)

// refused tells that a run failed for an option. That it just failed is no
// proof: the connection may have broken.
func refused(r Result) bool {
	switch r.Code {
	case 2, 4:
		return !Mute(r.Stderr)
	case 1, 5, 12:
		return refusals.MatchString(r.Stderr)
	}
	return false
}
