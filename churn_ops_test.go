package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The bounds of a tree of the churn.
const (
	churnLeast   = 15   // entries, below which nothing is deleted
	churnMost    = 350  // entries, above which more is deleted than made
	churnMaxGone = 80   // entries gone in all, where the guard is on
	churnPathMax = 1500 // bytes of a path below the workspace
	churnBigSize = 3 << 20
)

// churnTree is what the source holds: relative paths in order, "" not among
// them. The test alone changes the source, so reading it is as good as keeping
// a model of it.
type churnTree struct {
	files, dirs, links, all []string
	mirrored                []string // all but what is ignored
	// beyond are ignored names of files that may have others, and not among the rest: no
	// event tells of what is written to them.
	beyond []string
}

// churnHandle is a file that is held open over several operations.
type churnHandle struct {
	file *os.File
	id   int
}

// look reads the source.
func (c *churn) look() {
	c.tree = churnTree{}
	c.check(filepath.WalkDir(c.source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(c.source, path)
		if err != nil || rel == "." {
			return err
		}
		c.tree.all = append(c.tree.all, rel)
		switch entry.Type() {
		case 0:
			c.tree.files = append(c.tree.files, rel)
		case fs.ModeDir:
			c.tree.dirs = append(c.tree.dirs, rel)
		case fs.ModeSymlink:
			c.tree.links = append(c.tree.links, rel)
		}
		return nil
	}))
	c.tree.mirrored = slices.Clone(c.tree.all)
	c.lookAtIgnored()
}

// makeTree fills the source with a tree to begin with.
func (c *churn) makeTree() {
	for range 25 {
		c.look()
		c.check(c.ignore(os.MkdirAll(c.at(c.newPath()), 0o755)))
	}
	for range 80 {
		c.look()
		c.check(c.ignore(os.WriteFile(c.at(c.newPath()), c.content(), 0o644)))
	}
	c.check(os.WriteFile(c.at("big"), c.bytes(churnBigSize), 0o644))
}

// churnOp is a kind of operation. It returns the paths that it touched; with
// none, it found nothing to do.
type churnOp struct {
	weight int
	name   string
	do     func(c *churn) ([]string, error)
}

// churnOperations are all kinds of operations, as people and programs do them.
var churnOperations = []churnOp{
	{10, "create", (*churn).create},
	{10, "overwrite in place", (*churn).overwrite},
	{4, "overwrite in place, twice", (*churn).overwriteTwice},
	{4, "overwrite and restore the time", (*churn).overwriteOldTime},
	{6, "append", (*churn).appendTo},
	{4, "truncate", (*churn).truncate},
	{10, "atomic save", (*churn).atomicSave},
	{4, "chmod file", (*churn).chmodFile},
	{4, "chmod directory", (*churn).chmodDir},
	{5, "touch", (*churn).touch},
	{6, "mkdir -p and write", (*churn).deepWrite},
	{4, "move a tree in", (*churn).moveIn},
	{3, "move a tree out", (*churn).moveOut},
	{6, "rename file", (*churn).renameFile},
	{5, "rename directory", (*churn).renameDir},
	{4, "rename directory and make it again", (*churn).renameAndRemake},
	{3, "swap two directories", (*churn).swap},
	{3, "file becomes directory", (*churn).fileToDir},
	{3, "directory becomes file", (*churn).dirToFile},
	{3, "symlink", (*churn).symlink},
	{2, "symlink in place of a directory", (*churn).symlinkForDir},
	{3, "symlink's target", (*churn).retarget},
	{3, "hard link", (*churn).hardLink},
	{8, "delete", (*churn).remove},
	{4, "delete directory", (*churn).removeDir},
	{4, "open", (*churn).open},
	{8, "write to an open file", (*churn).writeOpen},
	{3, "close", (*churn).closeOpen},
	{3, "patch the large file", (*churn).patchBig},
	{3, "create, delete, create", (*churn).flicker},
	{2, "burst of files", (*churn).burst},
}

