package rsync

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// fake is a file system for MakePlan: paths and what is there. What is not in it
// does not exist. Paths behind a file or a link are ENOTDIR, as in a real one.
type fake map[string]fakeInfo

type fakeInfo struct {
	mode fs.FileMode
	size int64
	err  error
}

func (i fakeInfo) Name() string       { return "" }
func (i fakeInfo) Size() int64        { return i.size }
func (i fakeInfo) Mode() fs.FileMode  { return i.mode }
func (i fakeInfo) ModTime() time.Time { return time.Time{} }
func (i fakeInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fakeInfo) Sys() any           { return nil }

func (f fake) lstat(name string) (fs.FileInfo, error) {
	fail := func(err error) (fs.FileInfo, error) {
		return nil, &os.PathError{Op: "lstat", Path: name, Err: err}
	}
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		up, ok := f[name[:i]]
		switch {
		case !ok:
			return fail(syscall.ENOENT)
		case up.err != nil:
			return fail(up.err)
		case !up.IsDir():
			return fail(syscall.ENOTDIR)
		}
	}
	info, ok := f[name]
	switch {
	case !ok && name != "":
		return fail(syscall.ENOENT)
	case info.err != nil:
		return fail(info.err)
	case name == "":
		return fakeInfo{mode: fs.ModeDir}, nil
	}
	return info, nil
}

var (
	fakeDir   = fakeInfo{mode: fs.ModeDir | 0o755}
	fakeFile  = fakeInfo{mode: 0o644, size: 10}
	fakeLarge = fakeInfo{mode: 0o644, size: quickSize + 1}
	fakeLink  = fakeInfo{mode: fs.ModeSymlink | 0o777}
)

const (
	made    = watch.Entry | watch.Content
	madeDir = watch.Entry | watch.Content | watch.Tree
)

func dirtied(change watch.Change, paths ...string) []*dirty.Entry {
	var entries []*dirty.Entry
	for _, p := range paths {
		entries = append(entries, &dirty.Entry{Path: p, Change: change})
	}
	return entries
}

// planned is a Plan without pointers.
type planned struct {
	trees, contents, quick []string
	root                   bool
	deleted                map[string][]string // the entries by their path
}

func (p planned) String() string {
	return fmt.Sprintf("trees %q, contents %q, quick %q, root %v, deleted %q", p.trees, p.contents, p.quick, p.root, p.deleted)
}

func flat(p Plan) planned {
	deleted := make(map[string][]string)
	for _, d := range p.Deleted {
		for _, e := range d.Entries {
			deleted[d.Path] = append(deleted[d.Path], e.Path)
		}
	}
	return planned{p.Trees, p.Contents, p.Quick, p.Root, deleted}
}

