package notify

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	lib "github.com/rjeczalik/notify"

	"wsync/monitor/relpath"
	"wsync/monitor/watch/directory"
)

// arms are the watches of a Watcher, and which directory each is believed to be
// on. The library keeps a path for watched and does nothing if it is to be
// watched once more, even if another directory is there by now. What does help
// is to add a kind of event to it (a kick): that takes hold of the directory
// that is there. They belong to the goroutine in Run.
type arms struct {
	dir    string
	limit  int
	events chan<- lib.EventInfo
	// kicks is the channel that kicks are for. Nobody reads it.
	kicks chan lib.EventInfo
	// kicked counts the kicks of each path ever watched, dir included.
	kicked map[string]int
	// known are the directories, by path, and paths by directory.
	known map[string]*armed
	paths map[directory.Identity]string
	// doubtful: all directories have to be armed again.
	doubtful bool
}

// armed is one directory.
type armed struct {
	id directory.Identity
	// names of its subdirectories that are known.
	names map[string]struct{}
	// bare: it is not watched.
	bare bool
	// alone: no directory in it is to be watched.
	alone bool
}

func newArms(dir string, limit int, events chan<- lib.EventInfo) *arms {
	return &arms{
		dir:    dir,
		limit:  limit,
		events: events,
		kicks:  make(chan lib.EventInfo),
		kicked: make(map[string]int),
		known:  make(map[string]*armed),
		paths:  make(map[directory.Identity]string),
	}
}

func (a *arms) has(path string) bool {
	return a.known[path] != nil
}

// matches reports whether the directory at path is the one that is watched under
// this path and no other.
func (a *arms) matches(path string, id directory.Identity) bool {
	known := a.known[path]
	return known != nil && known.id == id && (known.bare || a.paths[id] == path)
}

// count returns how many directories are watched.
func (a *arms) count() int {
	return len(a.paths)
}

// arm watches the directory at path.
func (a *arms) arm(path string, id directory.Identity) error {
	known := a.known[path]
	if known == nil {
		known = &armed{}
		a.known[path] = known
		if parent := a.known[relpath.Parent(path)]; parent != nil && path != "" {
			if parent.names == nil {
				parent.names = make(map[string]struct{})
			}
			parent.names[path[strings.LastIndexByte(path, '/')+1:]] = struct{}{}
		}
	}
	if a.paths[known.id] == path {
		delete(a.paths, known.id)
	}
	known.id, known.bare = id, true
	if a.limit > 0 && a.count() >= a.limit {
		return fmt.Errorf("this watcher may watch %d directories only", a.limit)
	}
	if err := a.watch(path); err != nil {
		return err
	}
	known.bare = false
	a.paths[id] = path
	return nil
}

// watch makes the library take hold of the directory at path.
func (a *arms) watch(path string) error {
	abs := a.path(path)
	kicks, again := a.kicked[abs]
	if !again {
		if err := lib.Watch(abs, a.events, mainEvents...); err != nil {
			return explain(err)
		}
		a.kicked[abs] = 0
		return nil
	}
	if len(kickEvents) == 0 {
		return lib.Watch(abs, a.events, mainEvents...)
	}
	if kicks == len(kickEvents) {
		// This takes back all kicks. The library then watches all these paths
		// anew, also such that lead through a symbolic link by now, and the
		// directory there is reported under the wrong path from then on.
		lib.Stop(a.kicks)
		a.doubtful = true
		for p := range a.kicked {
			a.kicked[p] = 0
		}
		kicks = 0
	}
	if err := lib.Watch(abs, a.kicks, kickEvents[kicks]); err != nil {
		return explain(err)
	}
	a.kicked[abs] = kicks + 1
	return nil
}

// bare reports whether the directory is known but not watched.
func (a *arms) bare(path string) bool {
	known := a.known[path]
	return known != nil && known.bare
}

// alone reports whether no directory in this one is to be watched.
func (a *arms) alone(path string) bool {
	known := a.known[path]
	return known != nil && known.alone
}

// setAlone says whether that is so.
func (a *arms) setAlone(path string, alone bool) {
	if known := a.known[path]; known != nil {
		known.alone = alone
	}
}

// path returns what the library is told to watch for the directory at path.
func (a *arms) path(path string) string {
	if path == "" {
		return a.dir + "/"
	}
	// Without the slash, a name that ends in "..." would mean more.
	return relpath.Join(a.dir, path) + "/"
}

// wasWatched reports whether the directory at path, or one that was there before, is
// or was watched: the library watches it still.
func (a *arms) wasWatched(path string) bool {
	_, was := a.kicked[a.path(path)]
	return was
}

// explain adds to an error what helps.
func explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w (no watch is left: raise the limit with sysctl fs.inotify.max_user_watches=N)", err)
	}
	return err
}

// forget says that what is known of a directory and all below it is void.
func (a *arms) forget(path string) {
	known := a.known[path]
	if known == nil {
		return
	}
	for name := range known.names {
		a.forget(relpath.Join(path, name))
	}
	if a.paths[known.id] == path {
		delete(a.paths, known.id)
	}
	delete(a.known, path)
	if parent := a.known[relpath.Parent(path)]; parent != nil && path != "" {
		delete(parent.names, path[strings.LastIndexByte(path, '/')+1:])
	}
}

// others returns the known subdirectories of a directory but those named.
func (a *arms) others(path string, names []string) []string {
	known := a.known[path]
	if known == nil || len(known.names) == 0 {
		return nil
	}
	there := make(map[string]struct{}, len(names))
	for _, name := range names {
		there[name] = struct{}{}
	}
	var others []string
	for name := range known.names {
		if _, ok := there[name]; !ok {
			others = append(others, name)
		}
	}
	return others
}
