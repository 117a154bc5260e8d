//go:build linux

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// scenario is a tree, a way to the remote, and what is done to the tree, again
// and again.
type scenario struct {
	name, title string
	table       string // where its steps are columns
	kind        kind
	byHand      bool // rsync by hand takes part
	heavy       bool // so much is written that the disk has to catch up
	reps        int
	quickReps   int           // 0 leaves the scenario out
	patience    time.Duration // with a change; 0 is a minute
	// tree fills a source.
	tree func(source string) error
	// template, if there is one, fills a directory that all tools copy from.
	template func(dir string) error
	// steps are done in turn, each of them by all tools before the next.
	steps []step
}

// step is a change that is measured.
type step struct {
	title   string
	remotes int // 0 is 1
	// plan prepares a change, without making it.
	plan func(c *contestant, rep int) (change, error)
}

// scenarios are all of them, in the order of the tables.
func scenarios() []*scenario {
	all := []*scenario{
		{
			name: "small", title: "one small change in a tree of 440 files", table: changesTable, kind: bySSH, byHand: true,
			reps: 30, quickReps: 6, tree: grow(smallTree), steps: []step{oneChange("440 files", 1)},
		},
		{
			name: "delayed", title: "the same, with a round trip of 40 ms", table: changesTable, kind: slowSSH, byHand: true,
			reps: 20, quickReps: 4, tree: grow(smallTree), steps: []step{oneChange("40 ms round trip", 1)},
		},
		{
			name: "large", title: "the same, in a tree of 103,000 files", table: changesTable, kind: bySSH, byHand: true,
			reps: 20, tree: grow(largeTree), steps: []step{oneChange("103,000 files", 1)},
		},
		bulk(),
		patch(),
		operations(),
		{
			name: "fanout", title: "one small change for 1 and for 16 remotes on one host, until it is on the last", table: fanoutTable, kind: bySSH,
			reps: 12, quickReps: 3, tree: grow(smallTree), steps: []step{oneChange("1 remote", 1), oneChange("16 remotes", 16)},
		},
		{
			name: "local", title: "one small change, to a local path", table: changesTable, kind: byPath, byHand: true,
			reps: 20, quickReps: 4, tree: grow(smallTree), steps: []step{oneChange("local path", 1)},
		},
		{
			name: "daemon", title: "one small change, to an rsync daemon", table: changesTable, kind: byDaemon, byHand: true,
			reps: 20, quickReps: 4, tree: grow(smallTree), steps: []step{oneChange("rsync daemon", 1)},
		},
	}
	for _, sc := range all {
		if sc.patience == 0 {
			sc.patience = time.Minute
		}
	}
	return all
}

func grow(sh shape) func(source string) error {
	return func(source string) error {
		_, err := sh.grow(source)
		return err
	}
}

// oneChange rewrites a file of some hundred bytes.
func oneChange(title string, remotes int) step {
	return step{title: title, remotes: remotes, plan: func(c *contestant, rep int) (change, error) {
		path := filepath.Join("d0", "e7", "changed")
		return rewrite(c, written{path, shortText(c.rng, "change", rep)}), nil
	}}
}

// shortText is a small text. Its size differs from one repetition to the next:
// rsync does not look into a file that has the size and the second of its copy.
func shortText(rng *rand.Rand, line string, rep int) []byte {
	return prose(rng, fmt.Sprintf("%s %d", line, rep), 200+rep%50)
}

// rewrite gives files a new content, in place.
func rewrite(c *contestant, files ...written) change {
	ch := change{seen: allWritten(files...)}
	for _, f := range files {
		ch.paths = append(ch.paths, f.path)
	}
	ch.act = func() error {
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(c.source, f.path), f.content, 0o644); err != nil {
				return err
			}
		}
		return nil
	}
	return ch
}

func printChoices(w io.Writer) {
	fmt.Fprintln(w, "scenarios:")
	for _, sc := range scenarios() {
		quick := ""
		if sc.quickReps == 0 {
			quick = " (not with -quick)"
		}
		fmt.Fprintf(w, "%-10s %s%s\n", sc.name, sc.title, quick)
	}
	fmt.Fprintf(w, "\ntools:\n%s", toolChoices)
}
