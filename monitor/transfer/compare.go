package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"wsync/monitor/mounts"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/watch"
)

// comparison finds what a full pass would do, and does nothing of it. Its first step is
// the look of such a pass. Where contents count, steps follow that compare those, some
// files each. Then what was found is explained, some entries a step: how they are on both
// sides, and what is known of them. In between all of it is on the disk, as there may be
// very much. It implements remote.Comparer.
type comparison struct {
	report.Comparison
	lane  *Lane
	known func(context.Context) (remote.Known, bool)
	file  string
	// next makes the next step.
	next func(t *transfer) error
	parts

	// found is what differs, one record each of rsync's code and the name; files are the
	// names of files to be compared by their contents, and their sizes.
	found, files spool
	// taken are those of files that are being compared, and takenBytes their sizes: a step
	// that fails takes them again.
	taken      []string
	takenBytes int64
	// failing are paths that are not compared, and why.
	failing map[string]string
	// leading are directories of the remote that stay because of what they lead to.
	leading map[string]bool
	// absent: there is no destination. unlisted: the remote does not say what it has.
	absent, unlisted bool
	// repair are the paths to be repaired that this step has found.
	repair  []string
	what    explanation
	status  report.ComparisonStatus
	summary report.ComparisonSummary
}

// Compare returns a comparison with the remote. What it has found is in file at its end.
// known is called when all is found, and tells what was known of it.
func (l *Lane) Compare(c report.Comparison, file string, known func(context.Context) (remote.Known, bool)) remote.Comparer {
	made := &comparison{Comparison: c, lane: l, known: known, file: file, failing: make(map[string]string)}
	made.next = made.look
	made.found.path, made.files.path, made.what.out.path = file+".found", file+".files", file+".new"
	return made
}

// Close implements remote.Comparer.
func (c *comparison) Close() {
	for _, s := range []*spool{&c.found, &c.files, &c.what.out} {
		s.remove()
	}
	remove(c.file)
}

// Step implements remote.Comparer.
func (c *comparison) Step(ctx context.Context, order remote.Order, asker remote.Asker) (end remote.StepEnd) {
	l := c.lane
	if l.stale.Swap(false) {
		l.Close()
	}
	c.Comparison = *order.Comparison
	c.goOn(order.Position)
	t := &transfer{Order: order, asker: asker, lane: l, ctx: ctx, gently: c.background}
	c.repair, c.part, c.read = nil, nil, 0
	var err error
	if t.endpoint, end.Failure = l.reach(ctx, order.Remote); end.Failure == nil {
		err = c.step(t)
		end.Failure = t.out.Failure
	}
	if l.relay != nil {
		l.relay.Release()
	}
	if t.mute && l.connection != nil && ctx.Err() == nil {
		l.findOut(ctx, &t.out)
		end.Failure = t.out.Failure
	}
	switch {
	case ctx.Err() != nil:
		end.Failure = failed(remote.Canceled, context.Canceled, "")
	case end.Failure != nil:
		l.Close() // as after a transfer that failed
	case err != nil:
		end.Failure = failed(remote.Trouble, fmt.Errorf("cannot keep what differs: %w", err), "")
	case l.standby == nil && l.known.Load() != nil && l.known.Load().probed:
		l.prepare(t.endpoint)
	}
	if end.Read = c.read; end.Failure == nil {
		end.Repair, end.Part = c.repair, c.part
	}
	if c.next == nil {
		c.status.State = report.ComparisonDone
		c.status.Summary = &c.summary
	}
	end.Status = c.status
	return end
}

// step makes the next step on an endpoint that is reached. The error is one of this
// machine.
func (c *comparison) step(t *transfer) error {
	k := t.lane.guess(t.ctx, &t.endpoint)
	if !k.probed {
		// To try what the remote can do would write there.
		t.endpoint.Strategy.Nanoseconds = false
	}
	if t.endpoint.Strategy.Basic {
		t.out.Failure = failed(remote.Attention, errors.New("one of the two rsyncs is openrsync, which does not tell what differs"), "install rsync there")
		return nil
	}
	t.endpoint.Began = time.Time{}
	t.endpoint.Unreachable = mounts.Places(t.Away, t.lane.Lstat)
	return c.next(t)
}

