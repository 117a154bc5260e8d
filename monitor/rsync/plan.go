package rsync

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/sparse"
	"wsync/monitor/watch"
)

// Plan is how a batch of dirty paths is sent: what each path is at this
// moment, not what happened to it, decides.
type Plan struct {
	Trees    []string // directories with all below them, by content
	Contents []string // existing paths to compare by content
	Quick    []string // large files of which only size, mode or times may differ
	Root     bool     // mode, owner or times of the root
	// Replaced are listed paths that are directories no more: what lies below them was
	// dirty, or went with them.
	Replaced []string
	// Sparse: one of Contents or Quick has holes.
	Sparse bool
	// Except are those of the failing paths that a run for Trees must leave alone. A path
	// that is listed, or leads to one that is, is not among them: rsync would leave out the
	// listed path as well, and say nothing.
	Except []string
	// Deleted are the paths that do not exist, each the topmost.
	Deleted []Deletion
	// TooLong are the entries of paths that exist and that rsync cannot be told.
	TooLong []*dirty.Entry
}

// PathMax is how long a path may be for rsync, with its end, on Linux.
const PathMax = 4096

// MaxPath is how many bytes a path may have to be listed, and to be on the
// remote.
func (e Endpoint) MaxPath() int {
	room := PathMax - len("./") - 1
	if e.Trashes() {
		room -= len(config.TrashDirectory+"/"+trashLayout) + 1
	}
	return room
}

// Deletion is a path that is gone from the workspace.
type Deletion struct {
	Path string
	// Entries are the dirty entries that led to it: itself or what was below.
	Entries []*dirty.Entry
}

// Cleared reports whether the deletion needs no judgement. That a directory was renamed
// is not enough: what was in it need not be at the new place any more.
func (d Deletion) Cleared() bool {
	return !slices.ContainsFunc(d.Entries, func(e *dirty.Entry) bool {
		return !e.IsApproved() && (e.MovedTo == "" || e.Change&watch.Tree != 0)
	})
}

// Obstacles returns what the plan of entries has in the place of some of them: what these
// lie below, and is no directory.
func (p Plan) Obstacles(entries []*dirty.Entry) (obstacles []string) {
	own := make(map[string]bool, len(entries))
	for _, e := range entries {
		own[e.Path] = true
	}
	foreign := func(path string) {
		if !own[path] {
			obstacles = append(obstacles, path)
		}
	}
	for _, path := range slices.Concat(p.Contents, p.Quick) {
		foreign(path)
	}
	for _, d := range p.Deleted {
		foreign(d.Path)
	}
	return obstacles
}

// Unknown reports whether nobody knows how much was below the path: it was a
// directory that went as a whole.
func (d Deletion) Unknown() bool {
	return slices.ContainsFunc(d.Entries, func(e *dirty.Entry) bool { return e.Change&watch.Tree != 0 })
}

// quickSize is the size in bytes above which a file is not read for a change
// of its mode or times alone.
const quickSize = 1 << 20

// MakePlan decides how to send entries. lstat looks at a path of the
// workspace. A path of more than maxPath bytes is not listed: rsync would cut it
// off, and take the rest for another one. If it is gone there is nothing to do,
// because it cannot have been there.
//
// Of what fails on its own, which are the paths of failing, a listed tree is sent
// without: an entry at or below such a path is listed itself. See Plan.Except.
//
// A path is only listed when all its parents are directories: behind a parent
// that is gone, or has become a file or a symbolic link, the parent itself is
// listed instead.
func MakePlan(entries []*dirty.Entry, failing []string, lstat func(path string) (fs.FileInfo, error), maxPath int) Plan {
	p := planner{
		lstat: lstat, maxPath: maxPath, kinds: make(map[string]kind), failing: make(map[string]bool, len(failing)),
		trees: make(map[string]bool), listed: make(map[string]bool), gone: make(map[string]int),
	}
	for _, path := range failing {
		p.failing[path] = true
	}
	// Trees first: what is below one needs no place of its own.
	entries = slices.Clone(entries) // it is somebody else's
	slices.SortFunc(entries, func(a, b *dirty.Entry) int { return strings.Compare(a.Path, b.Path) })
	var rest []*dirty.Entry
	for _, e := range entries {
		if e.Change&(watch.Tree|watch.Entry) == 0 || !p.tree(e) {
			rest = append(rest, e)
		}
	}
	for _, e := range rest {
		p.add(e)
	}
	for _, path := range failing {
		leads := func(dir string) bool { return relpath.Within(dir, path) }
		if !slices.ContainsFunc(p.plan.Trees, leads) {
			p.plan.Except = append(p.plan.Except, path)
		}
	}
	return p.plan
}

