package direct

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

var (
	churnSeeds = flag.Int("direct.seeds", 15, "TestChurn: how many seeds of random changes to run")
	churnSeed  = flag.Int("direct.seed", -1, "TestChurn: the one seed to run, as printed by a failure")
)

// Whatever is changed in a tree: what goes directly and what is left, brought
// by a plain copy, make the destination equal, and nothing else is touched.
func TestChurn(t *testing.T) { testChurn(t, false) }

// The same with a trash: whatever is removed or replaced is in it.
func TestChurnWithTrash(t *testing.T) { testChurn(t, true) }

func testChurn(t *testing.T, trash bool) {
	seeds := *churnSeeds
	if testing.Short() {
		seeds = min(seeds, 5)
	}
	for name, start := range targets {
		t.Run(name, func(t *testing.T) {
			direct, left := 0, 0
			for seed := range seeds {
				if *churnSeed >= 0 {
					seed = *churnSeed
				}
				c := &churn{fixture: start(t, t.TempDir(), t.TempDir()), r: rand.New(rand.NewPCG(uint64(seed), 11)), outside: t.TempDir()}
				if trash {
					c.keepTrash()
				}
				c.run(seed)
				direct, left = direct+c.direct, left+c.left
				if t.Failed() || *churnSeed >= 0 {
					t.Log(strings.Join(c.log, "\n"))
					return
				}
			}
			t.Logf("%d steps, %d paths left", direct, left)
			if *churnSeed < 0 && direct < 2*left {
				t.Error("most is left to rsync: this shows little")
			}
		})
	}
}

// churn is a fixture with a tree that changes at random.
type churn struct {
	*fixture
	r       *rand.Rand
	outside string // links lead there
	log     []string
	set     *dirty.Set
	seq     uint64
	n       int

	direct, left int
}

func (c *churn) run(seed int) {
	c.write(filepath.Join(c.outside, "a"), "must stay")
	c.write(filepath.Join(c.outside, "b/a"), "must stay")
	reference := c.TempDir()
	c.copy(c.outside, reference, "")
	c.set = dirty.NewSet()
	for range 25 {
		c.change()
	}
	c.copy(c.src, c.dst, "")
	c.attributes(".")
	for round := range 12 {
		c.set = dirty.NewSet()
		c.log = append(c.log, fmt.Sprint("round ", round))
		for range 1 + c.r.IntN(8) {
			c.change()
		}
		c.transfer()
		if d := remotetest.CompareSent(c.src, c.dst); len(d) > 0 {
			c.Errorf("-direct.seed=%d: in round %d:\n%s", seed, round, strings.Join(d, "\n"))
			return
		}
		if d := remotetest.CompareTrees(reference, c.outside); len(d) > 0 {
			c.Errorf("-direct.seed=%d: in round %d something outside changed:\n%s", seed, round, strings.Join(d, "\n"))
			return
		}
	}
	c.wantNoLeftovers()
	if c.server != nil {
		c.lane.Close() // there are many
		c.server.Close()
	}
}

// transfer brings what is dirty to the destination.
func (c *churn) transfer() {
	batch := c.set.Take(time.Now().Add(time.Hour))
	l := Limits{Paths: 40, Bytes: 1 << 20, FileSize: 50_000, Deletions: c.r.IntN(6)}
	plan := MakePlan(batch.Moves, batch.Entries, source(c.src), c.lane.Owns, l)
	before := c.contents()
	result, err := c.lane.Do(batch.Moves, plan.Steps, l.FileSize, c.marks.Add(1))
	c.check(err)
	c.log = append(c.log, fmt.Sprintf("moves %v, %s, failed %q %v", batch.Moves, describe(plan), pathsOf(result.Failed), result.MovesFailed))
	rest := dirty.Batch{Moves: result.MovesFailed, Entries: append(plan.Rest, result.Failed...)}.WithoutMoves()
	if c.lane.trash != nil {
		c.wantKept(before)
	}
	c.direct += len(plan.Steps)
	c.left += rest.Len()
	for _, e := range rest.Entries {
		c.plain(e)
	}
	for _, e := range rest.Entries {
		for name := e.Path; ; name = filepath.Dir(name) {
			c.attributes(name)
			if name == "." || name == "" {
				break
			}
		}
	}
}