// operate does a random operation.
func (c *churn) operate() {
	c.look()
	operations := churnOperations
	if c.rules.on {
		operations = slices.Concat(churnOperations, churnRuleOperations)
	}
	total := 0
	for _, op := range operations {
		total += op.weight
	}
	for range 20 {
		n := c.rng.IntN(total)
		i := 0
		for ; n >= operations[i].weight; i++ {
			n -= operations[i].weight
		}
		op := operations[i]
		if len(c.tree.all) > churnMost && (op.name == "create" || op.name == "mkdir -p and write" || op.name == "burst of files") {
			op = churnOp{0, "delete directory", (*churn).removeDir}
		}
		if slices.Contains(strings.Split(*churnSkip, ","), op.name) {
			continue
		}
		paths, err := op.do(c)
		if len(paths) == 0 && err == nil {
			continue // there was nothing to do it to
		}
		text := fmt.Sprintf("%s %.120q", op.name, paths)
		if err != nil {
			text += ": " + err.Error()
		}
		c.note(paths, "%s", text)
		c.check(c.ignore(err))
		return
	}
}

// ignore drops the errors that operations may have on what they meet: a
// directory where a file was to be renamed to, for example.
func (c *churn) ignore(err error) error {
	for _, expected := range []error{
		fs.ErrExist, fs.ErrNotExist, fs.ErrPermission, unix.ENOTDIR, unix.EISDIR, unix.ENOTEMPTY,
		unix.EINVAL, unix.ENAMETOOLONG, unix.EILSEQ, unix.ELOOP, unix.EMLINK, unix.ENOSYS, errors.ErrUnsupported,
	} {
		if errors.Is(err, expected) {
			return nil
		}
	}
	return err
}

// at is where a path of the workspace is.
func (c *churn) at(rel string) string { return filepath.Join(c.source, rel) }

func pickOne[T any](rng *rand.Rand, from []T) (one T, ok bool) {
	if len(from) == 0 {
		return one, false
	}
	return from[rng.IntN(len(from))], true
}

// plainNames are few, so that they meet each other often.
var plainNames = []string{"a", "b", "c", "d", "e", "f", "x.txt", "y.log", "Makefile", "src", "lib", "test"}

// newName draws a name: a plain one, an odd one, or one that was never there.
func (c *churn) newName() string {
	switch n := c.rng.IntN(10); {
	case n < 5:
		return plainNames[c.rng.IntN(len(plainNames))]
	case n < 8:
		return oddNames[c.rng.IntN(len(oddNames))]
	default:
		c.fresh++
		return fmt.Sprintf("n%d", c.fresh)
	}
}

// parent draws a directory, the root among them.
func (c *churn) parent() string {
	for range 5 {
		if i := c.rng.IntN(len(c.tree.dirs) + 1); i < len(c.tree.dirs) && len(c.tree.dirs[i]) < churnPathMax {
			return c.tree.dirs[i]
		}
	}
	return ""
}

// newPath draws a path whose parent is there.
func (c *churn) newPath() string { return filepath.Join(c.parent(), c.newName()) }

// bytes draws n bytes.
func (c *churn) bytes(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 8 {
		x := c.rng.Uint64()
		for j := i; j < min(i+8, n); j++ {
			b[j] = byte(x)
			x >>= 8
		}
	}
	return b
}

// content draws the content of a file.
func (c *churn) content() []byte {
	switch n := c.rng.IntN(20); {
	case n == 0:
		return nil
	case n < 12:
		return c.bytes(1 + c.rng.IntN(100))
	case n < 19:
		return c.bytes(c.rng.IntN(20_000))
	default:
		return c.bytes(c.rng.IntN(300_000))
	}
}

// one makes an operation of one path.
func one(path string, err error) ([]string, error) { return []string{path}, err }

func (c *churn) create() ([]string, error) {
	p := c.newPath()
	modes := []fs.FileMode{0o644, 0o600, 0o755, 0o444}
	return one(p, os.WriteFile(c.at(p), c.content(), modes[c.rng.IntN(len(modes))]))
}

// rewrite writes other bytes of the same number into a file.
func (c *churn) rewrite(p string) error {
	f, err := os.OpenFile(c.at(p), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	_, err = f.Write(c.bytes(int(info.Size())))
	return err
}

func (c *churn) overwrite() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	if !ok {
		return nil, nil
	}
	return one(p, c.rewrite(p))
}

func (c *churn) overwriteTwice() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	if !ok {
		return nil, nil
	}
	err := c.rewrite(p)
	// Within the same second, whose beginning and end a transfer may see.
	churnPause(time.Duration(c.rng.Int64N(int64(60 * time.Millisecond))))
	return one(p, errors.Join(err, c.rewrite(p)))
}

