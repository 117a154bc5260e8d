package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// churnLarge has a large file under way during much of a seed, and rsync take its
// time for it, so that small changes go beside it. What it draws comes from random
// numbers of its own.
type churnLarge struct {
	rng *rand.Rand
	// size is that of the file, 0 for none, and every after how many operations it
	// is written anew.
	size, every int
	path        string // where it was written last
}

// The bounds of what churnLarge draws.
const (
	churnLargeLeast, churnLargeMost = 8 << 20, 40 << 20
	churnSlowLeast, churnSlowMost   = 8 << 10, 24 << 10 // kB a second
)

// slowRsync draws whether a seed has a large file, and if so slows rsync down.
func (c *churn) slowRsync() {
	c.large.rng = rand.New(rand.NewPCG(c.seed, 3))
	if c.large.rng.IntN(2) == 0 {
		return
	}
	c.large.size = churnLargeLeast + c.large.rng.IntN(churnLargeMost-churnLargeLeast)
	c.large.every = 15 + c.large.rng.IntN(40)
	rsync, err := exec.LookPath("rsync")
	c.check(err)
	script := fmt.Sprintf("#!/bin/sh\nexec %s --bwlimit=%d \"$@\"\n", rsync, churnSlowLeast+c.large.rng.IntN(churnSlowMost-churnSlowLeast))
	c.check(os.WriteFile(filepath.Join(c.dir, "bin", "rsync"), []byte(script), 0o755))
}

// writeLarge writes the large file before every so many operations: where it was, or
// in some directory, where others may rename and remove it.
func (c *churn) writeLarge(i int) {
	if c.large.size == 0 || i%c.large.every != 0 {
		return
	}
	c.look()
	if c.large.path == "" || c.large.rng.IntN(2) == 0 {
		c.large.path = "large"
		if dir, ok := pickOne(c.large.rng, c.tree.dirs); ok && len(dir) < churnPathMax && c.large.rng.IntN(3) > 0 {
			c.large.path = filepath.Join(dir, "large")
		}
	}
	content := make([]byte, c.large.size)
	rng := c.large.rng
	for at := 0; at+8 <= len(content); at += 8 { // not for rsync's deltas
		x := rng.Uint64()
		for j := range 8 {
			content[at+j] = byte(x >> (8 * j))
		}
	}
	err := os.WriteFile(c.at(c.large.path), content, 0o644)
	c.note([]string{c.large.path}, "large file, %d bytes: %.120q, error %v", len(content), c.large.path, err)
	c.check(c.ignore(err))
	churnPause(time.Duration(rng.Int64N(int64(400 * time.Millisecond)))) // until it is under way
}

// logBeside logs how often something went beside a large file.
func (c *churn) logBeside() {
	if c.large.size == 0 {
		return
	}
	done, beside := 0, 0
	for _, log := range c.logs() {
		content, _ := os.ReadFile(log) // what cannot be read counts for nothing
		done += bytes.Count(content, []byte(`Batch done`))
		beside += bytes.Count(content, []byte(`"beside":true`))
	}
	c.t.Logf("%d of %d batches went beside another", beside, done)
}
