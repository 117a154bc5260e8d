package mounts

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"wsync/monitor/relpath"
)

// Places are the paths at which something is not reachable: where it was
// mounted, or what is missing of the directories that led there. A directory comes
// without those in it.
func Places(away []string, lstat func(string) (fs.FileInfo, error)) []string {
	var places []string
	for _, path := range away {
		place := path
		for i := range path {
			if path[i] != '/' {
				continue
			}
			info, err := lstat(path[:i])
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !info.IsDir() {
				place = path[:i]
				break
			}
		}
		places = append(places, place)
	}
	slices.SortFunc(places, func(a, b string) int { return strings.Compare(a+"/", b+"/") })
	var tops []string
	for _, p := range places {
		if len(tops) == 0 || !relpath.Within(p, tops[len(tops)-1]) {
			tops = append(tops, p)
		}
	}
	return tops
}
