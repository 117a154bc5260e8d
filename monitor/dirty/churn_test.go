package dirty

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

var (
	churnSeeds = flag.Int("dirty.seeds", 1500, "TestMovesConverge: how many seeds of random changes to run")
	churnSeed  = flag.Int("dirty.seed", -1, "TestMovesConverge: the one seed to run, as printed by a failure, with a log of what happens")
)

// Whatever is changed and renamed in a tree, and whenever batches are taken,
// fail and are put back: when nothing is dirty any more, the remote equals the
// tree. If events come late, what was renamed on the remote need not have been
// what was renamed in the tree; then the remote equals the tree when all is
// confirmed.
func TestMovesConverge(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("late=%v", late), func(t *testing.T) {
			moves, failures := 0, 0
			for seed := range *churnSeeds {
				if *churnSeed >= 0 {
					seed = *churnSeed
				}
				c := newChurn(seed, late)
				c.run(t)
				moves, failures = moves+c.repeated, failures+c.failed
				if *churnSeed >= 0 {
					t.Log(strings.Join(c.log, "\n"))
				}
				if t.Failed() || *churnSeed >= 0 {
					return
				}
			}
			// If it stops to move, the test has lost its object.
			t.Logf("%d renames were repeated, %d batches failed", moves, failures)
			if *churnSeeds > 100 && (moves < *churnSeeds || failures < *churnSeeds/4) {
				t.Error("too few to show anything")
			}
		})
	}
}

// churn is a tree, a remote and a worker between them.
type churn struct {
	seed int
	r    *rand.Rand
	late bool
	log  []string

	local, remote tree
	ids           int
	renamed       [][2]string // lately, oldest first

	events []func() // not delivered yet

	set, unconfirmed     *Set
	inFlight, confirming Batch
	seq                  uint64
	now                  time.Time

	repeated, failed int
}

func newChurn(seed int, late bool) *churn {
	return &churn{seed: seed, r: rand.New(rand.NewPCG(uint64(seed), 7)), late: late, local: make(tree), remote: make(tree),
		set: NewSet(), unconfirmed: NewSet(), now: start}
}

func (c *churn) note(format string, args ...any) { c.log = append(c.log, fmt.Sprintf(format, args...)) }

func (c *churn) run(t *testing.T) {
	for range 5 + c.r.IntN(25) {
		c.change()
	}
	c.deliver(len(c.events))
	c.drain()
	for range 3 + c.r.IntN(12) {
		for range c.r.IntN(6) {
			c.change()
		}
		c.someEvents()
		switch c.r.IntN(20) {
		case 0:
			c.everything()
		case 1, 2:
			c.confirm()
		default:
			c.transfer(c.r.IntN(4) == 0)
		}
	}
	c.deliver(len(c.events))
	c.drain()
	sent := differences(c.local, c.remote)
	if sent != "" && !c.late {
		t.Errorf("-dirty.seed=%d: nothing is dirty, and %s", c.seed, sent)
	}
	for range 10 {
		c.confirm()
		c.drain()
	}
	if got := differences(c.local, c.remote); got != "" {
		t.Errorf("-dirty.seed=%d: all is confirmed, and %s", c.seed, got)
	}
	if n := c.set.Len() + c.unconfirmed.Len(); n > 0 {
		t.Errorf("-dirty.seed=%d: %d paths are left", c.seed, n)
	}
}

// drain transfers until nothing is dirty.
func (c *churn) drain() {
	for range 50 {
		if c.set.Len() == 0 && !c.set.Everything() {
			return
		}
		c.now = c.now.Add(time.Hour)
		c.transfer(false)
		c.deliver(len(c.events))
	}
}

// The names of the model: few, so that they meet again and again.
func (c *churn) newName() string {
	dirs := []string{""}
	for p, n := range c.local {
		if n.dir && strings.Count(p, "/") < 3 {
			dirs = append(dirs, p+"/")
		}
	}
	slices.Sort(dirs)
	return dirs[c.r.IntN(len(dirs))] + string(rune('a'+c.r.IntN(5)))
}

