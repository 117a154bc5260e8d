package direct

import (
	"io/fs"
	"slices"

	"wsync/monitor/relpath"
)

// A path leads through whatever is at the names above: where a directory took
// the place of a symbolic link, and the link is still there on the target, what
// is meant for the directory would land where the link leads, which is anywhere.
// The plan sees the workspace only, so the flight looks out for that: below what
// is dirty itself nothing is done before its place is known to be a directory.

// existingLimit is how many of a plan's new directories may be there already.
// Each has to be looked into; rsync does many at once.
const existingLimit = 16

// makeDirectories makes the topmost of the new directories, waits for them, and
// returns the other steps. What was just made has nothing in it that leads
// elsewhere.
func (f *flight) makeDirectories(steps []Step) (others []Step) {
	var tops, existing []Step
	var replies []Reply
	for _, s := range steps {
		if s.Kind != MakeDirectory || isWithin(s.Path, f.made) {
			others = append(others, s)
			continue
		}
		f.made[s.Path] = true
		tops = append(tops, s)
		replies = append(replies, f.lane.target.Mkdir(s.Path, f.lane.modes.Apply(s.Info.Mode())))
	}
	for i, r := range replies {
		if r.Wait() != nil {
			delete(f.made, tops[i].Path)
			existing = append(existing, tops[i])
		}
	}
	return f.enter(existing, others)
}

// enter looks at directories that could not be made: because they are there, it
// seems. While a tree is being made, a directory of it often went with the one
// above before its own event came. Where there is nothing but what the steps
// bring as well, they may go on, without the directories that need not be made.
func (f *flight) enter(existing, steps []Step) []Step {
	if len(existing) == 0 {
		return steps
	}
	coming := make(map[string]Step) // what the steps bring
	for _, s := range steps {
		if s.Kind <= PutSymlink {
			coming[s.Path] = s
		}
	}
	entered := make(map[string]bool)
	for looks := 0; len(existing) > 0; looks++ {
		dir := existing[0]
		existing = existing[1:]
		var inside []Step
		ok := looks < existingLimit
		if ok {
			inside, ok = f.list(dir.Path, coming)
		}
		if !ok {
			f.obstacles[dir.Path] = true
			f.fail(dir)
			continue
		}
		entered[dir.Path] = true
		for _, s := range inside {
			if s.Kind == MakeDirectory {
				existing = append(existing, s)
			}
		}
	}
	return slices.DeleteFunc(steps, func(s Step) bool { return s.Kind == MakeDirectory && entered[s.Path] })
}

// list returns the steps for what is in a directory of the target. ok is false
// if it is no directory, or has more in it.
func (f *flight) list(dir string, coming map[string]Step) (inside []Step, ok bool) {
	if kind, err := f.lane.target.Type(dir).Wait(); err != nil || kind != fs.ModeDir {
		return nil, false
	}
	names, err := f.lane.target.Names(dir)
	if err != nil {
		return nil, false
	}
	for _, name := range names {
		s, ok := coming[dir+"/"+name]
		if !ok {
			return nil, false
		}
		inside = append(inside, s)
	}
	return inside, true
}

// askTypes asks what is where directories are to be removed.
func (f *flight) askTypes(steps []Step) {
	for _, s := range steps {
		if s.Kind == RemoveDirectory {
			f.types[s.Path] = f.lane.target.Type(s.Path)
		}
	}
}

// obstructed reports whether a step would go through something else than a
// directory.
func (f *flight) obstructed(s Step) bool {
	return f.obstacles[s.Path] || f.isObstacle(relpath.Parent(s.Path))
}

// isObstacle reports whether dir, or something above it, is known to be no directory.
func (f *flight) isObstacle(dir string) bool {
	if dir == "" || len(f.obstacles)+len(f.types) == 0 {
		return false
	}
	is, known := f.looked[dir]
	if !known {
		is = f.obstacles[dir] || f.isObstacle(relpath.Parent(dir))
		if reply := f.types[dir]; reply != nil && !is {
			kind, err := reply.Wait()
			is = kind != fs.ModeDir && !isGone(err)
			if is {
				f.obstacles[dir] = true // rsync is to remove it, too
			}
		}
		f.looked[dir] = is
	}
	return is
}

// isWithin reports whether name or a directory above it is one of paths.
func isWithin(name string, paths map[string]bool) bool {
	for ; name != "" && len(paths) > 0; name = relpath.Parent(name) {
		if paths[name] {
			return true
		}
	}
	return false
}