// overwriteOldTime is what `cp -p`, `tar x` and version control with fixed
// times do: the bytes differ, the size and the time do not.
func (c *churn) overwriteOldTime() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	if !ok {
		return nil, nil
	}
	info, err := os.Lstat(c.at(p))
	if err != nil {
		return one(p, err)
	}
	err = c.rewrite(p)
	return one(p, errors.Join(err, os.Chtimes(c.at(p), time.Time{}, info.ModTime())))
}

func (c *churn) appendTo() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	if !ok {
		return nil, nil
	}
	f, err := os.OpenFile(c.at(p), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return one(p, err)
	}
	defer f.Close()
	_, err = f.Write(c.bytes(1 + c.rng.IntN(500)))
	return one(p, err)
}

func (c *churn) truncate() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	if !ok {
		return nil, nil
	}
	return one(p, os.Truncate(c.at(p), int64(c.rng.IntN(200))))
}

func (c *churn) atomicSave() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	if !ok || c.rng.IntN(5) == 0 {
		p = c.newPath()
	}
	temporary := filepath.Join(filepath.Dir(p), ".save.swp")
	if c.rng.IntN(3) == 0 {
		temporary = filepath.Join(c.parent(), ".save.swp")
	}
	if err := os.WriteFile(c.at(temporary), c.content(), 0o644); err != nil {
		return []string{p, temporary}, err
	}
	err := os.Rename(c.at(temporary), c.at(p))
	if err != nil {
		err = errors.Join(err, os.Remove(c.at(temporary)))
	}
	return []string{p, temporary}, err
}

func (c *churn) chmodFile() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.files)
	modes := []fs.FileMode{0o644, 0o600, 0o755, 0o444, 0o640, 0o400, 0o777, 0o755 | fs.ModeSetuid}
	mode := modes[c.rng.IntN(len(modes))]
	if !ok {
		return nil, nil
	}
	return one(p, os.Chmod(c.at(p), mode))
}

func (c *churn) chmodDir() ([]string, error) {
	p := c.parent()
	modes := []fs.FileMode{0o755, 0o700, 0o750, 0o711, 0o777 | fs.ModeSticky, 0o755 | fs.ModeSetgid}
	return one(p, os.Chmod(c.at(p), modes[c.rng.IntN(len(modes))]))
}

// touch sets the time of an entry of any type, a symbolic link's own included.
func (c *churn) touch() ([]string, error) {
	p, ok := pickOne(c.rng, c.tree.all)
	if c.rng.IntN(20) == 0 {
		p = ""
	}
	if !ok {
		return nil, nil
	}
	when := time.Unix(1_000_000_000+c.rng.Int64N(1_000_000_000), 0)
	if c.rng.IntN(4) != 0 {
		when = when.Add(time.Duration(c.rng.Int64N(int64(time.Second))))
	}
	spec, err := unix.TimeToTimespec(when)
	if err != nil {
		return nil, err
	}
	return one(p, unix.UtimesNanoAt(unix.AT_FDCWD, c.at(p), []unix.Timespec{spec, spec}, unix.AT_SYMLINK_NOFOLLOW))
}

// deepPath draws a path below dir with several new directories in it.
func (c *churn) deepPath(dir string) string {
	for range 1 + c.rng.IntN(12) {
		if next := filepath.Join(dir, c.newName()); len(next) < churnPathMax {
			dir = next
		}
	}
	return dir
}

func (c *churn) deepWrite() ([]string, error) {
	dir := c.deepPath(c.parent())
	if err := os.MkdirAll(c.at(dir), 0o755); err != nil {
		return one(dir, err)
	}
	var paths []string
	var err error
	for range 1 + c.rng.IntN(4) {
		p := filepath.Join(dir, c.newName())
		paths = append(paths, p)
		err = errors.Join(err, c.ignore(os.WriteFile(c.at(p), c.content(), 0o644)))
	}
	return append(paths, dir), err
}

func (c *churn) remove() ([]string, error) {
	p, ok := pickOne(c.rng, append(slices.Clone(c.tree.files), c.tree.links...))
	if !ok || !c.spend(p, true) {
		return nil, nil
	}
	return one(p, os.Remove(c.at(p)))
}

func (c *churn) removeDir() ([]string, error) {
	p, ok := c.spendable(true)
	if !ok {
		return nil, nil
	}
	return one(p, os.RemoveAll(c.at(p)))
}

