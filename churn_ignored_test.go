package main

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/remotetest"
)

// churnIgnored is what is known of what is ignored: which contents must never arrive on
// a remote, and what must stay there.
type churnIgnored struct {
	// hidden are contents that were seen here in a file that is ignored, and shown those
	// that were seen in one that is not. What is only hidden must not be on a remote.
	hidden, shown map[uint64]bool
	// paths were not ignored at some time since the last wait: a file that is on its way
	// may be written to.
	paths  map[string]bool
	hashes map[string]churnHash
	// kept are the ignored files of remotes, as they were after the last wait.
	kept []*churnKept
	// dirs are the directories here by what they are, when the tree was looked at last.
	dirs map[churnInode]string
	// unsure: what is ignored may have been released for a moment.
	unsure bool
}

type churnInode struct{ dev, ino uint64 }

// churnHash is the content of a file as it was.
type churnHash struct {
	inode          churnInode
	size           int64
	changed, wrote unix.Timespec
	sum            uint64
}

// churnKept is a file of a remote that is to stay.
type churnKept struct {
	remote  churnRemote
	content []byte
	// paths are where it may be: renames of directories here are repeated there with all
	// that is in them, or not.
	paths map[string]bool
}

// The sizes of the files of which contents are compared: what is smaller may be drawn
// twice.
const churnHashLeast, churnHashMost = 9, 1 << 20

var churnHashSeed = maphash.MakeSeed()

// lookAtIgnored takes in what is ignored here now; see look.
func (c *churn) lookAtIgnored() {
	if !c.rules.on {
		return
	}
	c.loadRules()
	i := &c.ignored
	if i.hidden == nil {
		i.hidden, i.shown, i.paths, i.hashes = make(map[uint64]bool), make(map[uint64]bool), make(map[string]bool), make(map[string]churnHash)
	}
	hashes := make(map[string]churnHash)
	c.tree.mirrored = nil
	beyond := make(map[string]bool)
	for _, p := range c.tree.all {
		info, err := os.Lstat(c.at(p))
		c.check(err)
		excluded := c.excludes(p, info.IsDir())
		if excluded && info.Mode().IsRegular() && fileLinks(info) > 1 {
			beyond[p] = true
			c.tree.beyond = append(c.tree.beyond, p)
		}
		if !excluded {
			c.tree.mirrored = append(c.tree.mirrored, p)
			i.paths[p] = true
		}
		if !info.Mode().IsRegular() || info.Size() < churnHashLeast || info.Size() > churnHashMost {
			continue
		}
		h := c.hash(p)
		hashes[p] = h
		if !excluded || slices.ContainsFunc(c.rules.earlier, func(r exclude.Rules) bool { return !r.Excludes(filepath.ToSlash(p), false) }) {
			i.shown[h.sum] = true
		} else {
			i.hidden[h.sum] = true
		}
	}
	i.hashes = hashes
	c.tree.files = slices.DeleteFunc(c.tree.files, func(p string) bool { return beyond[p] })
	c.tree.all = slices.DeleteFunc(c.tree.all, func(p string) bool { return beyond[p] })
	if i.unsure {
		i.unsure = false
		for sum := range i.hidden {
			i.shown[sum] = true
		}
	}
	c.followRenames()
	i.kept = slices.DeleteFunc(i.kept, func(k *churnKept) bool {
		for p := range k.paths {
			if !c.excludes(p, false) {
				return true // whoever has released it wants it to go
			}
		}
		return false
	})
}

// hash returns the content of a file here, which it reads if it has changed.
func (c *churn) hash(p string) churnHash {
	var st unix.Stat_t
	c.check(unix.Lstat(c.at(p), &st))
	h := churnHash{churnInode{uint64(st.Dev), st.Ino}, st.Size, st.Ctim, st.Mtim, 0}
	if old := c.ignored.hashes[p]; old.inode == h.inode && old.size == h.size && old.changed == h.changed && old.wrote == h.wrote {
		return old
	}
	content, err := os.ReadFile(c.at(p))
	c.check(err)
	h.sum = maphash.Bytes(churnHashSeed, content)
	return h
}

// followRenames adds the places at which what is kept may be since directories were
// renamed.
func (c *churn) followRenames() {
	before, now := make(map[string]churnInode), make(map[churnInode]string)
	for id, p := range c.ignored.dirs {
		before[p] = id
	}
	for _, p := range c.tree.dirs {
		var st unix.Stat_t
		c.check(unix.Lstat(c.at(p), &st))
		now[churnInode{uint64(st.Dev), st.Ino}] = p
	}
	for _, k := range c.ignored.kept {
		for _, p := range slices.Sorted(maps.Keys(k.paths)) {
			for dir := filepath.Dir(p); dir != "."; dir = filepath.Dir(dir) {
				id, ok := before[dir]
				if !ok {
					continue
				}
				if to, ok := now[id]; ok && to != dir && c.excludes(to+p[len(dir):], false) {
					k.paths[to+p[len(dir):]] = true
				}
				break
			}
		}
	}
	c.ignored.dirs = now
}

