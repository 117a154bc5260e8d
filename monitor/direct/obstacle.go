package direct

import "io/fs"

// A path leads through whatever is at the names above: where a directory took
// the place of a symbolic link, and the link is still there on the target, what
// is meant for the directory would land where the link leads, which is anywhere.
// The plan sees the workspace only, so the flight looks out for that: below what
// is dirty itself nothing is done before its place is known to be a directory.

// makeDirectories makes the topmost of the new directories, waits for them, and
// returns the other steps. What was just made has nothing in it that leads
// elsewhere.
func (f *flight) makeDirectories(steps []Step) (others []Step) {
	made := make(map[string]bool)
	var tops []Step
	var replies []Reply
	for _, s := range steps {
		if s.Kind != MakeDirectory || isWithin(s.Path, made) {
			others = append(others, s)
			continue
		}
		made[s.Path] = true
		tops = append(tops, s)
		replies = append(replies, f.lane.target.Mkdir(s.Path, s.Info.Mode()))
	}
	for i, r := range replies {
		if r.Wait() != nil {
			f.obstacles[tops[i].Path] = true
			f.fail(tops[i])
		}
	}
	return others
}

// askTypes asks what is where directories are to be removed.
func (f *flight) askTypes(steps []Step) {
	for _, s := range steps {
		if s.Kind == RemoveDirectory {
			f.types[s.Path] = f.lane.target.Type(s.Path)
		}
	}
}

// obstructed tells that a step would go through something else than a
// directory.
func (f *flight) obstructed(s Step) bool {
	if isWithin(s.Path, f.obstacles) {
		return true
	}
	for dir := directoryOf(s.Path); dir != "" && len(f.types) > 0; dir = directoryOf(dir) {
		reply := f.types[dir]
		if reply == nil {
			continue
		}
		if kind, err := reply.Wait(); kind != fs.ModeDir && !isGone(err) {
			f.obstacles[dir] = true
			return true
		}
	}
	return false
}

// isWithin tells that name or a directory above it is one of paths.
func isWithin(name string, paths map[string]bool) bool {
	for ; name != "" && len(paths) > 0; name = directoryOf(name) {
		if paths[name] {
			return true
		}
	}
	return false
}