// look finds what differs by a look at the whole tree.
func (c *comparison) look(t *transfer) error {
	if !t.lane.known.Load().probed {
		c.note("fractions of a second were not compared, and what the remote's file system cannot keep may show as different: that is tried out before something is sent")
	}
	c.summary.Unreachable = t.Away
	except := t.Except
	for _, e := range t.Failing {
		if e.Change&^watch.Meta != 0 {
			c.failing[e.Path] = e.Problem
		}
	}
	for again := true; ; again = false {
		failures, partly, err := c.lookOnce(t, except)
		if err != nil || t.out.Failure != nil {
			return err
		}
		if len(failures) == 0 || !again {
			if partly {
				c.note("what only the remote has was not looked for everywhere, because something could not be read")
			}
			break
		}
		// What cannot be read keeps rsync from looking for what is to be deleted.
		except = slices.Clone(except)
		for _, f := range failures {
			except = append(except, f.Path)
		}
	}
	switch {
	case c.background:
		c.next, c.then = c.explain, c.listFiles
	case c.Checksum:
		c.next = c.listFiles
	default:
		c.next = c.explain
	}
	return nil
}

// note adds a sentence to the summary, once.
func (c *comparison) note(text string) {
	if !slices.Contains(c.summary.Notes, text) {
		c.summary.Notes = append(c.summary.Notes, text)
	}
}

// codeDeleted is the code of what would be deleted, and that of a directory of this kind.
const (
	codeDeleted          = "*deleting"
	codeDeletedDirectory = "*deleting/"
)

// lookOnce is one look, and returns what it complains of. partly reports whether it did
// not look everywhere for what only the remote has.
func (c *comparison) lookOnce(t *transfer, except []string) (failures []rsync.Failure, partly bool, err error) {
	if err := c.found.create(); err != nil {
		return nil, false, err
	}
	var concerned []string // directories whose rules may have come meanwhile
	leading := leads{rules: t.excluded(), dirs: make(map[string]bool)}
	add := func(code, name string) { _ = c.found.write(code, name) } // close tells
	job := rsync.Look(t.endpoint, slices.Concat(except, t.passedOver([]string{""})))
	job.Deleting = func(name string, dir bool) {
		leading.see(name, dir)
		if dir {
			add(codeDeletedDirectory, name)
		} else {
			add(codeDeleted, name)
		}
	}
	job.Differing = func(name, code string) {
		if t.lane.exclude.Concerns(name) {
			concerned = append(concerned, relpath.Parent(name))
		}
		switch d := rsync.ParseCode(code); {
		case d.New && name == "./":
			c.absent = true
			add(code, name)
		case c.Checksum && d.Kind == '-' && !d.New:
			// It is compared by its contents.
		default:
			add(code, name)
		}
	}
	r, ok := t.run(t.lane.root, job)
	if err := c.found.close(); err != nil {
		return nil, false, err
	}
	if r.said.MissingDestination {
		t.out.Failure = nil
		return nil, false, c.nothingThere(t)
	}
	if !ok {
		return nil, false, nil
	}
	for _, dir := range concerned {
		t.lane.exclude.Enter(dir)
	}
	t.lane.exclude.Refresh(time.Now())
	c.leading = leading.dirs
	for _, f := range r.said.Failures {
		if !f.Vanished && f.Path != "" {
			c.failing[f.Path] = f.Message
			failures = append(failures, f)
		}
	}
	return failures, r.said.DeletionsSkipped, nil
}

// nothingThere has all differ that there is.
func (c *comparison) nothingThere(t *transfer) error {
	c.absent = true
	if err := c.found.create(); err != nil {
		return err
	}
	rules := t.excluded()
	t.tree().Entries(t.ctx, "", func(name string, e fs.DirEntry) bool {
		switch {
		case rules.Excludes(name, e.IsDir()) || t.excepted(name):
		case e.IsDir():
			_ = c.found.write("cd+++++++++", name+"/")
		default:
			_ = c.found.write("<f+++++++++", name)
		}
		return true
	}, nil)
	return c.found.close()
}

// leads finds the directories of a remote that lead to something that stays.
type leads struct {
	rules interface {
		Stays(path string, dir bool) bool
	}
	dirs map[string]bool
}

