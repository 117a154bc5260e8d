package links

// sightings remember the files with one name that something has happened to
// lately. One that is found by another name before its first one is told to be
// gone was linked and unlinked; whoever has it open may still write to it, which
// the first name tells of.
type sightings struct {
	names map[fileID]string
	files map[string]fileID
}

// sightingsLimit bounds the files that are remembered.
const sightingsLimit = 4096

// see takes in that a file is at name, and returns the other name that it had, if
// it had one.
func (s *sightings) see(id fileID, name string) (before string, other bool) {
	before, seen := s.names[id]
	if seen && before == name {
		return "", false
	}
	if replaced, ok := s.files[name]; ok {
		delete(s.names, replaced)
	}
	if s.names == nil || len(s.names) >= sightingsLimit {
		s.names, s.files = make(map[fileID]string), make(map[string]fileID)
	}
	if seen {
		delete(s.files, before)
	}
	s.names[id], s.files[name] = name, id
	return before, seen
}

// forget takes in that there is nothing at name any more: another file may get the
// number that it had.
func (s *sightings) forget(name string) {
	if id, ok := s.files[name]; ok {
		delete(s.names, id)
		delete(s.files, name)
	}
}

// moved takes in that what was at from is at to.
func (s *sightings) moved(from, to string) {
	id, ok := s.files[from]
	if !ok {
		return
	}
	s.forget(to)
	delete(s.files, from)
	s.names[id], s.files[to] = to, id
}