// plain brings one path to the destination, as rsync would.
func (c *churn) plain(e *dirty.Entry) {
	name, change := e.Path, e.Change
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		if info, err := os.Lstat(c.at(name[:i])); err != nil || !info.IsDir() {
			name, change = name[:i], change|watch.Entry
			break
		}
		if info, err := os.Lstat(c.there(name[:i])); err != nil || !info.IsDir() {
			c.check(os.RemoveAll(c.there(name[:i])))
			c.check(os.Mkdir(c.there(name[:i]), 0o755))
		}
	}
	info, err := os.Lstat(c.at(name))
	there, errThere := os.Lstat(c.there(name))
	if err == nil && info.IsDir() && errThere == nil && there.IsDir() && change&(watch.Entry|watch.Tree) == 0 {
		return
	}
	if name == "" {
		c.Fatal("the root is left as a whole")
	}
	c.check(os.RemoveAll(c.there(name)))
	if err == nil {
		c.copy(c.src, c.dst, name)
	}
}

// copy copies what is at name, with its attributes.
func (c *churn) copy(from, to, name string) {
	c.check(filepath.WalkDir(filepath.Join(from, name), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch e.Type() {
		case fs.ModeDir:
			return os.MkdirAll(target, 0o755)
		case fs.ModeSymlink:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	}))
	var all []string
	c.check(filepath.WalkDir(filepath.Join(from, name), func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	}))
	for _, path := range slices.Backward(all) {
		rel, err := filepath.Rel(from, path)
		c.check(err)
		c.copyAttributes(path, filepath.Join(to, rel))
	}
}

// attributes copies those of a path that both sides have.
func (c *churn) attributes(name string) {
	a, err := os.Lstat(c.at(name))
	b, errThere := os.Lstat(c.there(name))
	if err == nil && errThere == nil && a.Mode().Type() == b.Mode().Type() {
		c.copyAttributes(c.at(name), c.there(name))
	}
}

func (c *churn) copyAttributes(from, to string) {
	info, err := os.Lstat(from)
	c.check(err)
	if info.Mode().Type() != fs.ModeSymlink {
		c.check(os.Chmod(to, info.Mode()))
	}
	c.check(setTime(to, info.ModTime()))
}

// some is something of the tree; which at random.
func (c *churn) some(want func(info fs.FileInfo) bool) string {
	var all []string
	c.check(filepath.WalkDir(c.src, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && path != c.src && want(info) {
			rel, _ := filepath.Rel(c.src, path)
			all = append(all, rel)
		}
		return err
	}))
	if len(all) == 0 {
		return ""
	}
	return all[c.r.IntN(len(all))]
}

func anything(fs.FileInfo) bool         { return true }
func isDirectory(info fs.FileInfo) bool { return info.IsDir() }
func isFile(info fs.FileInfo) bool      { return info.Mode().IsRegular() }

// newName is a name that is free, below the root or one of the directories.
// There are few names, so that links lead to directories with the same ones.
func (c *churn) newName() string {
	dir := ""
	if c.r.IntN(3) > 0 {
		dir = c.some(isDirectory)
	}
	name := filepath.Join(dir, string(rune('a'+c.r.IntN(4))))
	if _, err := os.Lstat(c.at(name)); err == nil || strings.Count(name, "/") > 3 {
		return ""
	}
	return name
}