// see looks at an entry that would be deleted otherwise.
func (l leads) see(name string, dir bool) {
	if !l.rules.Stays(name, dir) {
		return
	}
	for up := relpath.Parent(name); up != "" && !l.dirs[up]; up = relpath.Parent(up) {
		l.dirs[up] = true
	}
}

// listFiles finds the files that are to be compared by their contents.
func (c *comparison) listFiles(t *transfer) error {
	if err := c.files.create(); err != nil {
		return err
	}
	rules := t.excluded()
	t.tree().Files(t.ctx, "", func(name string, e fs.DirEntry) bool {
		info, err := e.Info()
		if err != nil || rules.Excludes(name, false) || t.excepted(name) || c.failing[name] != "" || c.passedOver[name] != "" || len(name) > t.endpoint.MaxPath() {
			return true // what is gone has an event
		}
		c.status.TotalFiles++
		c.status.TotalBytes += info.Size()
		if !c.isBehind(name) {
			return true
		}
		if t.isUnreadable(name) {
			// rsync takes two files that it cannot read for equal, and says nothing.
			c.failing[name] = "cannot read the file: " + unix.EACCES.Error()
			c.status.TotalFiles--
			c.status.TotalBytes -= info.Size()
			return true
		}
		_ = c.files.write(name, fmt.Sprint(info.Size()))
		return true
	})
	c.next = c.contents
	return c.files.close()
}

// A step compares so many files at most, and so many bytes unless one file has more.
const (
	comparedFiles = 5000
	comparedBytes = 256 << 20
)

// contents compares the contents of the next files.
func (c *comparison) contents(t *transfer) error {
	c.then = nil
	if c.absent { // there is nothing to compare them with
		c.next = c.explain
		return nil
	}
	for mostFiles, mostBytes := c.limits(); len(c.taken) < mostFiles && c.takenBytes < mostBytes; {
		record, ok, err := c.files.read()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		var size int64
		_, _ = fmt.Sscan(record[1], &size)
		c.taken, c.takenBytes = append(c.taken, record[0]), c.takenBytes+size
	}
	if len(c.taken) == 0 {
		c.next = c.explain
		return c.keepFound(nil)
	}
	if c.background {
		c.then, c.last = c.contents, c.taken[len(c.taken)-1]
	}
	differing, ok := c.compareTaken(t)
	if !ok {
		return nil
	}
	files, bytes := len(c.taken), c.takenBytes
	c.taken, c.takenBytes = nil, 0
	c.status.Files, c.status.Bytes, c.read = c.status.Files+files, c.status.Bytes+bytes, bytes
	c.summary.Files, c.summary.Bytes = c.summary.Files+files, c.summary.Bytes+bytes
	if err := c.keepFound(differing); err != nil || !c.background {
		return err
	}
	if c.next = c.explain; len(differing) == 0 && len(c.failing) == 0 {
		c.endPart()
	}
	return nil
}

// compareTaken compares the contents of the files that are taken, and returns those that
// differ, as they are kept; ok is false if it could not.
func (c *comparison) compareTaken(t *transfer) (differing [][2]string, ok bool) {
	for names := range t.endpoint.Chunks(c.taken) {
		job := rsync.Paths(t.endpoint, names, false).WithoutMissing().Checksum().DryRun()
		job.Differing = func(name, code string) {
			if d := rsync.ParseCode(code); d.Kind == '-' && !d.New { // what is new was found before
				differing = append(differing, [2]string{code, name})
			}
		}
		r, ok := t.run(t.lane.root, job)
		if !ok {
			return nil, false
		}
		for _, f := range r.said.Failures {
			if !f.Vanished && f.Path != "" {
				c.failing[f.Path] = f.Message
			}
		}
	}
	return differing, true
}

// keepFound keeps what differs; in the background that is all there is so far.
func (c *comparison) keepFound(differing [][2]string) error {
	open := c.found.reopen
	if c.background {
		open = c.found.create
	}
	if err := open(); err != nil {
		return err
	}
	for _, d := range differing {
		_ = c.found.write(d[0], d[1]) // close tells
	}
	return c.found.close()
}

// isUnreadable reports whether a file of the workspace may not be read.
func (t *transfer) isUnreadable(name string) bool {
	return errors.Is(unix.Access(filepath.Join(t.lane.root, filepath.FromSlash(name)), unix.R_OK), fs.ErrPermission)
}
