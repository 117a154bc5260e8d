package direct

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"path"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// made is a workspace that there is only in a test, by path.
type made map[string]item

// item is something in it; its fields beside mode are for what is special.
type item struct {
	mode   fs.FileMode
	size   int64
	time   int64
	nlink  uint64
	uid    uint32
	target string // of a symbolic link, from the root
	err    error  // what Lstat and ReadDir say
}

var (
	aFile  = item{mode: 0o644, size: 10}
	aDir   = item{mode: fs.ModeDir | 0o755}
	aLink  = item{mode: fs.ModeSymlink | 0o777, target: "none"}
	toADir = item{mode: fs.ModeSymlink | 0o777, target: "dir"}
)

// info is an item as its fs.FileInfo.
type info struct {
	name string
	item
}

func (i info) Name() string       { return path.Base(i.name) }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Unix(i.time, 0) }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any {
	st := &syscall.Stat_t{Uid: i.uid}
	// The type of this one is another on each system.
	reflect.ValueOf(st).Elem().FieldByName("Nlink").SetUint(max(i.nlink, 1))
	return st
}

// Lstat is lstat(2): symbolic links that lead to a name are followed.
func (m made) Lstat(name string) (fs.FileInfo, error) {
	at := ""
	for _, element := range strings.Split(name, "/") {
		if at != "" {
			up, ok := m[at]
			if up.mode.Type() == fs.ModeSymlink {
				at = up.target
				up, ok = m[at]
			}
			if !ok {
				return nil, syscall.ENOENT
			}
			if !up.mode.IsDir() {
				return nil, syscall.ENOTDIR
			}
		}
		at = path.Join(at, element)
	}
	if name == "" {
		return info{"", aDir}, nil
	}
	i, ok := m[at]
	if !ok {
		return nil, syscall.ENOENT
	}
	return info{at, i}, i.err
}

func (m made) Carries(string, fs.FileInfo, watch.Change) bool { return true }