type kind int

const (
	missing kind = iota
	directory
	other
	unknown // lstat failed; rsync shall say why
)

type planner struct {
	lstat   func(path string) (fs.FileInfo, error)
	maxPath int
	kinds   map[string]kind // of parents
	failing map[string]bool // what a tree leaves alone
	trees   map[string]bool
	listed  map[string]bool
	gone    map[string]int // the index in plan.Deleted
	plan    Plan
}

// kind looks at a path and remembers what it is.
func (p *planner) kind(name string) kind {
	k, ok := p.kinds[name]
	if !ok {
		k, _ = p.look(name)
		p.kinds[name] = k
	}
	return k
}

func (p *planner) look(name string) (kind, fs.FileInfo) {
	info, err := p.lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return missing, nil
	case err != nil:
		return unknown, nil
	case info.IsDir():
		return directory, info
	}
	return other, info
}

// tree lists the path of e as a tree if it is a directory below directories.
func (p *planner) tree(e *dirty.Entry) bool {
	name := e.Path
	if name == "" || len(name) > p.maxPath || p.obstacle(name) != "" || p.kind(name) != directory {
		return false
	}
	if e.Failing() || !p.covered(name) {
		p.trees[name] = true
		p.plan.Trees = append(p.plan.Trees, name)
	}
	return true
}

// obstacle is the topmost parent of name that is not a directory, or "".
func (p *planner) obstacle(name string) string {
	for i := 0; i < len(name); i++ {
		if name[i] != '/' {
			continue
		}
		if k := p.kind(name[:i]); k == missing || k == other {
			return name[:i]
		}
	}
	return ""
}

// covered reports whether name goes with a listed tree.
func (p *planner) covered(name string) bool {
	for ; name != ""; name = relpath.Parent(name) {
		if p.trees[name] || p.failing[name] {
			return p.trees[name]
		}
	}
	return false
}

// add lists an entry that is no tree.
func (p *planner) add(e *dirty.Entry) {
	name, change := e.Path, e.Change
	if top := p.obstacle(name); top != "" {
		name, change = top, change|watch.Entry|watch.Tree
	}
	if last := len(p.plan.Replaced) - 1; change&watch.Tree != 0 && p.kind(name) == other && (last < 0 || p.plan.Replaced[last] != name) {
		p.plan.Replaced = append(p.plan.Replaced, name)
	}
	if name == "" {
		p.plan.Root = true
		return
	}
	if i, ok := p.gone[name]; ok {
		p.plan.Deleted[i].Entries = append(p.plan.Deleted[i].Entries, e)
		return
	}
	if p.listed[name] || p.covered(name) && !e.Failing() {
		return
	}
	p.listed[name] = true
	k, info := p.look(name)
	p.plan.Sparse = p.plan.Sparse || k == other && sparse.Has(info)
	switch {
	case len(name) > p.maxPath:
		if k != missing {
			p.plan.TooLong = append(p.plan.TooLong, e)
		}
	case k == missing:
		p.gone[name] = len(p.plan.Deleted)
		p.plan.Deleted = append(p.plan.Deleted, Deletion{Path: name, Entries: []*dirty.Entry{e}})
	case k == other && info.Mode().IsRegular() && change&^watch.Meta == 0 && info.Size() > quickSize:
		p.plan.Quick = append(p.plan.Quick, name)
	default:
		p.plan.Contents = append(p.plan.Contents, name)
	}
}

// LstatIn returns the lstat for MakePlan that looks below root.
func LstatIn(root string) func(string) (fs.FileInfo, error) {
	return func(name string) (fs.FileInfo, error) {
		info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, syscall.ENAMETOOLONG) {
			// The system takes no path of this length, whether it exists or not.
			if r, err := os.OpenRoot(root); err == nil {
				defer r.Close()
				return r.Lstat(filepath.FromSlash(name))
			}
		}
		return info, err
	}
}