// some is something of the tree, "" if there is nothing.
func (c *churn) some(want func(n node) bool) string {
	var all []string
	for p, n := range c.local {
		if want(n) {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return all[c.r.IntN(len(all))]
}

func anything(node) bool { return true }
func isFile(n node) bool { return !n.dir }

// change changes the tree at random.
func (c *churn) change() {
	switch c.r.IntN(12) {
	case 0, 1:
		c.write(c.newName())
	case 2:
		c.mkdir(c.newName())
	case 3:
		if p := c.some(isFile); p != "" {
			c.write(p)
		}
	case 4:
		if p := c.some(anything); p != "" {
			c.touch(p)
		}
	case 5:
		if p := c.some(anything); p != "" {
			c.remove(p)
		}
	case 6, 7:
		if from := c.some(anything); from != "" {
			c.rename(from, c.newName())
		}
	case 8: // as editors save
		if to := c.some(isFile); to != "" {
			temp := to + "~"
			c.write(temp)
			c.rename(temp, to)
		}
	case 9: // onto what exists
		if from, to := c.some(anything), c.some(anything); from != "" {
			c.rename(from, to)
		}
	case 10: // two change places
		if a, b := c.some(anything), c.some(anything); a != "" && a != b && !relpath.Below(a, b) && !relpath.Below(b, a) {
			c.rename(a, "third")
			c.rename(b, a)
			c.rename("third", b)
		}
	case 11: // a new one under the old name, as logs are rotated
		if p := c.some(anything); p != "" {
			dir := c.local[p].dir
			if to := c.newName(); c.rename(p, to) {
				if dir {
					c.mkdir(p)
				}
				c.write(strings.TrimPrefix(p+"/new", "/"))
				c.write(p)
			}
		}
	}
}

const created = watch.Entry | watch.Content

func (c *churn) write(p string) {
	if !c.local.isDir(relpath.Parent(p)) || c.local[p].dir {
		return
	}
	change := watch.Content
	if _, ok := c.local[p]; !ok {
		change |= watch.Entry
	}
	c.ids++
	c.local[p] = node{id: c.ids}
	c.note("write %s", p)
	c.changed(p, change|watch.Open)
	if c.r.IntN(5) > 0 {
		c.changed(p, watch.Content)
	}
}

func (c *churn) mkdir(p string) {
	if _, ok := c.local[p]; ok || !c.local.isDir(relpath.Parent(p)) {
		return
	}
	c.ids++
	c.local[p] = node{dir: true, id: c.ids}
	c.note("mkdir %s", p)
	c.changed(p, watch.Entry|watch.Tree)
}

func (c *churn) touch(p string) {
	n := c.local[p]
	c.ids++
	n.id = c.ids
	c.local[p] = n
	c.note("touch %s", p)
	c.changed(p, watch.Meta)
}

func (c *churn) remove(p string) {
	var all []string
	for q := range c.local {
		if q == p || relpath.Below(q, p) {
			all = append(all, q)
		}
	}
	slices.Sort(all)
	for _, q := range slices.Backward(all) { // what is in a directory goes first
		change := watch.Entry
		if c.local[q].dir {
			change |= watch.Tree
		}
		delete(c.local, q)
		c.note("remove %s", q)
		c.changed(q, change)
	}
}

// rename renames, and tells of it as the watcher does: as a move, or as two
// changes where it cannot be sure.
func (c *churn) rename(from, to string) bool {
	if !c.local.rename(from, to) {
		return false
	}
	dir := c.local[to].dir
	c.note("rename %s to %s", from, to)
	undone := slices.Contains(c.renamed, [2]string{to, from})
	if !undone {
		c.renamed = append(c.renamed, [2]string{from, to})
		c.renamed = c.renamed[max(0, len(c.renamed)-4):]
	}
	change := created
	if dir {
		change |= watch.Tree
	}
	if undone || c.r.IntN(10) == 0 {
		c.changed(from, change)
		c.changed(to, change)
		return true
	}
	c.event(func() { c.markMoved(from, to, change) })
	return true
}

func (c *churn) changed(p string, change watch.Change) { c.event(func() { c.mark(p, change) }) }

func (c *churn) event(deliver func()) {
	c.events = append(c.events, deliver)
	if !c.late {
		c.deliver(1)
	}
}

func (c *churn) deliver(n int) {
	for _, deliver := range c.events[:n] {
		c.seq++
		c.now = c.now.Add(time.Millisecond)
		deliver()
	}
	c.events = c.events[n:]
}

func (c *churn) someEvents() { c.deliver(c.r.IntN(len(c.events) + 1)) }

// mark and markMoved do what a worker does.
func (c *churn) mark(p string, change watch.Change) {
	c.note("  event %s %05b", p, change)
	c.set.Mark(p, change, c.seq, c.now)
}

func (c *churn) markMoved(from, to string, change watch.Change) {
	touched := false
	for _, b := range []Batch{c.inFlight, c.confirming} {
		touched = touched || b.Touches(from) || b.Touches(to)
	}
	if !touched && c.set.Move(from, to, change&watch.Tree != 0, c.seq, c.now) {
		c.note("  event %s to %s: moved", from, to)
		c.unconfirmed.Rekey(from, to)
		return
	}
	c.note("  event %s to %s: marked", from, to)
	c.set.Mark(to, change, c.seq, c.now)
	c.set.MarkMoved(from, to, change, c.seq, c.now)
}

func (c *churn) everything() {
	c.seq++
	c.note("a full pass is due")
	c.set.MarkEverything(c.seq, c.now, c.now.Add(time.Duration(c.r.IntN(2))*time.Second))
}

// meanwhile is what happens while a transfer runs.
func (c *churn) meanwhile() {
	if c.r.IntN(4) == 0 {
		c.change()
	}
	if c.r.IntN(3) == 0 {
		c.someEvents()
	}
}

// transfer takes a batch and brings it to the remote: the moves first, and then
// what the paths are by then.
func (c *churn) transfer(breaks bool) {
	if c.r.IntN(2) == 0 {
		c.now = c.now.Add(2 * time.Second)
	}
	batch := c.set.Take(c.now)
	if batch.Empty() {
		return
	}
	c.inFlight = batch
	c.note("batch: moves %v, paths %q", batch.Moves, paths(batch))
	steps := c.r.IntN(batch.Len() + 1) // when it breaks
	broken := func() bool {
		if steps--; !breaks || steps >= 0 {
			return false
		}
		c.note("it breaks")
		c.failed++
		c.inFlight = Batch{}
		c.set.Restore(batch, c.now.Add(time.Duration(c.r.IntN(100))*time.Millisecond))
		return true
	}
	c.meanwhile()
	var direct []*Entry
	rest := Batch{Entries: batch.Entries}
	for _, m := range batch.Moves {
		if broken() {
			return
		}
		c.meanwhile()
		if ok := c.remote.rename(m.From, m.To); !ok || len(rest.Moves) > 0 {
			c.note("cannot rename %s to %s there", m.From, m.To)
			rest.Moves = append(rest.Moves, m)
			continue
		}
		c.repeated++
		to, from := m.States()
		direct = append(direct, to, from)
	}
	if batch.Everything != nil {
		c.meanwhile()
		c.remote = make(tree)
		for p, n := range c.local {
			c.remote[p] = n
		}
	}
	rest = rest.WithoutMoves()
	slices.SortFunc(rest.Entries, func(a, b *Entry) int { return strings.Compare(a.Path, b.Path) })
	c.r.Shuffle(len(rest.Entries), func(i, j int) { rest.Entries[i], rest.Entries[j] = rest.Entries[j], rest.Entries[i] })
	for _, e := range rest.Entries {
		if broken() {
			return
		}
		c.meanwhile()
		c.remote.send(c.local, e)
		if c.r.IntN(2) == 0 { // by the direct lane
			direct = append(direct, &Entry{Path: e.Path, Change: watch.Content, Seq: e.Seq, Since: e.Since})
		}
	}
	c.meanwhile()
	c.inFlight = Batch{}
	c.unconfirmed.Restore(Batch{Entries: direct}, c.now)
}

// confirm compares what was sent directly. It waits until no move is due: what
// it would send has the names of afterwards already.
func (c *churn) confirm() {
	if len(c.set.moves) > 0 {
		return
	}
	batch := c.unconfirmed.Take(c.now.Add(time.Hour))
	c.confirming = batch
	slices.SortFunc(batch.Entries, func(a, b *Entry) int { return strings.Compare(a.Path, b.Path) })
	c.note("confirmation: %q", paths(batch))
	for _, e := range batch.Entries {
		c.meanwhileConfirming()
		c.remote.send(c.local, e)
	}
	c.confirming = Batch{}
}

// meanwhileConfirming is less, so that the last confirmations come to an end.
func (c *churn) meanwhileConfirming() {
	if c.late && c.r.IntN(3) == 0 {
		c.someEvents()
	}
}
