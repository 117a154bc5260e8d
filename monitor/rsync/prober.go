package rsync

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wsync/config"
)

// probePrefix begins the names of the scratch directories of probes.
const probePrefix = ".wsync-probe-"

// The files of a probe, beside the specimens.
const (
	fileKept     = "kept"     // stays as it is
	fileReplaced = "replaced" // is changed
	fileRemoved  = "removed"  // is removed
)

// Probe tries on the remote what Choose only guessed, with as few runs as can be:
// each of them costs a moment, and on ssh a command of the connection. One sends a
// scratch directory to the destination, with a specimen of whatever the file system
// there may not keep. One, which is dry, compares it when a file has changed here and
// another is gone: that tells whether fractions of a second survive, whether a file is
// replaced, what is said of deletions, and what has become of the specimens. One
// deletes the directory, which tells whether a missing path is deleted. Only what
// goes wrong is tried again by itself. dir is an existing directory of this machine
// for the other side of it. Mode, owner and group of the destination itself are left
// alone.
//
// While the files are there, visit is called with the path of one of them within the
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
	e.Remote.Devices, e.Remote.HardLinks = config.DevicesOn, false
	e.Remote.Chmod, e.Remote.Umask, e.Remote.ACLs, e.Remote.Xattrs = "", "", false, false
	p := prober{source: source, scratch: ".wsync-" + filepath.Base(source), env: env, endpoint: e}
	if err := p.prepare(); err != nil {
		return e.Strategy, fmt.Errorf("cannot probe the remote: %w", err)
	}
	defer func() {
		// Whatever ended the probe, its directory is not to stay. Behind a connection
		// that is broken it must: the full pass that follows removes it.
		if failure := (*ProbeError)(nil); ctx.Err() == nil && errors.As(err, &failure) && failure.broken() {
			return
		}
		if removeErr := p.remove(ctx); err == nil && removeErr != nil {
			err = fmt.Errorf("cannot remove %s on the remote: %w", p.scratch, removeErr)
		}
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
	// specimens are the names of those in it.
	specimens []string
	env       []string
	endpoint  Endpoint
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

// prepare makes the scratch directory on this machine.
func (p *prober) prepare() error {
	if err := os.Mkdir(p.file(""), 0o700); err != nil {
		return err
	}
	if err := p.makeSpecimens(); err != nil {
		return err
	}
	stamp := time.Unix(1234567890, 123456789)
	for _, name := range []string{fileKept, fileReplaced, fileRemoved} {
		if err := errors.Join(os.WriteFile(p.file(name), []byte("wsync\n"), 0o600), os.Chtimes(p.file(name), stamp, stamp)); err != nil {
			return err
		}
	}
	return nil
}

// makeSpecimens makes the specimens in the scratch directory on this machine.
func (p *prober) makeSpecimens() error {
	names, err := makeSpecimens(p.file(""))
	p.specimens = slices.DeleteFunc(names, func(name string) bool {
		return name == fileKept || name == fileReplaced || name == fileRemoved
	})
	return err
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

// try carries the probe out, but for the removal of what may be left of it.
func (p *prober) try(ctx context.Context, visit func(path string)) (learnt Strategy, err error) {
	guess := p.endpoint.Strategy
	if err := p.send(ctx); err != nil {
		return guess, err
	}
	learnt = p.endpoint.Strategy
	learnt.WindowRefused = guess.Nanoseconds && !learnt.Nanoseconds
	visit(p.scratch + "/" + fileKept)
	if err := errors.Join(os.WriteFile(p.file(fileReplaced), []byte("wsync, changed\n"), 0o600), os.Remove(p.file(fileRemoved))); err != nil {
		return guess, err
	}
	seen, err := p.compare(ctx)
	if err != nil {
		return guess, err
	}
	if learnt.Unnamed && !learnt.Basic {
		// An openrsync deletes nothing then, or all of it, and says nothing.
		learnt.Basic = seen.limited && !seen.held
	}
	p.endpoint.Strategy = learnt
	replaces, keepsFractions := seen.replaces(), seen.keepsFractions()
	if learnt.Basic || !replaces { // an openrsync may not tell what it would do
		if replaces, keepsFractions, err = p.replace(ctx); err != nil {
			return guess, err
		}
	}
	if learnt.NoGiving, err = p.givesNothing(ctx); err != nil {
		return guess, err
	}
	learnt.KeepsExisting, learnt.Nanoseconds = !replaces, learnt.Nanoseconds && keepsFractions
	p.endpoint.Strategy = learnt
	if learnt.Basic && !seen.removes {
		if err := p.tellsDeletions(ctx); err != nil {
			return guess, err
		}
	}
	learnt.Capabilities = judgeSpecimens(seen.differing, p.specimens)
	if learnt.DeleteMissing = guess.DeleteMissing && !learnt.Basic; learnt.DeleteMissing {
		p.endpoint.Strategy = learnt
		if learnt.DeleteMissing, err = p.deletesMissing(ctx); err != nil {
			return guess, err
		}
		p.endpoint.Strategy.DeleteMissing = learnt.DeleteMissing
	}
	return learnt, nil
}

// noPartialDir is what rsync says, and no more, of a file that it was to keep for a
// while and cannot.
const noPartialDir = "Unable to create partial-dir for "

// send sends the scratch directory, in the way that the remote takes. That it does
// not take specimens is no failure.
func (p *prober) send(ctx context.Context) error {
	r, err := p.sendDirectory(ctx)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case p.onlySpecimens(r):
		return nil
	}
	var failure *ProbeError
	if !errors.As(err, &failure) || failure.Unreachable || failure.Mute {
		return err
	}
	// What is told of the destination must not be about the specimens, nor do the
	// other files depend on these.
	for _, name := range p.specimens {
		if err := os.Remove(p.file(name)); err != nil {
			return err
		}
	}
	p.specimens = nil
	if _, err := p.sendDirectory(ctx); err != nil {
		return err
	}
	if err := p.makeSpecimens(); err != nil {
		return err
	}
	r, err = p.run(ctx, p.file(""), Paths(p.inside(), p.specimens, false))
	if verdict, _ := Classify(r.Code); verdict != Done && verdict != Partial {
		p.specimens = nil // what fails for the file system will be told of when it does
	}
	if err != nil && (!errors.As(err, &failure) || failure.Unreachable) {
		return err
	}
	return nil
}

// sendDirectory sends the scratch directory with what is in it now, and learns
// which options the remote takes.
func (p *prober) sendDirectory(ctx context.Context) (r Result, err error) {
	var failure *ProbeError
	fails := func() bool {
		p.sent = true
		r, err = p.run(ctx, p.source, sendDirectory(p.endpoint, p.scratch))
		return errors.As(err, &failure) && failure.refused
	}
	uncompressed := false
	for _, p.endpoint.Strategy = range p.endpoint.Strategy.lesser() {
		p.endpoint.Strategy.Uncompressed = uncompressed
		if !fails() {
			break
		}
		if p.endpoint.Compresses() && strings.Contains(r.Stderr, "--compress") {
			uncompressed, p.endpoint.Strategy.Uncompressed = true, true
			if !fails() {
				break
			}
		}
	}
	if !p.endpoint.Strategy.NoDelay && strings.Contains(r.Stderr, noPartialDir) {
		p.endpoint.Strategy.NoDelay = true
		r, err = p.run(ctx, p.source, sendDirectory(p.endpoint, p.scratch))
	}
	return r, err
}

// onlySpecimens reports whether nothing but specimens failed.
func (p *prober) onlySpecimens(r Result) bool {
	if verdict, _ := Classify(r.Code); verdict != Partial || r.Truncated {
		return false
	}
	said := ParseStderr(r.Stderr, p.source, p.endpoint.Remote.RemotePath)
	foreign := func(f Failure) bool {
		name, ok := strings.CutPrefix(f.Path, p.scratch+"/")
		return !ok || !slices.Contains(p.specimens, name)
	}
	return len(said.Unattributed) == 0 && len(said.Failures) > 0 && !slices.ContainsFunc(said.Failures, foreign)
}

// seen is what a comparison with the remote tells.
type seen struct {
	// differing are rsync's codes of what differs, by name.
	differing map[string]string
	// removes: it told what it would delete. limited: it had to delete at most
	// nothing, and held: it said that it did not.
	removes, limited, held bool
}

// sends reports whether a file would be sent.
func (s seen) sends(name string) bool {
	code := s.differing[name]
	return code != "" && (code[0] == '<' || code[0] == '>')
}

// replaces reports whether a file that has changed takes the place of the old one,
// and keepsFractions whether one that has not looks it.
func (s seen) replaces() bool       { return s.sends(fileReplaced) }
func (s seen) keepsFractions() bool { return !s.sends(fileKept) }

// compare compares the scratch directory with what the remote has made of it. What
// the remote refuses for the deletions in it is compared without.
func (p *prober) compare(ctx context.Context) (s seen, err error) {
	job, limited := ListDeletions(p.inside(), nil), false
	if !p.endpoint.Strategy.Basic {
		job, limited = Look(p.inside(), nil).Limit(p.inside(), 0), true
	}
	var failure *ProbeError
	s, err = p.look(ctx, job)
	s.limited = limited && err == nil
	if err == nil || !errors.As(err, &failure) || failure.Unreachable {
		return s, err
	}
	e := p.inside()
	e.Strategy.DeleteMissing = false
	return p.look(ctx, Paths(e, append([]string{fileKept, fileReplaced}, p.specimens...), false).DryRun())
}

// look runs a job that changes nothing.
func (p *prober) look(ctx context.Context, job Job) (s seen, err error) {
	s.differing = make(map[string]string)
	job.Differing = func(name, code string) { s.differing[name] = code }
	job.Deleting = func(name string, _ bool) { s.removes = s.removes || name == fileRemoved }
	r, err := p.run(ctx, p.file(""), job)
	s.held = ParseStderr(r.Stderr, p.file(""), p.endpoint.Remote.RemotePath).DeletionsHeld
	switch verdict, _ := Classify(r.Code); verdict {
	case Partial, PartialDeletion: // what is refused is complained of again
		if ctx.Err() == nil {
			err = nil
		}
	}
	return s, err
}

// replace sends what has changed.
func (p *prober) replace(ctx context.Context) (replaces, keepsFractions bool, err error) {
	r, err := p.run(ctx, p.file(""), Paths(p.inside(), []string{fileKept, fileReplaced}, false))
	return r.Files > 0, r.Files < 2, err
}

// givesNothing finds out, where that matters, whether the user there may not give a file
// to others: then rsync does not even say that one is somebody else's.
func (p *prober) givesNothing(ctx context.Context) (bool, error) {
	e := p.inside()
	if e.Strategy.Basic || e.Strategy.NoMaps || !e.Remote.Owner.Demands() && !e.Remote.Group.Demands() {
		return false, nil
	}
	s, err := p.look(ctx, Paths(e.giving(), []string{fileKept}, false).DryRun())
	return !Gives(s.differing[fileKept]), err
}

// deletesMissing finds out whether the remote deletes what is listed and missing. If
// it does, the scratch directory is gone.
func (p *prober) deletesMissing(ctx context.Context) (bool, error) {
	if err := os.RemoveAll(p.file("")); err != nil {
		return false, err
	}
	r, err := p.run(ctx, p.source, deleteMissing(p.endpoint, p.scratch))
	var failure *ProbeError
	switch {
	case err == nil:
	case errors.As(err, &failure) && failure.refused:
		return false, nil
	default:
		return false, err
	}
	gone := r.Probes > 0 // some say nothing, and have deleted nothing
	if gone && p.endpoint.Remote.Connection.Kind() == config.KindLocal {
		_, err := os.Lstat(filepath.Join(p.endpoint.Remote.RemotePath, p.scratch))
		gone = errors.Is(err, fs.ErrNotExist)
	}
	p.sent = !gone
	return gone, nil
}

// tellsDeletions finds out whether the remote lists what it would delete, as it has
// to where it cannot stop at a number. Some openrsyncs list nothing.
func (p *prober) tellsDeletions(ctx context.Context) error {
	s, err := p.look(ctx, ListDeletions(p.inside(), nil))
	if err != nil || s.removes {
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

// remove removes the scratch directory from the destination if it may be there, also
// when ctx is done.
func (p *prober) remove(ctx context.Context) error {
	if !p.sent {
		return nil
	}
	if ctx.Err() != nil {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(max(removeTime, 2*p.slowest), slowRemoveTime))
		defer cancel()
		ctx = late
	}
	if err := os.RemoveAll(p.file("")); err != nil {
		return err
	}
	_, err := p.run(ctx, p.source, removeDirectory(p.endpoint, p.scratch))
	return err
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

// deleteMissing deletes the directory name, which the working directory does not
// have, as Paths does, and leaves the attributes of the destination alone.
func deleteMissing(e Endpoint, name string) Job {
	args := append([]string{"--relative", "--dirs", "--from0", fromList, "--delete-missing-args"}, e.force()...)
	return e.plain(args, list([]string{name}))
}

// removeDirectory removes the directory name, which the working directory does not
// have, from the destination, and leaves the attributes of the destination alone.
func removeDirectory(e Endpoint, name string) Job {
	// Without those for links and the like, an openrsync leaves them.
	return e.plain([]string{"--recursive", "--links", "--specials", "--delete", "--include=/" + name, "--include=/" + name + "/**", "--exclude=*"}, nil)
}
