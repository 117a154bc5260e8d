package exclude

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"wsync/monitor/exclude/gitignore"
	"wsync/monitor/relpath"
)

// stamp tells whether a file is the one that was read, as far as can be seen.
type stamp struct {
	info fs.FileInfo // nil: there is none
}

func (s stamp) equal(other stamp) bool {
	if s.info == nil || other.info == nil {
		return s.info == other.info
	}
	return os.SameFile(s.info, other.info) && s.info.Size() == other.info.Size() && s.info.ModTime().Equal(other.info.ModTime())
}

// errUnstable: a file was written to while it was read.
var errUnstable = errors.New("the file is being written")

// readFile reads a rule file; f is nil if there is none. A link is none, nor is
// anything else that is not a file: a tree that comes from elsewhere does not lead out
// of itself.
func readFile(name, source string) (f *gitignore.File, s stamp, err error) {
	file, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ENXIO) {
			return nil, stamp{}, nil
		}
		return nil, stamp{}, err
	}
	defer file.Close()
	before, err := file.Stat()
	if err != nil || !before.Mode().IsRegular() {
		return nil, stamp{}, err
	}
	text, err := io.ReadAll(io.LimitReader(file, gitignore.MaxSize+1))
	if err != nil {
		return nil, stamp{}, err
	}
	after, err := file.Stat()
	if err != nil {
		return nil, stamp{}, err
	}
	if s := (stamp{after}); !s.equal(stamp{before}) || int64(len(text)) != min(after.Size(), gitignore.MaxSize+1) {
		return nil, s, errUnstable
	}
	return gitignore.Parse(source, text), stamp{after}, nil
}

// abs is the path of a name of the workspace.
func abs(root, name string) string { return filepath.Join(root, filepath.FromSlash(name)) }

// gitExclude is the path of the file with the patterns that are for one clone of the
// repository at root alone; "" if there is no repository. In a worktree it is
// elsewhere, as is all that the worktrees of a clone have in common. See
// gitrepository-layout(5).
func gitExclude(root string) string {
	dir := filepath.Join(root, ".git")
	info, err := os.Lstat(dir)
	if err != nil {
		return ""
	}
	if info.Mode().IsRegular() {
		to, ok := strings.CutPrefix(firstLine(dir), "gitdir: ")
		if !ok {
			return ""
		}
		dir = beside(root, to)
	}
	if common := firstLine(filepath.Join(dir, "commondir")); common != "" {
		dir = beside(dir, common)
	}
	return filepath.Join(dir, "info", "exclude")
}

// beside is a path that is relative to a directory unless it is absolute.
func beside(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// firstLine returns the first line of a small file, "" if there is none.
func firstLine(name string) string {
	file, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 2*4096))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r")
}

// found is what a directory says about rules.
type found struct {
	files []*gitignore.File
	tag   *gitignore.Rule
	// stamps are those of the files by their names, also of those that are not there.
	stamps map[string]stamp
	// thin: one of the files is not there, or says nothing, or cannot be read.
	thin bool
	// unreadable are the names of those that cannot be read.
	unreadable []string
}

// readDir reads what a directory of the workspace says.
func (o *options) readDir(root, dir string) (d found, err error) {
	d.stamps = make(map[string]stamp)
	for _, name := range o.fileNames() {
		source := relpath.Join(dir, name)
		f, s, err := readFile(abs(root, source), source)
		if errors.Is(err, errUnstable) {
			return d, err
		}
		if err != nil {
			s = stampOf(abs(root, source)) // so that it is read again when it is another one
		}
		d.stamps[name] = s
		switch {
		case err != nil:
			d.files = append(d.files, gitignore.Unreadable(source, err.Error()))
			d.unreadable = append(d.unreadable, name)
		case f != nil:
			d.files = append(d.files, f)
		}
		if f == nil || len(f.Rules()) == 0 {
			d.thin = true
		}
	}
	if !isRoot(dir) {
		d.tag = o.tagIn(root, dir)
	}
	return d, nil
}

// tagIn returns the rule about a directory that holds a tag.
func (o *options) tagIn(root, dir string) *gitignore.Rule {
	for i, name := range o.tags {
		if info, err := os.Lstat(abs(root, relpath.Join(dir, name))); err == nil && !info.IsDir() {
			return &o.tagRules[i]
		}
	}
	return nil
}

// hasAny reports whether a directory of the workspace has anything to say.
func (o *options) hasAny(root, dir string) bool {
	at := abs(root, dir) + string(filepath.Separator)
	for _, name := range o.names {
		var st unix.Stat_t
		if unix.Lstat(at+name, &st) == nil {
			return true
		}
	}
	return false
}

// stampOf is the stamp of what is at a path now.
func stampOf(at string) stamp {
	info, err := os.Lstat(at)
	if err != nil || !info.Mode().IsRegular() {
		return stamp{}
	}
	return stamp{info}
}
