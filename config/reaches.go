package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// reaches is contains with a look at the file system: it also says true when
// path leads to parent or below it through symbolic links, or through a
// directory that is parent by another name (a bind mount, or another spelling
// where the file system ignores case).
func reaches(parent, path string) bool {
	if parent, path = filepath.Clean(parent), filepath.Clean(path); contains(parent, path) {
		return true
	}
	return follow(parent).holds(follow(path))
}

// cachedReaches is reaches that follows each path once.
func cachedReaches() holdsFunc {
	known := make(map[string]followed)
	find := func(path string) followed {
		f, ok := known[path]
		if !ok {
			f = follow(path)
			known[path] = f
		}
		return f
	}
	return func(parent, path string) bool {
		return contains(parent, path) || find(parent).holds(find(path))
	}
}

// followed is where an absolute path leads.
type followed struct {
	// existing is the part that is there, without symbolic links, and missing the
	// rest, "" or with a slash before each name.
	existing, missing string
	// ancestors are existing and the directories above it, up to the root.
	ancestors []ancestor
	// folds: names in existing that differ in case alone are one.
	folds bool
}

type ancestor struct {
	path string
	info fs.FileInfo
}

// maxLinks is how many symbolic links are followed, as by Linux.
const maxLinks = 40

// follow follows the symbolic links of an absolute path, also those that lead to
// what is not there.
func follow(path string) followed {
	at, rest := "/", splitPath(path)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		if name == ".." {
			at, rest = filepath.Dir(at), rest[1:]
			continue
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if err != nil {
			break
		}
		rest = rest[1:]
		if info.Mode().Type() != fs.ModeSymlink {
			at = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			at = next
			break
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(splitPath(target), rest...)
	}
	f := followed{existing: at}
	if len(rest) > 0 {
		f.missing = filepath.Clean("/" + strings.Join(rest, "/"))
	}
	for dir := at; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil {
			f.ancestors = append(f.ancestors, ancestor{dir, info})
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	f.folds = f.missing != "" && len(f.ancestors) > 0 && foldsCase(f.ancestors[0])
	return f
}

// splitPath returns the names in a path.
func splitPath(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// holds reports whether the path of g is, or is below, that of f.
func (f followed) holds(g followed) bool {
	if contains(filepath.Join(f.existing, f.missing), filepath.Join(g.existing, g.missing)) {
		return true
	}
	if len(f.ancestors) == 0 {
		return false
	}
	for _, a := range g.ancestors {
		if !os.SameFile(a.info, f.ancestors[0].info) {
			continue
		}
		below := strings.TrimPrefix(g.existing, strings.TrimSuffix(a.path, "/")) + g.missing
		missing := f.missing
		if f.folds {
			below, missing = strings.ToLower(below), strings.ToLower(missing)
		}
		return missing == "" || below == missing || strings.HasPrefix(below, missing+"/")
	}
	return false
}

// foldsCase reports whether the directory is there under a name in other case, too.
// One without letters in its name is taken not to be.
func foldsCase(dir ancestor) bool {
	parent, name := filepath.Split(dir.path)
	other := strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, name)
	info, err := os.Stat(filepath.Join(parent, other))
	return other != name && err == nil && os.SameFile(info, dir.info)
}