func TestMakePlan(t *testing.T) {
	t.Parallel()
	both := func(a, b []*dirty.Entry) []*dirty.Entry { return append(a, b...) }
	for _, test := range []struct {
		name    string
		tree    fake
		entries []*dirty.Entry
		want    planned
	}{
		{"nothing", fake{}, nil, planned{}},
		{"a file", fake{"a": fakeFile}, dirtied(made, "a"), planned{contents: []string{"a"}}},
		{"a link", fake{"a": fakeLink}, dirtied(made, "a"), planned{contents: []string{"a"}}},
		{"the mode of a small file", fake{"a": fakeFile}, dirtied(watch.Meta, "a"), planned{contents: []string{"a"}}},
		{"the mode of a large file", fake{"a": fakeLarge}, dirtied(watch.Meta, "a"), planned{quick: []string{"a"}}},
		{"the content of a large file", fake{"a": fakeLarge}, dirtied(watch.Meta|watch.Content, "a"), planned{contents: []string{"a"}}},
		{"the mode of a directory", fake{"d": fakeDir}, dirtied(watch.Meta, "d"), planned{contents: []string{"d"}}},
		{"a new directory", fake{"d": fakeDir}, dirtied(made, "d"), planned{trees: []string{"d"}}},
		{"a tree", fake{"d": fakeDir, "d/x": fakeFile}, both(dirtied(madeDir, "d"), dirtied(made, "d/x")), planned{trees: []string{"d"}}},
		{"a tree in a tree", fake{"d": fakeDir, "d/e": fakeDir, "d-": fakeFile},
			both(dirtied(madeDir, "d/e", "d"), dirtied(made, "d-")), planned{trees: []string{"d"}, contents: []string{"d-"}}},
		{"a file that had been a tree", fake{"d": fakeFile}, dirtied(madeDir, "d"), planned{contents: []string{"d"}}},
		{"the root", fake{}, dirtied(watch.Meta, ""), planned{root: true}},
		{"the root's own tree", fake{}, dirtied(madeDir, ""), planned{root: true}},
		{"gone", fake{}, dirtied(made, "a"), planned{deleted: map[string][]string{"a": {"a"}}}},
		{"gone below what is gone", fake{}, dirtied(madeDir, "d/e/f", "d", "d/e", "d/x"),
			planned{deleted: map[string][]string{"d": {"d", "d/e", "d/e/f", "d/x"}}}},
		{"gone below what is gone unnoticed", fake{"d": fakeDir}, dirtied(made, "d/e/f", "d/e/g"),
			planned{deleted: map[string][]string{"d/e": {"d/e/f", "d/e/g"}}}},
		{"gone in a tree", fake{"d": fakeDir}, both(dirtied(madeDir, "d"), dirtied(made, "d/x")), planned{trees: []string{"d"}}},
		{"a directory that became a link", fake{"d": fakeLink}, dirtied(made, "d/x", "d/y", "d"), planned{contents: []string{"d"}}},
		{"a directory that became a large file, unnoticed", fake{"d": fakeLarge}, dirtied(watch.Meta, "d/x"), planned{contents: []string{"d"}}},
		{"a file that became a directory", fake{"d": fakeDir, "d/x": fakeFile}, dirtied(made, "d", "d/x"), planned{trees: []string{"d"}}},
		{"below a link below a directory", fake{"a": fakeDir, "a/l": fakeLink}, dirtied(made, "a/l/b/c"), planned{contents: []string{"a/l"}}},
		{"a twin", fake{"a": fakeFile}, dirtied(made, "a", "a"), planned{contents: []string{"a"}}},
		{"unreadable is not gone", fake{"a": {err: syscall.EACCES}, "b": {err: syscall.EIO}, "c": {err: syscall.ELOOP}, "d": {err: errors.New("?")}},
			dirtied(made, "a", "b/x", "c", "d"), planned{contents: []string{"a", "b/x", "c", "d"}}},
		{"an unreadable tree is not gone", fake{"a": {err: syscall.EACCES}}, dirtied(madeDir, "a"), planned{contents: []string{"a"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.want.deleted == nil {
				test.want.deleted = map[string][]string{}
			}
			if got := flat(MakePlan(test.entries, nil, test.tree.lstat, Endpoint{}.MaxPath())); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

// What fails is left alone by the trees above it, and tried with all that is in it.
func TestPlanAroundWhatFails(t *testing.T) {
	t.Parallel()
	tree := fake{"a": fakeDir, "a/t": fakeDir, "a/t/no": fakeDir, "a/t/no/f": fakeFile, "a/t/no/d": fakeDir, "a/f": fakeFile}
	failing := []string{"a/t", "a", "a/t/no", "b"}
	tried := func(name string) []*dirty.Entry {
		return []*dirty.Entry{{Path: name, Change: madeDir, Attempts: 1}}
	}
	for name, test := range map[string]struct {
		entries []*dirty.Entry
		want    planned
		except  []string
	}{
		"one that is tried":             {tried("a/t"), planned{trees: []string{"a/t"}}, []string{"a/t/no", "b"}},
		"below it":                      {append(tried("a/t"), dirtied(made, "a/t/no/f", "a/t/no/gone")...), planned{trees: []string{"a/t"}, contents: []string{"a/t/no/f"}, deleted: map[string][]string{"a/t/no/gone": {"a/t/no/gone"}}}, []string{"a/t/no", "b"}},
		"a directory below it":          {append(tried("a"), dirtied(madeDir, "a/t/no/d")...), planned{trees: []string{"a", "a/t/no/d"}}, []string{"b"}},
		"below a tree that is tried":    {append(tried("a/t"), dirtied(made, "a/t/f")...), planned{trees: []string{"a/t"}}, []string{"a/t/no", "b"}},
		"nothing that is a directory":   {dirtied(made, "a/f"), planned{contents: []string{"a/f"}}, failing},
		"a file that fails in the tree": {append(dirtied(madeDir, "a"), tried("b")...), planned{trees: []string{"a"}, deleted: map[string][]string{"b": {"b"}}}, []string{"a/t", "a/t/no", "b"}},
	} {
		if test.want.deleted == nil {
			test.want.deleted = map[string][]string{}
		}
		plan := MakePlan(test.entries, failing, tree.lstat, Endpoint{}.MaxPath())
		if got := flat(plan); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\ngot  %v\nwant %v", name, got, test.want)
		}
		if !slices.Equal(plan.Except, test.except) {
			t.Errorf("%s: left alone are %q, expected %q", name, plan.Except, test.except)
		}
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		entries []*dirty.Entry
		want    bool
	}{
		{dirtied(made, "d"), false},
		{dirtied(madeDir, "d"), true},
		{dirtied(watch.Entry|watch.Tree, "d"), true},
	} {
		if got := MakePlan(test.entries, nil, fake{}.lstat, Endpoint{}.MaxPath()).Deleted[0].Unknown(); got != test.want {
			t.Errorf("%v: %v", test.entries[0], got)
		}
	}
}

// randomTree makes a tree of directories, files, links and unreadable entries.
func randomTree(r *rand.Rand) fake {
	f := make(fake)
	dirs := []string{""}
	for range r.IntN(25) {
		name := path.Join(dirs[r.IntN(len(dirs))], string(rune('a'+r.IntN(4))))
		if _, ok := f[name]; ok {
			continue
		}
		switch r.IntN(8) {
		case 0:
			f[name] = fakeLink
		case 1:
			f[name] = fakeFile
		case 2:
			f[name] = fakeLarge
		case 3:
			f[name] = fakeInfo{err: syscall.EACCES}
		default:
			f[name] = fakeDir
			dirs = append(dirs, name)
		}
	}
	return f
}

// Every entry is in the plan: as itself, by a tree above it, or by the topmost
// of its parents that is in its way. Nothing else is, and nothing twice.
func TestPlanHoldsEveryEntry(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 5))
		f := randomTree(r)
		var entries []*dirty.Entry
		for range 1 + r.IntN(20) {
			name := ""
			for range r.IntN(5) {
				name = path.Join(name, string(rune('a'+r.IntN(4))))
			}
			entries = append(entries, &dirty.Entry{Path: name, Change: watch.Change(1 + r.IntN(31))})
		}
		plan := MakePlan(slices.Clone(entries), nil, f.lstat, Endpoint{}.MaxPath())
		if problem := checkPlan(f, entries, plan); problem != "" {
			t.Fatalf("seed %d: %s\ntree %v\n%v", seed, problem, slices.Sorted(maps.Keys(f)), flat(plan))
		}
	}
}

func checkPlan(f fake, entries []*dirty.Entry, plan Plan) string {
	listed := make(map[string]int)
	for _, names := range [][]string{plan.Trees, plan.Contents, plan.Quick} {
		for _, name := range names {
			listed[name]++
		}
	}
	deleted := make(map[string]Deletion)
	for _, d := range plan.Deleted {
		listed[d.Path]++
		deleted[d.Path] = d
		if _, err := f.lstat(d.Path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("%s is deleted, and there: %v", d.Path, err)
		}
	}
	for name, n := range listed {
		if n > 1 {
			return name + " is listed twice"
		}
		for up := path.Dir(name); up != "."; up = path.Dir(up) {
			if info, err := f.lstat(up); err == nil && !info.IsDir() || errors.Is(err, fs.ErrNotExist) {
				return fmt.Sprintf("%s is listed, and %s is in its way", name, up)
			}
			if slices.Contains(plan.Trees, up) {
				return fmt.Sprintf("%s is listed, and in the tree %s", name, up)
			}
		}
	}
	used := make(map[string]bool)
	for _, e := range entries {
		by, tree := representative(f, e, plan)
		switch {
		case by == "" && !tree:
			if !plan.Root {
				return "the root is missing"
			}
			continue
		case listed[by] == 0:
			return fmt.Sprintf("%q (%b) is not in the plan, expected by %q", e.Path, e.Change, by)
		}
		used[by] = true
		if d, ok := deleted[by]; ok && !slices.Contains(d.Entries, e) {
			return fmt.Sprintf("the deletion of %s does not know of %s", by, e.Path)
		}
	}
	for name := range listed {
		if !used[name] {
			return name + " is listed for nothing"
		}
	}
	return ""
}

// representative is the path that must be listed for an entry.
func representative(f fake, e *dirty.Entry, plan Plan) (by string, tree bool) {
	for _, t := range plan.Trees {
		if relpath.Within(e.Path, t) {
			return t, true
		}
	}
	for i := range len(e.Path) {
		if e.Path[i] != '/' {
			continue
		}
		up := e.Path[:i]
		if info, err := f.lstat(up); err == nil && !info.IsDir() || errors.Is(err, fs.ErrNotExist) {
			return up, false
		}
	}
	return e.Path, false
}

func TestLstatIn(t *testing.T) {
	t.Parallel()
	root := dir(t, 0)
	tree(t, root, map[string]string{"d/f": "x", "l": "-> d"})
	lstat := LstatIn(root)
	if info, err := lstat(""); err != nil || !info.IsDir() {
		t.Errorf("the root: %v", err)
	}
	if info, err := lstat("l"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("a link: %v", err)
	}
	if _, err := lstat("d/f/x"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("below a file: %v", err)
	}
	got := flat(MakePlan(dirtied(made, "d/f", "d/f/x", "gone", "l/f"), nil, lstat, Endpoint{}.MaxPath()))
	want := planned{contents: []string{"d/f", "l"}, deleted: map[string][]string{"gone": {"gone"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestPlanObstacles(t *testing.T) {
	tree := fake{"d": {mode: fs.ModeDir}, "d/f": {}, "file": {}, "link": {mode: fs.ModeSymlink}}
	for _, test := range []struct {
		entries string
		want    []string
	}{
		{"d/f", nil},
		{"d/gone", nil},
		{"file", nil},
		{"file/below", []string{"file"}},
		{"link/below", []string{"link"}},
		{"gone/below", []string{"gone"}},
		{"gone/below gone", nil}, // which is in it anyway
		{"d/f file/below", []string{"file"}},
		{"file file/below", nil},
	} {
		var entries []*dirty.Entry
		for name := range strings.FieldsSeq(test.entries) {
			entries = append(entries, &dirty.Entry{Path: name, Change: watch.Content})
		}
		plan := MakePlan(entries, nil, tree.lstat, 4096)
		if got := plan.Obstacles(entries); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q", test.entries, got)
		}
		if above := strings.Contains(test.entries, "file/below"); above != slices.Equal(plan.Replaced, []string{"file"}) {
			t.Errorf("%s: replaced are %q", test.entries, plan.Replaced)
		}
	}
	for name, want := range map[string][]string{"file": {"file"}, "d": nil, "gone": nil} {
		plan := MakePlan([]*dirty.Entry{{Path: name, Change: watch.Entry | watch.Tree}}, nil, tree.lstat, 4096)
		if !slices.Equal(plan.Replaced, want) {
			t.Errorf("a directory that went at %s: replaced are %q", name, plan.Replaced)
		}
	}
}
