package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wsync/config"
	"wsync/monitor/exclude"
)

// churnRules has ignore rules in some seeds: files in the tree that people and programs
// write in many ways, and patterns of the workspace. What it draws comes from random
// numbers of its own.
type churnRules struct {
	rng       *rand.Rand
	on        bool
	workspace config.Workspace // as far as it is about rules
	inForce   exclude.Rules    // when the tree was looked at last
	// earlier are rules that held in the workspace since the last wait: what a command
	// changes reaches the monitor a moment later.
	earlier []exclude.Rules
}

// churnPatterns are what rules say: they meet the names that the operations draw.
var churnPatterns = []string{
	"*.log", "*.txt", "*.o", "build/", "build", "a/", "b/", "/a", "/src/", "src/*", "!src/keep", "lib/test", "lib/", "test/**", "!test/x.txt",
	"c", "!c", "d/", "!d/", "e", "f", "!f", "n1*", "n?2", "*[13579]", "!*.txt", "!y.log", "Makefile", "!Makefile", "**/c/d", "**/lib", "a/**/b",
	"burst[0-4]", "!build/", "*.o/", "x.txt/", "/*.txt", "node_modules/", "!/node_modules/", "# says nothing", "", "\\!odd", "trailing ", "[", "*/a", "/*/b/",
}

// churnIgnorable are names for what is to be ignored.
var churnIgnorable = []string{"x.o", "y.o", "build", "node_modules", "keep", "t.log", "a", "b", "c", "src", "lib", "x.txt"}

// drawRules draws whether a seed has rules, and which it begins with.
func (c *churn) drawRules() (options []string) {
	r := &c.rules
	r.rng = rand.New(rand.NewPCG(c.seed, 4))
	if r.rng.IntN(3) == 0 {
		return nil
	}
	r.on = true
	c.check(os.MkdirAll(c.copyOf(""), 0o755))
	if r.workspace.GitIgnore = r.rng.IntN(2) == 0; r.workspace.GitIgnore {
		options = append(options, "--gitignore")
	}
	for range r.rng.IntN(3) {
		r.workspace.Ignore = append(r.workspace.Ignore, c.drawPattern())
	}
	for _, p := range r.workspace.Ignore {
		options = append(options, "--ignore", p)
	}
	for range 2 + r.rng.IntN(4) {
		c.look()
		if p, text := c.ruleFile(), c.ruleText(); c.leavesEnough(p, text) {
			c.check(c.ignore(os.WriteFile(c.at(p), text, 0o644)))
		}
	}
	return options
}

// drawWay draws options of a remote by which what is ignored may go, too.
func (c *churn) drawWay() (options []string) {
	if !c.rules.on {
		return nil
	}
	if c.rules.rng.IntN(4) == 0 {
		options = append(options, "--trash", "7d")
	}
	if c.rules.rng.IntN(6) == 0 {
		options = append(options, "--delay-updates")
	}
	return options
}

// drawPattern draws a pattern that the workspace itself may have.
func (c *churn) drawPattern() string {
	for {
		p, err := exclude.CleanPattern(churnPatterns[c.rules.rng.IntN(len(churnPatterns))])
		if err == nil && !slices.Contains(c.rules.workspace.Ignore, p) {
			return p
		}
	}
}

// ruleFile draws where rules are to be written: mostly where there are some, or at the
// top.
func (c *churn) ruleFile() string {
	rng := c.rules.rng
	name := exclude.FileName
	if c.rules.workspace.GitIgnore && rng.IntN(2) == 0 {
		name = exclude.GitFileName
	}
	if rng.IntN(3) == 0 {
		return name
	}
	if rng.IntN(2) == 0 {
		if p, ok := pickOne(rng, c.ruleFiles()); ok {
			return p
		}
	}
	dir, _ := pickOne(rng, c.tree.dirs)
	if len(dir) > churnPathMax {
		dir = ""
	}
	return filepath.Join(dir, name)
}

// ruleFiles are those that there are.
func (c *churn) ruleFiles() (paths []string) {
	for _, p := range c.tree.files {
		if base := filepath.Base(p); base == exclude.FileName || base == exclude.GitFileName {
			paths = append(paths, p)
		}
	}
	return paths
}

// ruleText draws the text of a rule file.
func (c *churn) ruleText() []byte {
	rng := c.rules.rng
	lines := make([]string, rng.IntN(6))
	for i := range lines {
		lines[i] = churnPatterns[rng.IntN(len(churnPatterns))]
	}
	end := "\n"
	if rng.IntN(5) == 0 {
		end = "\r\n"
	}
	text := strings.Join(lines, end)
	if rng.IntN(5) > 0 {
		text += end
	}
	if rng.IntN(8) == 0 {
		text = "\uFEFF" + text
	}
	return []byte(text)
}