func (m made) ReadDir(name string) (entries []fs.DirEntry, err error) {
	for p, i := range m {
		if path.Dir(p) == name {
			entries = append(entries, fs.FileInfoToDirEntry(info{p, i}))
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, m[name].err
}

// describe is a plan in words: its steps in order, and what is left.
func describe(p Plan) string {
	kinds := map[Kind]string{MakeDirectory: "mkdir", PutFile: "put", PutSymlink: "link", RemoveFile: "rm", RemoveDirectory: "rmdir", SetAttributes: "set"}
	var words []string
	for _, s := range p.Steps {
		words = append(words, kinds[s.Kind]+" "+s.Path)
	}
	for _, path := range pathsOf(p.Rest) {
		words = append(words, "left "+path)
	}
	return strings.Join(words, ", ")
}

func ownsAll(uint32, uint32) bool { return true }

func TestPlan(t *testing.T) {
	failing := func(e *dirty.Entry) *dirty.Entry { e.Attempts = 1; return e }
	approved := func(e *dirty.Entry) *dirty.Entry { e.Approved = 1; return e }
	list := func(e ...*dirty.Entry) []*dirty.Entry { return e }
	both := newEntry | watch.Tree
	for _, test := range []struct {
		name    string
		tree    made
		entries []*dirty.Entry
		want    string
	}{
		{"nothing", made{}, nil, ""},
		{"a file", made{"f": aFile}, list(entry("f", watch.Content)), "put f, set "},
		{"a file with other attributes", made{"f": aFile}, list(entry("f", watch.Meta)), "set f"},
		{"a file with other attributes and content", made{"f": aFile}, list(entry("f", watch.Meta|watch.Content)), "put f, set "},
		{"a file of which only Tree is known", made{"f": aFile}, list(entry("f", watch.Tree)), "put f, set "},
		{"a file in a directory", made{"d": aDir, "d/f": aFile}, list(entry("d/f", newEntry)), "put d/f, set d"},
		{"a link", made{"l": aLink}, list(entry("l", watch.Entry)), "link l, set "},
		{"a link with other attributes", made{"l": aLink}, list(entry("l", watch.Meta)), "link l, set "},
		{"a pipe", made{"p": item{mode: fs.ModeNamedPipe}}, list(entry("p", newEntry)), "left p"},
		{"a device", made{"p": item{mode: fs.ModeDevice}}, list(entry("p", watch.Meta)), "left p"},
		{"a directory with other attributes", made{"d": aDir}, list(entry("d", watch.Meta)), "set d"},
		{"a directory in the place of a file that was written", made{"d": aDir, "d/f": aFile}, list(entry("d", watch.Content)), "mkdir d, put d/f, set d, set "},
		{"a file that was removed", made{}, list(entry("f", watch.Entry)), "rm f, set "},
		{"a file that changed and is gone", made{}, list(entry("f", watch.Content)), "rm f, set "},
		{"a directory that was removed", made{}, list(entry("d", newTree), entry("d/f", watch.Entry)), "rm d/f, rmdir d, set "},
		{"a directory that was removed, with directories", made{}, list(entry("d", newTree), entry("d/e", newTree), entry("d/e/f", watch.Entry)),
			"rm d/e/f, rmdir d/e, rmdir d, set "},
		{"the root's attributes", made{}, list(entry("", watch.Meta)), "set "},
		{"the root as a whole", made{"f": aFile}, list(entry("", newTree)), "left "},

		{"a new directory", made{"d": aDir}, list(entry("d", newTree)), "mkdir d, set d, set "},
		{"a new tree", made{"d": aDir, "d/e": aDir, "d/e/f": aFile, "d/l": aLink, "d/f": aFile}, list(entry("d", newTree)),
			"mkdir d, mkdir d/e, put d/e/f, put d/f, link d/l, set d/e, set d, set "},
		{"a new tree, and what is new in it", made{"d": aDir, "d/e": aDir, "d/e/f": aFile}, list(entry("d/e/f", newEntry), entry("d/e", newTree), entry("d", newTree), entry("d/gone", watch.Entry)),
			"mkdir d, mkdir d/e, put d/e/f, set d/e, set d, set "},
		{"a new tree, and a name that begins like it", made{"d": aDir, "d-e": aFile, "d0": aFile}, list(entry("d", newTree), entry("d-e", newEntry), entry("d0", newEntry)),
			"mkdir d, put d-e, put d0, set d, set "},
		{"a new tree with something special", made{"d": aDir, "d/f": aFile, "d/p": item{mode: fs.ModeSocket}}, list(entry("d", newTree)), "left d"},
		{"a new tree with a large file", made{"d": aDir, "d/f": aFile, "d/g": item{size: 1001}}, list(entry("d", newTree)), "left d"},
		{"a new tree with something that cannot be read", made{"d": aDir, "d/f": item{err: syscall.EACCES}}, list(entry("d", newTree)), "left d"},
		{"a new tree that cannot be read", made{"d": item{mode: fs.ModeDir}, "d/e": item{mode: fs.ModeDir, err: syscall.EACCES}}, list(entry("d", newTree)), "left d"},
		{"below a tree that is left", made{"d": aDir, "d/f": aFile, "d/p": item{mode: fs.ModeSocket}}, list(entry("d", newTree), entry("d/f", newEntry), entry("d-", watch.Entry)),
			"rm d-, set , left d, left d/f"},

		{"a file that became a directory", made{"x": aDir, "x/f": aFile}, list(entry("x", both), entry("x/f", newEntry)), "mkdir x, put x/f, set x, set "},
		{"a directory that became a file", made{"x": aFile}, list(entry("x", both), entry("x/f", watch.Entry), entry("x/e/g", watch.Entry)),
			"put x, set , left x/e/g, left x/f"},
		{"a directory that became a link", made{"x": toADir, "dir": aDir, "dir/f": aFile}, list(entry("x", both), entry("x/f", newEntry), entry("x/gone", watch.Entry)),
			"link x, set , left x/f, left x/gone"},
		{"a directory that became a link to nothing", made{"x": aLink}, list(entry("x", both), entry("x/f", watch.Entry)), "link x, set , left x/f"},
		{"below a link in the middle", made{"a": aDir, "a/x": toADir, "dir": aDir, "dir/e": aDir, "dir/e/f": aFile}, list(entry("a/x/e/f", newEntry)), "left a/x/e/f"},
		{"below a directory that is gone", made{}, list(entry("d/e/f", newEntry)), "rm d/e/f"},

		{"a large file", made{"f": item{size: 1001}}, list(entry("f", watch.Content)), "left f"},
		{"a file at the limit", made{"f": item{size: 1000}}, list(entry("f", watch.Content)), "put f, set "},
		{"a large file's attributes", made{"f": item{size: 1001}}, list(entry("f", watch.Meta)), "set f"},
		{"a file with other names", made{"f": item{nlink: 2}}, list(entry("f", newEntry)), "put f, set "},
		{"a file with other names and other attributes", made{"f": item{nlink: 2}}, list(entry("f", watch.Meta)), "set f"},
		{"a file of others", made{"f": item{uid: 5}, "d": item{mode: fs.ModeDir, uid: 5}}, list(entry("f", newEntry), entry("d", newTree)), "left d, left f"},
		{"before 1970", made{"f": item{time: -1}, "g": item{}}, list(entry("f", newEntry), entry("g", newEntry)), "put g, set , left f"},
		{"after 2106", made{"f": item{time: math.MaxUint32 + 1}, "g": item{time: math.MaxUint32}}, list(entry("f", watch.Meta), entry("g", newEntry)), "put g, set , left f"},
		{"a directory from before 1970", made{"d": item{mode: fs.ModeDir, time: -1}}, list(entry("d", watch.Meta)), "left d"},
		{"in a directory from before 1970", made{"d": item{mode: fs.ModeDir, time: -1}, "d/f": aFile}, list(entry("d/f", watch.Content)), "put d/f, left d"},
		{"something that cannot be looked at", made{"f": item{err: syscall.EACCES}}, list(entry("f", newEntry)), "left f"},

		{"a path that fails", made{"f": aFile}, list(failing(entry("f", newEntry)), failing(entry("gone", watch.Entry))), "left f, left gone"},
		{"below a path that fails", made{"d": aDir, "d/f": aFile}, list(failing(entry("d", newTree)), entry("d/f", newEntry)), "left d, left d/f"},
		{"below a path that fails with its mode", made{"d": aDir, "d/f": aFile}, list(failing(entry("d", watch.Meta)), entry("d/f", watch.Content)), "put d/f, set d, left d"},
		{"a path that fails in a new tree", made{"d": aDir, "d/f": aFile}, list(entry("d", newTree), failing(entry("d/f", newEntry))), "mkdir d, put d/f, set d, set , left d/f"},
		{"an approved file", made{}, list(approved(entry("f", watch.Entry))), "rm f, set "},
		{"an approved directory", made{}, list(approved(entry("d", both)), entry("d/f", watch.Entry)), "left d"},
		{"an approval that is out of date", made{"d": aDir}, list(approved(entry("d", both))), "mkdir d, set d, set "},

		{"the limit of deletions", made{}, list(entry("a", watch.Entry), entry("b", watch.Entry), entry("c", newTree)), "rm b, rm a, rmdir c, set "},
		{"more deletions", made{"f": aFile}, list(entry("a", watch.Entry), entry("b", watch.Entry), entry("c", newTree), entry("d", watch.Entry), entry("f", newEntry)),
			"put f, set , left a, left b, left c, left d"},
		{"more deletions, of which some are approved", made{}, list(entry("a", watch.Entry), entry("b", watch.Entry), entry("c", newTree), approved(entry("d", watch.Entry))),
			"rm d, rm b, rm a, rmdir c, set "},
	} {
		t.Run(test.name, func(t *testing.T) {
			owns := func(uid, _ uint32) bool { return uid == 0 }
			before := fmt.Sprint(values(test.entries))
			plan := MakePlan(nil, test.entries, test.tree, owns, Limits{Paths: 100, Bytes: 5000, FileSize: 1000, Deletions: 3})
			if got := describe(plan); got != test.want {
				t.Errorf("planned\n%s, expected\n%s", got, test.want)
			}
			if after := fmt.Sprint(values(test.entries)); after != before {
				t.Errorf("somebody else's entries became %s", after)
			}
			for _, s := range plan.Steps {
				if s.Entry == nil {
					t.Errorf("%+v is for nobody", s)
				}
				if removal := s.Kind == RemoveFile || s.Kind == RemoveDirectory; removal != (s.Info == nil) {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

// values are entries by value.
func values(entries []*dirty.Entry) []dirty.Entry {
	var all []dirty.Entry
	for _, e := range entries {
		all = append(all, *e)
	}
	return all
}

// Beyond the limits of a batch all goes to rsync, but for the directories of
// moves.
func TestPlanLimits(t *testing.T) {
	tree := made{"d": aDir, "w": aDir, "x": aDir, "y": aDir, "y/f": aFile}
	for i := range 4 {
		tree[fmt.Sprint("w/", i)] = aFile
	}
	for i := range 20 {
		tree[fmt.Sprint("d/", i)] = aFile
	}
	small := Limits{Paths: 10, Bytes: 100, FileSize: 50}
	beside := small
	beside.Beside = 2
	files := func(n int) (entries []*dirty.Entry) {
		for i := range n {
			entries = append(entries, entry(fmt.Sprint("d/", i), newEntry))
		}
		return entries
	}
	for _, test := range []struct {
		name        string
		entries     []*dirty.Entry
		moves       []dirty.Move
		limits      Limits
		steps, left int
	}{
		{"just as many", files(10), nil, small, 11, 0}, // and their directory
		{"too many paths", files(11), nil, small, 0, 11},
		{"too many bytes", files(10), nil, Limits{Paths: 10, Bytes: 99, FileSize: 50}, 0, 10},
		{"too many paths in a tree, few beside", []*dirty.Entry{entry("d", newTree), entry("x", newTree)}, nil, beside, 3, 1},
		{"too many paths in a tree, many beside", []*dirty.Entry{entry("d", newTree), entry("x", newTree)}, nil, small, 0, 2},
		{"many trees, few files beside", []*dirty.Entry{entry("d", newTree), entry("w", newTree), entry("x", newTree), entry("y/f", newEntry)}, nil, Limits{Paths: 25, Bytes: 1000, FileSize: 50, Beside: 1}, 2, 3},
		{"many trees, many files beside", append(files(2), entry("w", newTree), entry("x", newTree), entry("y/f", newEntry)), nil, Limits{Paths: 6, Bytes: 1000, FileSize: 50, Beside: 2}, 0, 5},
		{"too many bytes in a tree", []*dirty.Entry{entry("d", newTree)}, nil, Limits{Paths: 100, Bytes: 199, FileSize: 50}, 0, 1},
		{"a tree that just fits", []*dirty.Entry{entry("d", newTree)}, nil, Limits{Paths: 22, Bytes: 200, FileSize: 50}, 23, 0},
		{"any number of deletions", files(10), nil, Limits{Paths: 10, Bytes: 100, FileSize: 50, Deletions: math.MaxInt}, 11, 0},
		{"moves beside", files(11), []dirty.Move{{From: "d/gone", To: "x/new"}}, small, 2, 11},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan := MakePlan(test.moves, test.entries, tree, ownsAll, test.limits)
			if len(plan.Steps) != test.steps || len(plan.Rest) != test.left {
				t.Errorf("%d steps and %d left: %s", len(plan.Steps), len(plan.Rest), describe(plan))
			}
		})
	}
}

// Moves change the times of the directories of both names.
func TestPlanOfMoves(t *testing.T) {
	tree := made{"a": aDir, "b": aDir, "b/c": aDir, "f": aFile, "b/f": aFile, "l": toADir, "dir": aDir}
	for _, test := range []struct {
		from, to, want string
	}{
		{"a/x", "b/c/y", "set b/c, set a"},
		{"x", "a/y", "set a, set "},
		{"a/x", "a/y", "set a"},
		{"gone/x", "a/y", "set a"},
		{"l/x", "f/y", ""},
	} {
		plan := MakePlan([]dirty.Move{{From: test.from, To: test.to, Seq: 3}}, nil, tree, ownsAll, limits)
		if got := describe(plan); got != test.want {
			t.Errorf("%s to %s: %q, expected %q", test.from, test.to, got, test.want)
		}
		for _, s := range plan.Steps {
			if s.Entry.Seq != 3 || s.Entry.Path != s.Path || s.Entry.Change != watch.Meta {
				t.Errorf("%+v", s.Entry)
			}
		}
	}
	// A directory is found under the name that later moves give it.
	moves := []dirty.Move{{From: "b/old/x", To: "b/old/deep/y"}, {From: "b/old", To: "a/mid", Dir: true}, {From: "a/mid", To: "b/c", Dir: true}}
	tree["b/c/deep"] = aDir
	if got, want := describe(MakePlan(moves, nil, tree, ownsAll, limits)), "set b/c/deep, set b/c, set b, set a"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
	// What a file needs is enough.
	plan := MakePlan([]dirty.Move{{From: "x", To: "b/y"}}, []*dirty.Entry{entry("b", watch.Meta), entry("b/f", watch.Content)}, tree, ownsAll, limits)
	if got := describe(plan); got != "put b/f, set b, set " {
		t.Error(got)
	}
}

// A directory stands for what is dirty below it, so it is as old as that.
func TestPlanOfATreeIsAsOldAsWhatIsBelow(t *testing.T) {
	old := &dirty.Entry{Path: "d/f", Change: watch.Content, Seq: 2, Since: time.Unix(2, 0)}
	tree := &dirty.Entry{Path: "d", Change: newTree, Seq: 9, Since: time.Unix(9, 0)}
	check := func(e *dirty.Entry) {
		t.Helper()
		if e.Seq != 2 || !e.Since.Equal(time.Unix(2, 0)) {
			t.Errorf("%+v", e)
		}
	}
	plan := MakePlan(nil, []*dirty.Entry{tree, old}, made{"d": aDir, "d/f": aFile}, ownsAll, limits)
	for _, s := range plan.Steps {
		check(s.Entry)
	}
	tree.Approved = 1
	plan = MakePlan(nil, []*dirty.Entry{tree, old}, made{}, ownsAll, limits)
	if len(plan.Steps) > 0 || len(plan.Rest) != 1 {
		t.Fatal(describe(plan))
	}
	check(plan.Rest[0])
	if tree.Seq != 9 {
		t.Error("the caller's entry changed")
	}
}

// Nothing is lost between the two lanes: each entry has a step, is left, or is
// below one that is.
func TestPlanLosesNothing(t *testing.T) {
	kinds := []item{aFile, aDir, aLink, toADir, {mode: fs.ModeSocket}, {size: 5000}, {nlink: 2}, {time: -1}, {err: errors.New("no")}}
	for seed := range 3000 {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		tree, names := made{"dir": aDir}, []string{"a", "b", "a/a", "a/b", "b/a", "a/a/a", "a/a/b", "b/a/c", "dir/a"}
		for _, name := range names {
			if up := tree[path.Dir(name)]; path.Dir(name) != "." && !up.mode.IsDir() {
				continue
			}
			if n := r.IntN(2 * len(kinds)); n < len(kinds) {
				tree[name] = kinds[n]
			} else if n%2 == 0 {
				tree[name] = aDir
			}
		}
		var entries []*dirty.Entry
		for _, name := range names {
			if r.IntN(2) == 0 {
				e := entry(name, watch.Change(1+r.IntN(31)))
				e.Attempts, e.Approved = r.IntN(8)/7, r.IntN(3)/2
				entries = append(entries, e)
			}
		}
		plan := MakePlan(nil, entries, tree, ownsAll, Limits{Paths: 1 + r.IntN(20), Bytes: 1000, FileSize: 1000, Deletions: r.IntN(5)})
		has := make(map[string]bool)
		for _, s := range plan.Steps {
			has[s.Path] = true
		}
		for _, e := range plan.Rest {
			has[e.Path] = true
		}
		for _, e := range entries {
			if !isWithin(e.Path, has) {
				t.Fatalf("seed %d: %q is neither planned nor left: %s", seed, e.Path, describe(plan))
			}
		}
		if !slices.IsSortedFunc(plan.Steps, inOrder) {
			t.Fatalf("seed %d: %s", seed, describe(plan))
		}
	}
}
