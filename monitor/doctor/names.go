package doctor

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/relpath"
	"wsync/monitor/remotefs"
)

// foldsMost is a file system that takes more names for one than any real one does.
var foldsMost = remotefs.Capabilities{FoldsCase: true, FoldsFull: true, FoldsUnicode: true}

// meetingNames are the names of a workspace, without what is left out, of directories in
// which some file system would take two of them for one.
func meetingNames(ctx context.Context, w config.Workspace) map[string][]string {
	meeting := make(map[string][]string)
	live := exclude.NewLive(w.LocalPath, w)
	var look func(dir string)
	look = func(dir string) {
		if ctx.Err() != nil || !live.Opens(dir) {
			return
		}
		entries, _ := os.ReadDir(filepath.Join(w.LocalPath, filepath.FromSlash(dir))) // what cannot be read is told by status
		var names, dirs []string
		for _, e := range entries {
			path := relpath.Join(dir, e.Name())
			if live.Rules().Excludes(path, e.IsDir()) {
				continue
			}
			names = append(names, e.Name())
			if e.IsDir() {
				dirs = append(dirs, path)
			}
		}
		if len(foldsMost.Losers(names)) > 0 {
			meeting[dir] = names
		}
		for _, d := range dirs {
			look(d)
		}
	}
	look("")
	return meeting
}

// maxMeeting is how many names a check has at most.
const maxMeeting = 5

// losers are the names in meeting that a file system takes for others, as text: the first
// of them, and how many there are.
func losers(meeting map[string][]string, c remotefs.Capabilities) (first []string, all int) {
	for _, dir := range slices.Sorted(maps.Keys(meeting)) {
		lost := c.Losers(meeting[dir])
		for _, name := range slices.Sorted(maps.Keys(lost)) {
			if all++; all <= maxMeeting {
				first = append(first, relpath.Join(dir, name)+" (as "+lost[name]+")")
			}
		}
	}
	return first, all
}

// meeting names what could not be on every remote.
func (a about) meeting() {
	if first, all := losers(a.x.meeting, foldsMost); all > 0 {
		a.ok("names", fmt.Sprintf("%d differ from others in case or Unicode normalisation only, and cannot be where such names are one file, as on macOS, Windows and FAT: %s", all, some(first, all)))
	}
}

// names names what cannot be on a remote with a file system of these capabilities.
func (a about) names(r config.Remote, c remotefs.Capabilities) {
	first, all := losers(a.x.meeting, c)
	if all == 0 {
		return
	}
	a.warn("names", fmt.Sprintf("%d cannot be there, since they are one file with others: %s", all, some(first, all)),
		fmt.Sprintf("rename them, or wsync set %s %s skip-unsupported=on to do without them", a.workspace, r.Name))
}