// churnRuleOperations are what is done beside churnOperations where there are rules.
var churnRuleOperations = []churnOp{
	{14, "write rules", (*churn).writeRules},
	{4, "remove rules", (*churn).removeRules},
	{10, "write what is ignored", (*churn).createIgnored},
	{6, "fill an ignored directory", (*churn).fillIgnored},
	{8, "rename across the border", (*churn).renameAcross},
	{3, "hard link across the border", (*churn).linkAcross},
	{3, "delete an ignored name of a file", (*churn).unlinkIgnored},
	{4, "delete a directory that holds something ignored", (*churn).removeHolding},
	{3, "wsync ignore", (*churn).changePatterns},
}

// writeRules writes a rule file in one of the ways of editors and scripts.
func (c *churn) writeRules() ([]string, error) {
	p, text, rng := c.ruleFile(), c.ruleText(), c.rules.rng
	if rng.IntN(4) == 0 { // one more rule
		old, _ := os.ReadFile(c.at(p)) // there may be none
		text = append(old, text...)
	}
	if !c.leavesEnough(p, text) {
		return nil, nil
	}
	at := c.at(p)
	began := time.Now()
	var err error
	switch rng.IntN(5) {
	case 0:
		err = os.WriteFile(at, text, 0o644)
	case 1:
		err = c.writeInSteps(at, text)
	case 2:
		err = errors.Join(os.WriteFile(at+".new", text, 0o644), os.Rename(at+".new", at))
	case 3: // as vim, with a backup
		err = c.ignore(os.Rename(at, at+"~"))
		c.shortPause()
		err = errors.Join(err, os.WriteFile(at, text, 0o644), c.ignore(os.Remove(at+"~")))
	default:
		err = c.ignore(os.Remove(at))
		c.shortPause()
		err = errors.Join(err, c.writeInSteps(at, text))
	}
	if time.Since(began) > churnHalfWritten {
		c.ignored.unsure = true
	}
	return one(p, err)
}

// churnHalfWritten is how long a rule file may be half written before that counts as what
// it says.
const churnHalfWritten = 200 * time.Millisecond

