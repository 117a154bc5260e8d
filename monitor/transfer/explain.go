package transfer

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
)

// explanation is what a comparison has found as it is written for others.
type explanation struct {
	known *remote.Known // nil before it is asked for
	out   spool
	lines *json.Encoder
	// failing are the paths that are not compared, and not written yet, in order.
	failing []string
}

// explained is how many entries one step explains.
const explained = 5000

// explain writes the next of what was found, or ends the comparison.
func (c *comparison) explain(t *transfer) error {
	if c.what.known == nil {
		known, ok := c.known(t.ctx)
		if !ok {
			t.out.Failure = failed(remote.Canceled, t.ctx.Err(), "")
			return nil
		}
		c.what.known = &known
		c.what.failing = slices.Sorted(maps.Keys(c.failing))
	}
	if err := c.what.out.reopen(); err != nil {
		return err
	}
	c.what.lines = json.NewEncoder(c.what.out.writer)
	c.what.lines.SetEscapeHTML(false)
	more, err := c.explainSome(t)
	if closed := c.what.out.close(); err == nil {
		err = closed
	}
	if err != nil || t.out.Failure != nil || more {
		return err
	}
	if !c.background {
		err = os.Rename(c.what.out.path, c.file)
	}
	c.endPart()
	return err
}

// explainSome explains what one step does; more reports whether there is more.
func (c *comparison) explainSome(t *transfer) (more bool, err error) {
	rules := t.excluded()
	var some []report.Difference
	for len(some) < explained {
		record, ok, err := c.found.read()
		if err != nil {
			return false, err
		}
		if !ok {
			for len(some) < explained && len(c.what.failing) > 0 {
				d := report.Difference{Kind: report.DiffUnknown}
				d.SetName(c.what.failing[0])
				some, c.what.failing = append(some, d), c.what.failing[1:]
			}
			return len(c.what.failing) > 0, c.write(t, some)
		}
		if d, ok := c.difference(record[0], record[1], rules); ok {
			some = append(some, d)
		}
	}
	return true, c.write(t, some)
}

// difference is a record as a difference; ok is false for one that is none.
func (c *comparison) difference(code, name string, rules exclude.Rules) (d report.Difference, ok bool) {
	path, dir := cutSlash(name)
	switch code {
	case codeDeleted, codeDeletedDirectory:
		dir = code == codeDeletedDirectory
		if rules.Stays(path, dir) || c.leading[path] || rsync.IsProbe(path) {
			return d, false
		}
		d.Kind = report.DiffDelete
	default:
		if path == "." {
			path = ""
		}
		if path != "" && rules.Excludes(path, dir) {
			return d, false
		}
		kinds, sends := differs(rsync.ParseCode(code))
		if len(kinds) == 0 {
			kinds = []report.DifferenceKind{report.DiffUnknown} // rsync does not name what is equal
		}
		if d.Kind, d.Sends = kinds[0], sends; d.Kind != report.DiffNew {
			d.Differs = kinds
		}
	}
	if _, fails := c.failing[path]; fails {
		return d, false // it is among those that could not be compared
	}
	d.SetName(path)
	return d, true
}

// differs are the kinds of differences that a code tells of, what matters most first;
// sends reports whether the contents of a file would be sent.
func differs(code rsync.Differs) (kinds []report.DifferenceKind, sends bool) {
	if code.New {
		return []report.DifferenceKind{report.DiffNew}, code.Kind == '-'
	}
	add := func(is bool, kind report.DifferenceKind) {
		if is {
			kinds = append(kinds, kind)
		}
	}
	add(code.Kind == '-' && (code.Content || code.Size), report.DiffContent)
	add(code.Kind == 'l' && code.Content, report.DiffTarget)
	add(code.Kind == 'c' && code.Content, report.DiffDevice)
	add(code.Time, report.DiffTime)
	add(code.Mode, report.DiffMode)
	add(code.Owner, report.DiffOwner)
	add(code.Group, report.DiffGroup)
	add(code.ACL, report.DiffACL)
	add(code.Xattrs, report.DiffXattrs)
	add(code.Link, report.DiffLink)
	return kinds, code.Sent
}