// checkIgnored checks, after a wait, that nothing that is ignored was sent, and that
// what is ignored on the remotes is as it was. It returns what is wrong.
func (c *churn) checkIgnored() (wrong []string) {
	for _, k := range c.ignored.kept {
		if !k.isThere() {
			wrong = append(wrong, fmt.Sprintf("%q: ignored, and gone or changed at %s; its content begins with %.60q", slices.Sorted(maps.Keys(k.paths)), k.remote.name, k.content))
		}
	}
	for _, r := range c.remotes {
		c.eachIgnored(r, func(p string, content []byte) {
			sum := maphash.Bytes(churnHashSeed, content)
			if len(content) >= churnHashLeast && c.ignored.hidden[sum] && !c.ignored.shown[sum] && !c.ignored.paths[p] {
				wrong = append(wrong, fmt.Sprintf("%q: at %s is what was only in ignored files", p, r.name))
			}
		})
	}
	return wrong
}

// isThere reports whether it is at one of its places.
func (k *churnKept) isThere() bool {
	for _, p := range slices.Sorted(maps.Keys(k.paths)) {
		if sameBytes(filepath.Join(k.remote.dir, p), k.content) {
			return true
		}
	}
	return false
}

// eachIgnored calls visit with the ignored files of a remote.
func (c *churn) eachIgnored(r churnRemote, visit func(p string, content []byte)) {
	c.check(filepath.WalkDir(r.dir, func(path string, e fs.DirEntry, err error) error {
		p, relErr := filepath.Rel(r.dir, path)
		if err := errors.Join(err, relErr); err != nil {
			return err
		}
		if p == remotetest.OwnDirectory || p == config.TrashDirectory {
			return fs.SkipDir
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > churnHashMost || !c.excludes(p, false) {
			return err
		}
		content, err := os.ReadFile(path)
		visit(p, content)
		return err
	}))
}

// keep takes in what is ignored on the remotes, when all is quiet, and has others write
// more there.
func (c *churn) keep() {
	if !c.rules.on {
		return
	}
	i := &c.ignored
	i.kept, i.paths, c.rules.earlier = nil, make(map[string]bool), nil
	c.look()
	for _, r := range c.remotes {
		if c.rules.rng.IntN(2) == 0 {
			c.writeTheirs(r)
		}
		c.eachIgnored(r, func(p string, content []byte) {
			i.kept = append(i.kept, &churnKept{r, content, map[string]bool{p: true}})
			i.shown[maphash.Bytes(churnHashSeed, content)] = true // it has been checked
		})
	}
}

// writeTheirs writes files of others into a remote which are ignored there. The times of
// directories stay as they were: who changes these too is seen, and repaired.
func (c *churn) writeTheirs(r churnRemote) {
	rng := c.rules.rng
	for range 1 + rng.IntN(4) {
		p := c.ignorable(false)
		if p == "" {
			return
		}
		dir := filepath.Dir(p)
		for dir != "." {
			if _, err := os.Lstat(filepath.Join(r.dir, dir)); err == nil {
				break
			}
			dir = filepath.Dir(dir)
		}
		at := filepath.Join(r.dir, dir)
		info, err := os.Lstat(at)
		c.check(err)
		if _, err := os.Lstat(filepath.Join(r.dir, p)); err == nil || !info.IsDir() {
			continue
		}
		c.fresh++
		c.check(c.ignore(os.MkdirAll(filepath.Join(r.dir, filepath.Dir(p)), 0o755)))
		err = os.WriteFile(filepath.Join(r.dir, p), fmt.Appendf(nil, "somebody's file %d at %s, %s", c.fresh, r.name, p), 0o644)
		c.check(c.ignore(err))
		c.check(os.Chtimes(at, time.Time{}, info.ModTime()))
		c.note([]string{p}, "somebody writes %.120q at %s: %v", p, r.name, err)
	}
}

// makeWay removes what is ignored on remotes and in the way of what is to be there, as
// somebody has to: until then that fails.
func (c *churn) makeWay() {
	if !c.rules.on {
		return
	}
	c.look()
	for _, r := range c.remotes {
		for _, p := range c.tree.mirrored {
			here, err := os.Lstat(c.at(p))
			c.check(err)
			there, err := os.Lstat(filepath.Join(r.dir, p))
			if err != nil || there.IsDir() == here.IsDir() {
				continue
			}
			if c.clear(r, p) {
				when := time.Now()
				spec, err := unix.TimeToTimespec(when)
				c.check(err)
				c.check(unix.UtimesNanoAt(unix.AT_FDCWD, c.at(p), []unix.Timespec{spec, spec}, unix.AT_SYMLINK_NOFOLLOW))
				c.note([]string{p}, "somebody makes way for %.120q at %s", p, r.name)
			}
		}
	}
}

// clear removes what is ignored at or below a path of a remote, and reports whether
// there was anything.
func (c *churn) clear(r churnRemote, path string) (any bool) {
	_ = filepath.WalkDir(filepath.Join(r.dir, path), func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // it goes meanwhile
		}
		p, err := filepath.Rel(r.dir, at)
		if err != nil || !c.excludes(p, e.IsDir()) {
			return err
		}
		any = true
		if err := os.RemoveAll(at); err != nil {
			return err
		}
		if e.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	if any {
		c.ignored.kept = slices.DeleteFunc(c.ignored.kept, func(k *churnKept) bool {
			for p := range k.paths {
				if k.remote.name == r.name && (p == path || strings.HasPrefix(p, path+"/")) {
					return true
				}
			}
			return false
		})
	}
	return any
}