// writeInSteps writes a file in place, with moments between the pieces.
func (c *churn) writeInSteps(at string, text []byte) error {
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	for len(text) > 0 {
		c.shortPause()
		n := 1 + c.rules.rng.IntN(len(text))
		if _, err := f.Write(text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// shortPause is a part of the load: see churn.pause.
func (c *churn) shortPause() {
	churnPause(time.Duration(c.rules.rng.Int64N(int64(20 * time.Millisecond))))
}

// leavesEnough reports whether a text of a rule file leaves something to mirror, without
// which deletions are another thing.
func (c *churn) leavesEnough(p string, text []byte) bool {
	if filepath.Dir(p) != "." {
		return true
	}
	w := c.rules.workspace
	w.Ignore = append(slices.Clone(w.Ignore), strings.Split(string(text), "\n")...)
	return c.leaves(exclude.NewLive(c.source, w).Rules())
}

// leaves reports whether rules leave something to mirror.
func (c *churn) leaves(rules exclude.Rules) bool {
	n := 0
	for _, p := range c.tree.files {
		if !rules.Excludes(filepath.ToSlash(p), false) {
			n++
		}
	}
	return n > 2*churnLeast
}

func (c *churn) removeRules() ([]string, error) {
	p, ok := pickOne(c.rules.rng, c.ruleFiles())
	if !ok {
		return nil, nil
	}
	return one(p, os.Remove(c.at(p)))
}

// ignorable draws a path that is ignored, as a directory or not; "" if it finds none.
func (c *churn) ignorable(dir bool) string {
	rng := c.rules.rng
	for range 40 {
		parent, _ := pickOne(rng, c.tree.dirs)
		if rng.IntN(4) == 0 {
			parent = ""
		}
		p := filepath.Join(parent, churnIgnorable[rng.IntN(len(churnIgnorable))])
		if len(p) < churnPathMax && c.rules.inForce.Excludes(filepath.ToSlash(p), dir) {
			return p
		}
	}
	return ""
}

func (c *churn) createIgnored() ([]string, error) {
	p := c.ignorable(false)
	if p == "" {
		return nil, nil
	}
	return one(p, os.WriteFile(c.at(p), c.content(), 0o644))
}

func (c *churn) fillIgnored() ([]string, error) {
	dir := c.ignorable(true)
	if dir == "" {
		return nil, nil
	}
	deep := c.deepPath(dir)
	if err := os.MkdirAll(c.at(deep), 0o755); err != nil {
		return one(dir, err)
	}
	for range 1 + c.rng.IntN(5) {
		name := filepath.Join(deep, c.newName())
		if c.rng.IntN(3) == 0 {
			name = filepath.Join(dir, c.newName())
		}
		if err := c.ignore(os.WriteFile(c.at(name), c.content(), 0o644)); err != nil {
			return one(dir, err)
		}
	}
	return one(dir, nil)
}

// renameAcross renames something that is ignored to where it is not, or the reverse.
func (c *churn) renameAcross() ([]string, error) {
	rng := c.rules.rng
	from, ok := pickOne(rng, c.tree.all)
	if !ok || !c.spend(from, false) {
		return nil, nil
	}
	info, err := os.Lstat(c.at(from))
	if err != nil {
		return nil, err
	}
	to := c.newPath()
	if !c.rules.inForce.Excludes(filepath.ToSlash(from), info.IsDir()) {
		if to = c.ignorable(info.IsDir()); to == "" {
			return nil, nil
		}
	}
	return []string{from, to}, os.Rename(c.at(from), c.at(to))
}

func (c *churn) linkAcross() ([]string, error) {
	from, ok := pickOne(c.rules.rng, c.tree.files)
	if !ok {
		return nil, nil
	}
	to := c.newPath()
	if !c.rules.inForce.Excludes(filepath.ToSlash(from), false) {
		if to = c.ignorable(false); to == "" {
			return nil, nil
		}
	}
	return []string{from, to}, os.Link(c.at(from), c.at(to))
}

// unlinkIgnored removes an ignored name of a file that has others.
func (c *churn) unlinkIgnored() ([]string, error) {
	p, ok := pickOne(c.rules.rng, c.tree.beyond)
	if !ok {
		return nil, nil
	}
	return one(p, os.Remove(c.at(p)))
}

// removeHolding removes a directory with something in it that is ignored, here or on a
// remote.
func (c *churn) removeHolding() ([]string, error) {
	var dirs []string
	for _, k := range c.ignored.kept {
		for p := range k.paths {
			if dir := filepath.Dir(p); slices.Contains(c.tree.dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	slices.Sort(dirs)
	p, ok := pickOne(c.rules.rng, slices.Compact(dirs))
	if !ok || !c.spend(p, true) {
		return nil, nil
	}
	return one(p, os.RemoveAll(c.at(p)))
}

// changePatterns adds a pattern of the workspace's own, or removes one.
func (c *churn) changePatterns() ([]string, error) {
	w := &c.rules.workspace
	old := slices.Clone(w.Ignore)
	args := []string{"ignore", "ws"}
	if p, ok := pickOne(c.rules.rng, old); ok && c.rules.rng.IntN(2) == 0 {
		w.Ignore = slices.DeleteFunc(old, func(o string) bool { return o == p })
		args = append(args, "--remove", "--", p)
	} else {
		p := c.drawPattern()
		w.Ignore = append(old, p)
		args = append(args, "--", p)
		if !c.leaves(exclude.NewLive(c.source, *w).Rules()) {
			w.Ignore = old
			return nil, nil
		}
	}
	c.rules.earlier = append(c.rules.earlier, c.rules.inForce)
	var out string
	var code int
	for deadline := time.Now().Add(churnWait); time.Now().Before(deadline); churnPause(100 * time.Millisecond) {
		if out, code = c.exec(args...); code == 0 {
			c.note(nil, "wsync %q", args)
			return []string{"."}, nil
		}
	}
	return []string{"."}, fmt.Errorf("wsync %q: exit code %d: %s", args, code, out)
}

// loadRules reads the rules that are in force now. What is said of a directory stays in
// force when it goes, until there is one of its name again; so they are read from a copy
// of the rule files, from which those of such directories are not removed.
func (c *churn) loadRules() {
	dirs := append([]string{"."}, c.tree.dirs...)
	here := exclude.Load(context.Background(), c.source, c.rules.workspace)
	for _, dir := range dirs {
		if here.Excludes(filepath.ToSlash(dir), true) && dir != "." {
			continue
		}
		for _, name := range []string{exclude.FileName, exclude.GitFileName} {
			p := filepath.Join(dir, name)
			info, err := os.Lstat(c.at(p))
			if err != nil || !info.Mode().IsRegular() {
				c.check(os.RemoveAll(c.copyOf(p)))
				continue
			}
			text, err := os.ReadFile(c.at(p))
			c.check(err)
			c.check(os.MkdirAll(c.copyOf(dir), 0o755))
			c.check(os.WriteFile(c.copyOf(p), text, 0o644))
		}
	}
	c.rules.inForce = exclude.Load(context.Background(), c.copyOf(""), c.rules.workspace)
}

// copyOf is where the copy of a rule file is.
func (c *churn) copyOf(p string) string { return filepath.Join(c.dir, "rules", p) }

// excludes reports whether an entry is ignored now.
func (c *churn) excludes(path string, dir bool) bool {
	own := path == config.TrashDirectory || strings.HasPrefix(path, config.TrashDirectory+"/")
	return own || c.rules.on && c.rules.inForce.Excludes(filepath.ToSlash(path), dir)
}

// sameBytes reports whether a file has this content.
func sameBytes(path string, content []byte) bool {
	found, err := os.ReadFile(path)
	return err == nil && bytes.Equal(found, content)
}