// open opens a new or an old file, to be written to in pieces.
func (c *churn) open() ([]string, error) {
	if len(c.handles) >= 5 {
		return nil, nil
	}
	p, flags := c.newPath(), os.O_WRONLY|os.O_CREATE
	if old, ok := pickOne(c.rng, c.tree.files); ok && c.rng.IntN(2) == 0 {
		p = old
	}
	if c.rng.IntN(2) == 0 {
		flags |= os.O_APPEND
	}
	f, err := os.OpenFile(c.at(p), flags, 0o644)
	if err != nil {
		return one(p, err)
	}
	c.fresh++
	c.handles = append(c.handles, churnHandle{f, c.fresh})
	return one(p, nil)
}

// openPath is where an open file is by now, for the log.
func (c *churn) openPath(h churnHandle) string {
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", h.file.Fd()))
	if err != nil {
		name = h.file.Name()
	}
	rel, err := filepath.Rel(c.source, name)
	if err != nil || strings.HasPrefix(rel, "../") {
		return fmt.Sprintf("(outside) %s", name)
	}
	return rel
}

func (c *churn) writeOpen() ([]string, error) {
	h, ok := pickOne(c.rng, c.handles)
	if !ok {
		return nil, nil
	}
	bytes, path := c.bytes(1+c.rng.IntN(3000)), c.openPath(h)
	if info, err := h.file.Stat(); err != nil || fileLinks(info) > 0 && (strings.HasPrefix(path, "(outside)") || strings.HasSuffix(path, " (deleted)")) ||
		err == nil && fileLinks(info) > 1 && c.excludes(path, false) {
		return one(path, err) // it may have another name that is mirrored, of which no event tells
	}
	_, err := h.file.Write(bytes)
	return one(path, err)
}

func (c *churn) closeOpen() ([]string, error) {
	if len(c.handles) == 0 {
		return nil, nil
	}
	i := c.rng.IntN(len(c.handles))
	h := c.handles[i]
	c.handles = slices.Delete(c.handles, i, i+1)
	return one(c.openPath(h), h.file.Close())
}

// patchBig patches a large file in place, as a database does.
func (c *churn) patchBig() ([]string, error) {
	f, err := os.OpenFile(c.at("big"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return one("big", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return one("big", err)
	}
	if info.Size() < churnBigSize {
		_, err = f.Write(c.bytes(churnBigSize))
		return one("big", err)
	}
	for range 1 + c.rng.IntN(20) {
		if _, err := f.WriteAt(c.bytes(1+c.rng.IntN(4096)), c.rng.Int64N(churnBigSize-4096)); err != nil {
			return one("big", err)
		}
		if c.rng.IntN(3) == 0 {
			churnPause(time.Duration(c.rng.Int64N(int64(5 * time.Millisecond))))
		}
	}
	return one("big", nil)
}

// flicker makes, removes and makes a name, each time as something else.
func (c *churn) flicker() ([]string, error) {
	p := c.newPath()
	if _, err := os.Lstat(c.at(p)); err == nil {
		return nil, nil
	}
	var err error
	for range 2 + c.rng.IntN(3) {
		if err = os.RemoveAll(c.at(p)); err != nil {
			return one(p, err)
		}
		switch c.rng.IntN(3) {
		case 0:
			err = os.WriteFile(c.at(p), c.content(), 0o644)
		case 1:
			err = os.MkdirAll(filepath.Join(c.at(p), "sub"), 0o755)
			if err == nil {
				err = os.WriteFile(filepath.Join(c.at(p), "sub", "file"), c.content(), 0o644)
			}
		default:
			err = os.Symlink(c.target(), c.at(p))
		}
	}
	return one(p, err)
}

// burst writes some files without a pause, and removes a few of them again.
func (c *churn) burst() ([]string, error) {
	dir := c.parent()
	paths := []string{}
	for i := range 5 + c.rng.IntN(25) {
		p := filepath.Join(dir, fmt.Sprintf("burst%d", i))
		paths = append(paths, p)
		if err := c.ignore(os.WriteFile(c.at(p), bytes.Repeat([]byte{byte(i)}, c.rng.IntN(2000)), 0o644)); err != nil {
			return paths, err
		}
		if c.rng.IntN(10) == 0 {
			if err := c.ignore(os.Remove(c.at(p))); err != nil {
				return paths, err
			}
		}
	}
	return paths, nil
}
