package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"wsync/config"
	"wsync/config/filesystem"
)

// workspace examines one without its remotes.
func (x *examiner) workspace(w config.Workspace) {
	a := about{x: x, workspace: w.Name}
	x.meeting = nil
	if !a.directory(w) {
		return
	}
	a.silent(w.LocalPath)
	a.mounts(w.LocalPath)
	a.monitor(w)
	x.meeting = meetingNames(x.ctx, w)
	a.meeting()
	if len(w.Remotes) == 0 {
		a.warn("remotes", "it has none: nothing is mirrored", "wsync attach "+w.Name+" REMOTE DEST")
	}
}

// directory examines what is mirrored, and reports whether it is there.
func (a about) directory(w config.Workspace) bool {
	info, err := os.Stat(w.LocalPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		a.fail("directory", w.LocalPath+" does not exist", "put it back, or wsync set "+w.Name+" path=PATH if it has moved")
	case err != nil:
		a.fail("directory", err.Error(), "the user who runs the daemon must be able to read it")
	case !info.IsDir():
		a.fail("directory", w.LocalPath+" is no directory", "wsync set "+w.Name+" path=PATH")
	default:
		if dir, err := os.Open(w.LocalPath); err != nil {
			a.fail("directory", err.Error(), "the user who runs the daemon must be able to read it")
			return false
		} else {
			dir.Close()
		}
		a.ok("directory", w.LocalPath)
		return true
	}
	return false
}

// silent examines whether the kernel tells of changes.
func (a about) silent(dir string) {
	var kinds []string
	for _, m := range filesystem.SilentIn(dir) {
		kinds = append(kinds, fmt.Sprintf("%s (%s)", m.Path, m.Type))
	}
	if len(kinds) > 0 {
		a.warn("file system", "what others change there comes without an event, and is found by looking: "+strings.Join(kinds, ", "),
			"run wsync where the files are, if you can; how often it looks is PollInterval (wsync help settings)")
	}
}

// mounts names what is mounted in the workspace.
func (a about) mounts(dir string) {
	table, err := filesystem.OpenTable()
	if err != nil {
		return // there is none on this system
	}
	defer table.Close()
	all, err := table.Mounts()
	real, realErr := filepath.EvalSymlinks(dir)
	if err != nil || realErr != nil {
		return
	}
	var paths []string
	for _, m := range filesystem.Below(all, real) {
		paths = append(paths, fmt.Sprintf("%s (%s)", m.Path, m.Type))
	}
	if len(paths) > 0 {
		a.ok("mounts", "mirrored like the rest, and held while they are not mounted: "+strings.Join(paths, ", "))
	}
}

// monitor repeats what its monitor says of the workspace.
func (a about) monitor(w config.Workspace) {
	known, ok := a.x.Known[w.Name]
	if !ok {
		return
	}
	watch := known.Watch
	switch {
	case known.Halted != nil:
		a.fail("watching", known.Halted.Reason, "wsync status "+w.Name)
	case watch.Problem != "":
		a.fail("watching", watch.Problem, "wsync status "+w.Name)
	case watch.Armed:
		a.ok("watching", fmt.Sprintf("%d directories, by %s", watch.Directories, watch.Backend))
	}
	if watch.LinkedOutside > 0 {
		a.warn("hard links", fmt.Sprintf("%d files have names outside of the workspace: what is written by these is found by full passes only", watch.LinkedOutside), "")
	}
	if n := watch.IgnoreProblemCount; n > 0 {
		a.warn("ignore rules", fmt.Sprintf("%d lines cannot be read, and ignore nothing: %s", n, some(watch.IgnoreProblems, n)), "wsync ignore "+w.Name)
	}
}

// some names the first of count things.
func some(first []string, count int) string {
	text := strings.Join(first, "; ")
	if more := count - len(first); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}