// write completes differences, and writes them.
func (c *comparison) write(t *transfer, some []report.Difference) error {
	there, ok := c.listThere(t, some)
	if !ok {
		return nil
	}
	for _, d := range some {
		name := d.Name()
		d.Here, d.There = t.entryHere(name), there[name]
		if problem, fails := c.failing[name]; fails {
			if d.Here == nil && d.There == nil {
				continue
			}
			d.Problem, _ = rsync.PathWords(problem)
			d.Kind = c.guessKind(d)
		}
		if d.Kind == report.DiffNew && d.Here != nil && d.There != nil && d.Here.Kind != d.There.Kind {
			d.Kind = report.DiffKind
		}
		state, problem := c.what.known.State(name)
		if d.Kind == report.DiffDelete && state == report.StateDrift {
			for _, path := range rsync.TemporaryOf(name) { // which may be received beside
				if is, _ := c.what.known.State(path); is == report.StatePending {
					state = is
				}
			}
		}
		if due, ok := c.what.known.Due(name); ok && d.Kind == report.DiffDelete && (state == report.StateDrift || state == report.StatePending) {
			state, d.Due = report.StatePostponed, &due
		}
		if state == report.StateSkipped || t.Remote.Devices == config.DevicesOff && d.Here != nil && d.Here.Kind == report.Special {
			c.summary.Skipped++
			continue
		}
		if d.State = state; d.Problem != "" {
			d.State = report.StateFailing
		} else {
			d.Problem = problem
		}
		c.summary.Add(d)
		repaired := c.Repair && d.State == report.StateDrift
		c.keep(d, repaired)
		if repaired {
			c.repair = append(c.repair, name)
			c.summary.Repair++
		}
		if err := c.what.lines.Encode(d); err != nil {
			return err
		}
	}
	return nil
}

// guessKind is the kind of a difference that could not be compared.
func (c *comparison) guessKind(d report.Difference) report.DifferenceKind {
	switch {
	case d.Here == nil:
		return report.DiffDelete
	case d.There == nil && (c.absent || !c.unlisted):
		return report.DiffNew
	case d.There != nil && d.Here.Kind != d.There.Kind:
		return report.DiffKind
	case d.There != nil && d.Here.Kind == report.File && d.Here.Size != d.There.Size:
		return report.DiffContent
	}
	return report.DiffUnknown
}

// entryHere is how an entry is in the workspace, nil if it is not there.
func (t *transfer) entryHere(name string) *report.Entry {
	info, err := t.lane.Lstat(name)
	if err != nil {
		return nil
	}
	e := &report.Entry{Kind: report.KindOf(info.Mode()), ModTime: info.ModTime(), Mode: lettersOf(info.Mode())}
	switch e.Kind {
	case report.File:
		e.Size = info.Size()
	case report.Link:
		e.Target = t.targetOf(name)
	}
	return e
}

// lettersOf are the letters of a mode, as ls(1) has them.
func lettersOf(mode fs.FileMode) string {
	letters := []byte(mode.Perm().String()[1:])
	special := func(is fs.FileMode, at int, with, without byte) {
		switch {
		case mode&is == 0:
		case letters[at] == 'x':
			letters[at] = with
		default:
			letters[at] = without
		}
	}
	special(fs.ModeSetuid, 2, 's', 'S')
	special(fs.ModeSetgid, 5, 's', 'S')
	special(fs.ModeSticky, 8, 't', 'T')
	return string(letters)
}

// targetOf is where a link of the workspace leads, "" if that cannot be read.
func (t *transfer) targetOf(name string) string {
	dir, err := os.OpenRoot(filepath.Join(t.lane.root, filepath.FromSlash(relpath.Parent(name))))
	if err != nil {
		return ""
	}
	defer dir.Close()
	to, _ := dir.Readlink(filepath.Base(filepath.FromSlash(name)))
	return to
}

// listThere finds out how entries are on the remote, by their names. That it does not
// tell is no failure; ok is false when nobody wants to know any more.
func (c *comparison) listThere(t *transfer, some []report.Difference) (there map[string]*report.Entry, ok bool) {
	if c.absent || c.unlisted || len(some) == 0 {
		return nil, true
	}
	names := make([]string, 0, len(some))
	wanted := make(map[string]bool, len(some))
	for _, d := range some {
		if name := d.Name(); name != "" && !wanted[name] {
			names = append(names, name)
			wanted[name] = true
		}
	}
	there = make(map[string]*report.Entry, len(names))
	job := rsync.List(t.endpoint, names, func(line string) {
		if l, ok := rsync.ParseListed(line); ok {
			l = l.Among(wanted)
			there[l.Path] = entryThere(l)
		}
	})
	if _, ok := t.run(t.lane.root, job); ok {
		return there, true
	}
	if t.ctx.Err() != nil {
		return nil, false
	}
	t.out.Failure, t.mute = nil, false
	c.unlisted = true
	c.note("the remote does not tell sizes and times of what it has")
	return nil, true
}

// entryThere is an entry of the remote.
func entryThere(l rsync.Listed) *report.Entry {
	e := &report.Entry{Kind: report.KindOfLetter(l.Kind), ModTime: l.ModTime, Mode: l.Mode, Target: l.Target}
	if e.Kind == report.File {
		e.Size = l.Size
	}
	return e
}
