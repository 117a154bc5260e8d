package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// What rsync sends it is told by name, each entry by itself. It never looks into a
// directory on its own to send what it finds there: what has come a moment ago may be
// excluded, and to be told what is would be a second interpretation of the rules. Only
// to find out what differs does it look for itself, and names are all that comes of that.

// list is what is to be sent.
type list struct {
	names    []string
	failures []rsync.Failure
}

// list lists what is mirrored of paths of the workspace, with all that is below those
// that are directories. A path itself is listed whatever it is.
func (t *transfer) list(paths []string) (l list) {
	t.counter.look()
	for _, p := range paths {
		t.listBelow(p, &l)
	}
	return l
}

// listBelow is list for one path; "" is the root, which is not listed itself.
func (t *transfer) listBelow(path string, l *list) {
	if path != "" {
		l.names = append(l.names, path)
	}
	rules := t.excluded()
	tree := t.tree()
	tree.Listed = func(dir string) {
		t.lane.exclude.Catch(dir, time.Now())
		rules = t.excluded()
	}
	tree.Entries(t.ctx, path, func(name string, e fs.DirEntry) bool {
		t.looked()
		if e.IsDir() {
			rules = t.excluded() // opening one may have told of others
		}
		switch {
		case rules.Excludes(name, e.IsDir()) || t.excepted(name):
		case len(name) > t.endpoint.MaxPath():
			l.failures = append(l.failures, rsync.Failure{Path: name, Message: t.tooLongWords(name), Reason: dirty.TooLong})
		default:
			l.names = append(l.names, name)
		}
		return true
	}, func(dir string, err error) {
		if errors.Is(err, fs.ErrNotExist) {
			return // it was a file, or is gone, of which an event tells
		}
		l.failures = append(l.failures, rsync.Failure{Path: dir, Message: "cannot read the directory: " + reason(err), Here: true})
	})
}

// reason is an error without the call and the path that it is about.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

func (t *transfer) tooLongWords(path string) string {
	return fmt.Sprintf("the path has %d bytes, and rsync takes %d", len(path), t.endpoint.MaxPath())
}

// view is what a look has found.
type view struct {
	ran
	// names differ, or are not there.
	names []string
	// root differs, too.
	root bool
	// found are deletions.
	found *tally
}

// look runs a job that looks, and changes nothing.
func (t *transfer) look(job rsync.Job) (v view, ok bool) {
	v.found = t.tally()
	v.found.looks = true
	v.ran, ok = t.count(t.lane.root, job, v.found)
	if !ok {
		return v, false
	}
	// What a rule file says that has come meanwhile counts for what is beside it.
	for _, name := range v.found.differing {
		if t.lane.exclude.Concerns(name) {
			t.lane.exclude.Enter(relpath.Parent(name))
		}
	}
	t.lane.exclude.Refresh(time.Now())
	v.names, v.root = t.mirrored(v.found.differing)
	v.found.differing = nil
	return v, true
}

// mirrored returns the paths of names, as rsync writes them, that are mirrored, in their
// place; root reports whether the root is among them.
func (t *transfer) mirrored(names []string) (paths []string, root bool) {
	rules := t.excluded()
	paths = names[:0]
	for _, name := range names {
		path, dir := cutSlash(name)
		switch {
		case path == "" || path == ".":
			root = true
		case !rules.Excludes(path, dir):
			paths = append(paths, path)
		}
	}
	return paths, root
}

// cutSlash is a name as rsync writes it: a directory's ends with a slash.
func cutSlash(name string) (path string, dir bool) {
	if n := len(name) - 1; n >= 0 && name[n] == '/' {
		return name[:n], true
	}
	return name, false
}

// ignoredDirectories is how many directories that are excluded a look is told to pass
// over. It finds out nothing by looking into them, but compares each name with each
// of these.
const ignoredDirectories = 200

// passedOver returns directories of the workspace that are excluded, for a look.
func (t *transfer) passedOver(dirs []string) (excluded []string) {
	for _, dir := range dirs {
		rules := t.excluded()
		t.tree().Entries(t.ctx, dir, func(name string, e fs.DirEntry) bool {
			if !e.IsDir() {
				return true
			}
			rules = t.excluded()
			if rules.Excludes(name, true) {
				excluded = append(excluded, name)
			}
			return len(excluded) < ignoredDirectories
		}, nil)
	}
	return excluded
}

// sendListed sends what is listed, in as many runs as it takes. ok is false when the
// outcome is final.
func (t *transfer) sendListed(names []string, build func(names []string) rsync.Job, part dirty.Batch) (all ran, ok bool) {
	if names, ok = t.replaceable(t.withOthers(names), part); !ok {
		return all, false
	}
	large := t.expect(names)
	defer t.sentListed(names)
	for names := range t.endpoint.Chunks(names) {
		job := func(int) rsync.Job {
			job := build(names).Limit(t.endpoint, 0)
			if large {
				job = job.Following(t.endpoint)
			}
			return job
		}
		r, ok := t.attempt(attempt{dir: t.lane.root, job: job, sends: true, part: part})
		if !ok {
			return r, false
		}
		all.join(r)
	}
	return all, true
}

// join adds what another run said.
func (r *ran) join(other ran) {
	if r.Code == 0 || other.Code != 0 && rsync.EndsRun(other.Code) {
		r.Code = other.Code
	}
	r.verdict = worse(r.verdict, other.verdict)
	r.Deleted += other.Deleted
	r.Truncated = r.Truncated || other.Truncated
	r.Stderr += other.Stderr
	r.said = r.said.Join(other.said)
}

// worse is the worse of two verdicts after which a transfer goes on.
func worse(a, b rsync.Verdict) rsync.Verdict {
	rank := map[rsync.Verdict]int{rsync.Done: 0, rsync.Vanished: 1, rsync.PartialDeletion: 2, rsync.Partial: 3}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// keep takes in what is gone here and stays on the remote: because it is not to be deleted
// now, or, of directories, because there is something in them that is excluded.
func (t *transfer) keep(found *tally) {
	t.out.LeftMore = t.out.LeftMore || found.leftMore
	for _, name := range found.left.all() {
		t.stays(remote.Gone{Path: name, Dir: found.leading[name]})
	}
	if len(found.keeps) == 0 {
		return
	}
	if t.out.Kept == nil {
		t.out.Kept = new(remote.Kept)
	}
	for _, dir := range found.keeps {
		t.out.Kept.Add(dir)
	}
}