// change changes something and marks it as the watcher would.
func (c *churn) change() {
	switch c.r.IntN(14) {
	case 0, 1, 2:
		c.file(c.newName())
	case 3, 4:
		c.directory(c.newName())
	case 5, 6:
		c.link(c.newName())
	case 7:
		if name := c.some(isFile); name != "" {
			c.note("write", name)
			c.write(c.at(name), c.content())
			c.mark(name, watch.Content)
		}
	case 8:
		name := c.some(func(info fs.FileInfo) bool { return isFile(info) || info.IsDir() })
		if name == "" {
			return
		}
		c.note("chmod", name)
		c.check(os.Chmod(c.at(name), []fs.FileMode{0o700, 0o755, 0o750 | fs.ModeSetgid}[c.r.IntN(3)]))
		c.check(os.Chtimes(c.at(name), time.Time{}, time.Unix(c.r.Int64N(4e9), 0)))
		c.mark(name, watch.Meta)
	case 9:
		c.remove(c.some(anything))
	case 10, 11: // another thing under the old name
		name := c.some(anything)
		if c.remove(name); name == "" {
			return
		}
		switch c.r.IntN(3) {
		case 0:
			c.file(name)
		case 1:
			c.link(name)
		default:
			c.directory(name)
			if c.r.IntN(3) == 0 {
				c.remove(name)
			}
		}
	case 12:
		if from := c.some(anything); from != "" {
			c.rename(from, c.newName())
		}
	default:
		if to := c.some(isFile); to != "" {
			c.rename(c.some(isFile), to)
		}
	}
}

func (c *churn) note(what ...any) { c.log = append(c.log, fmt.Sprint(what...)) }

func (c *churn) mark(name string, change watch.Change) {
	c.seq++
	c.set.Mark(name, change, c.seq, time.Now())
}

func (c *churn) content() string {
	c.n++
	return fmt.Sprint(c.n, " ") + strings.Repeat("x", c.r.IntN(100)*c.r.IntN(100)*c.r.IntN(9))
}

func (c *churn) file(name string) {
	if name == "" {
		return
	}
	c.note("file ", name)
	c.check(os.WriteFile(c.at(name), []byte(c.content()), 0o644))
	c.mark(name, newEntry)
}

// link makes a link, to a directory here or outside, or to nothing.
func (c *churn) link(name string) {
	if name == "" {
		return
	}
	target := c.outside
	switch to := c.some(isDirectory); c.r.IntN(4) {
	case 0, 1:
		if rel, err := filepath.Rel(filepath.Dir(name), to); err == nil && to != "" {
			target = rel
		}
	case 2:
		target = "nothing"
	}
	c.note("link ", name, " to ", target)
	c.check(os.Symlink(target, c.at(name)))
	c.mark(name, newEntry)
}

// directory makes a directory, with something in it.
func (c *churn) directory(name string) {
	if name == "" {
		return
	}
	c.note("directory ", name)
	c.check(os.Mkdir(c.at(name), 0o755))
	c.mark(name, newTree)
	for _, inside := range []string{"a", "b"} {
		switch c.r.IntN(4) {
		case 0, 1:
			c.file(name + "/" + inside)
		case 2:
			if strings.Count(name, "/") < 3 {
				c.directory(name + "/" + inside)
			}
		}
	}
}

func (c *churn) remove(name string) {
	if name == "" {
		return
	}
	info, err := os.Lstat(c.at(name))
	c.check(err)
	change := watch.Entry
	if info.IsDir() {
		change |= watch.Tree
		entries, err := os.ReadDir(c.at(name))
		c.check(err)
		for _, e := range entries {
			c.remove(name + "/" + e.Name())
		}
	}
	c.note("remove ", name)
	c.check(os.Remove(c.at(name)))
	c.mark(name, change)
}

func (c *churn) rename(from, to string) {
	if from == "" || to == "" || from == to || relpath.Below(to, from) {
		return
	}
	info, err := os.Lstat(c.at(from))
	c.check(err)
	if err := os.Rename(c.at(from), c.at(to)); errors.Is(err, fs.ErrNotExist) {
		return
	} else {
		c.check(err)
	}
	c.note("rename ", from, " to ", to)
	c.seq++
	change := newEntry
	if info.IsDir() {
		change |= watch.Tree
	}
	if !c.set.Move(from, to, info.IsDir(), c.seq, time.Now()) {
		c.mark(to, change)
		c.set.MarkMoved(from, to, change, c.seq, time.Now())
	}
}
