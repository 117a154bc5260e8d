package rsync

import "path"

// TemporaryOf returns the paths for one of which an entry of a destination may be what
// rsync has received so far, by its name; none if it is called otherwise.
func TemporaryOf(name string) []string {
	dir, base := path.Split(name)
	temp := tempName.FindStringSubmatch(base)
	if temp == nil {
		return nil
	}
	return []string{dir + temp[1], dir + "." + temp[1]} // a dot of its own is not doubled
}
