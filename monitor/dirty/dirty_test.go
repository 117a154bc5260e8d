package dirty

import (
	"fmt"
	"math/rand/v2"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// start is when the tests begin; at is a moment later.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

const (
	closed   = watch.Content
	open     = watch.Content | watch.Open
	entry    = watch.Entry
	wholeDir = watch.Entry | watch.Content | watch.Tree
)

func paths(b Batch) []string {
	var all []string
	for _, e := range b.Entries {
		all = append(all, e.Path)
	}
	slices.Sort(all)
	return all
}

func ripe(t *testing.T, s *Set, want time.Duration) {
	t.Helper()
	got, ok := s.Ripe()
	if !ok || !got.Equal(at(want)) {
		t.Errorf("ripe at %v (%v), expected %v", got.Sub(start), ok, want)
	}
}

// When a path is ripe, by its marks.
func TestRipeness(t *testing.T) {
	const ms = time.Millisecond
	type mark struct {
		at     time.Duration
		change watch.Change
	}
	for _, test := range []struct {
		name  string
		marks []mark
		want  time.Duration
	}{
		{"closed", []mark{{0, closed}}, 0},
		{"removed", []mark{{5 * ms, entry}}, 5 * ms},
		{"being made", []mark{{0, open}}, CloseWait},
		{"being made, with another write", []mark{{0, open}, {10 * ms, open}}, CloseWait},
		{"closed soon", []mark{{0, open}, {10 * ms, closed}}, 10 * ms},
		{"closed late", []mark{{0, open}, {50 * ms, closed}}, CloseWait},
		{"opened again", []mark{{0, closed}, {10 * ms, open}}, 0},
		{"closed twice", []mark{{0, closed}, {10 * ms, closed}}, 0},
	} {
		s := NewSet()
		for i, m := range test.marks {
			s.Mark("f", m.change, uint64(i+1), at(m.at))
		}
		t.Run(test.name, func(t *testing.T) { ripe(t, s, test.want) })
	}
	if _, ok := NewSet().Ripe(); ok {
		t.Error("an empty set is ripe")
	}
}

// Nothing goes through a directory that is not there yet: it may still be a link
// on the remote, or nothing at all.
func TestRipenessBelowANewDirectory(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name string
		dir  Entry
		want time.Duration
	}{
		{"being made", Entry{Change: wholeDir | watch.Open}, CloseWait},
		{"made", Entry{Change: wholeDir}, 5 * ms},
		{"with another mode", Entry{Change: watch.Meta | watch.Open}, 5 * ms},
		{"that fails", Entry{Change: wholeDir | watch.Open, Attempts: 1}, 5 * ms},
	} {
		s := marked(Entry{Path: "d", Change: test.dir.Change, Attempts: test.dir.Attempts})
		s.Mark("d/e/f", closed, 2, at(5*ms))
		t.Run(test.name, func(t *testing.T) {
			if got := s.entries["d/e/f"].NotBefore; !got.Equal(at(test.want)) {
				t.Errorf("ripe at %v, expected %v", got.Sub(start), test.want)
			}
		})
	}
}

func TestMarkKeepsTheOldest(t *testing.T) {
	s := NewSet()
	s.Mark("f", watch.Meta, 3, at(0))
	s.Mark("f", watch.Content, 7, at(time.Second))
	b := s.Take(at(time.Second))
	if b.Len() != 1 {
		t.Fatal(paths(b))
	}
	e := b.Entries[0]
	if e.Seq != 3 || !e.Since.Equal(start) || e.Change != watch.Meta|watch.Content || e.Attempts != 0 || e.Failing() {
		t.Errorf("%+v", e)
	}
	if s.Len() != 0 || s.Everything() {
		t.Error("something is left")
	}
	if _, _, ok := s.Oldest(); ok {
		t.Error("an empty set has an oldest mark")
	}
}

func TestRestoreKeepsAge(t *testing.T) {
	s := NewSet()
	s.Mark("f", closed, 3, at(0))
	s.MarkEverything(4, at(time.Second), at(time.Second))
	b := s.Take(at(time.Second))
	if b.Everything == nil || b.Len() != 1 || b.Empty() {
		t.Fatalf("%+v", b)
	}
	if seq, since, ok := b.Oldest(); seq != 3 || !since.Equal(start) || !ok {
		t.Errorf("the batch's oldest is %d, %v", seq, since)
	}
	s.Mark("f", watch.Meta, 9, at(2*time.Second))
	s.Mark("g", closed, 10, at(2*time.Second))
	s.MarkEverything(11, at(2*time.Second), at(5*time.Second))
	s.Restore(b, at(time.Minute))
	if seq, since, ok := s.Oldest(); seq != 3 || !since.Equal(start) || !ok {
		t.Errorf("the oldest is %d, %v", seq, since)
	}
	// What was marked meanwhile does not wait for the back-off.
	b = s.Take(at(2 * time.Second))
	if got := paths(b); !slices.Equal(got, []string{"f", "g"}) || b.Everything != nil {
		t.Errorf("taken %q, %v", got, b.Everything)
	}
	if e := s.Take(at(5 * time.Second)).Everything; e == nil || e.Seq != 4 || !e.Since.Equal(at(time.Second)) {
		t.Errorf("the full pass is %+v", e)
	}
}

// Two parts of one batch may be restored for the same path: the older counts.
func TestRestoreTwice(t *testing.T) {
	for _, order := range [][]uint64{{3, 7}, {7, 3}} {
		s := NewSet()
		for _, seq := range order {
			s.Restore(Batch{Entries: []*Entry{{Path: "f", Change: closed, Seq: seq, Since: at(time.Duration(seq))}}}, at(time.Second))
		}
		if seq, since, _ := s.Oldest(); seq != 3 || !since.Equal(at(3)) {
			t.Errorf("in the order %v the oldest is %d, %v", order, seq, since)
		}
		s = NewSet()
		for _, seq := range order {
			s.Restore(Batch{Everything: &Entry{Seq: seq, Since: at(time.Duration(seq))}}, at(time.Second))
		}
		if seq, since, _ := s.Oldest(); seq != 3 || !since.Equal(at(3)) {
			t.Errorf("in the order %v the oldest pass is %d, %v", order, seq, since)
		}
	}
}

func TestFailingPaths(t *testing.T) {
	s := NewSet()
	failing := &Entry{Path: "f", Change: closed, Seq: 1, Since: start, Attempts: 2, Problem: "no"}
	s.Restore(Batch{Entries: []*Entry{failing}}, at(time.Minute))
	if got := s.Failing(); len(got) != 1 || got[0] != failing {
		t.Errorf("failing: %v", got)
	}
	ripe(t, s, time.Minute)
	// A change brings the next attempt near, but not at once.
	s.Mark("f", closed, 2, at(10*time.Second))
	ripe(t, s, 10*time.Second+RetryWait)
	s.Mark("f", closed, 3, at(10*time.Second+RetryWait/2))
	ripe(t, s, 10*time.Second+RetryWait)
	b := s.Take(at(10*time.Second + RetryWait))
	if b.Len() != 1 || b.Entries[0].Attempts != 2 || b.Entries[0].Seq != 1 {
		t.Fatalf("%+v", b)
	}
	// So does one while the attempt runs.
	s.Mark("f", closed, 4, at(12*time.Second))
	s.Restore(b, at(time.Minute))
	ripe(t, s, 12*time.Second+RetryWait)
}

func TestApproved(t *testing.T) {
	s := NewSet()
	s.Restore(Batch{Entries: []*Entry{{Path: "gone", Change: entry, Seq: 1, Since: start, Approved: 1}}}, start)
	s.Mark("gone", watch.Meta, 2, at(time.Second))
	if b := s.Take(at(time.Second)); b.Entries[0].Approved != 1 {
		t.Error("an approval is lost with a mark")
	}
	s.Restore(Batch{Entries: []*Entry{{Path: "gone", Change: entry, Seq: 1, Since: start, Approved: 1}}}, start)
	s.Mark("gone", entry, 2, at(time.Second))
	if b := s.Take(at(time.Second)); b.Entries[0].Approved != 0 {
		t.Error("an approval is good for another entry of that name")
	}
	s.Mark("gone", watch.Meta, 3, at(time.Second))
	s.Restore(Batch{Entries: []*Entry{{Path: "gone", Change: entry, Seq: 1, Since: start, Approved: 5}}}, start)
	if b := s.Take(at(time.Second)); b.Entries[0].Approved != 5 {
		t.Error("an approval is lost with a restore")
	}
	s.Mark("gone", entry|watch.Tree, 3, at(time.Second))
	s.Restore(Batch{Entries: []*Entry{{Path: "gone", Change: entry, Seq: 1, Since: start, Approved: 5}}}, start)
	if b := s.Take(at(time.Second)); b.Entries[0].Approved != 0 {
		t.Error("an approval is good for a directory that came and went while a file of that name was held")
	}
}

// A directory above the limit folds, and what stands alone stays.
func TestFoldDirectory(t *testing.T) {
	s := NewSet()
	s.Mark("alone/f", closed, 1, at(0))
	for i := range Limit {
		s.Mark(fmt.Sprintf("crowded/%d", i), entry, uint64(i+2), at(time.Second))
	}
	if s.Len() != 2 || s.Everything() {
		t.Fatalf("%d entries, everything %v", s.Len(), s.Everything())
	}
	b := s.Take(at(time.Second))
	if got := paths(b); !slices.Equal(got, []string{"alone/f", "crowded"}) {
		t.Fatalf("taken %q", got)
	}
	for _, e := range b.Entries {
		if e.Path == "crowded" && (e.Change != wholeDir || e.Seq != 2 || !e.Since.Equal(at(time.Second))) {
			t.Errorf("%+v", e)
		}
	}
}

// Nothing that is not crowded can fold but into everything.
func TestFoldEverything(t *testing.T) {
	s := NewSet()
	for i := range Limit + 1 {
		s.Mark(fmt.Sprintf("%d/f", i), entry, uint64(i+1), at(time.Duration(i)))
	}
	if s.Len() != 0 || !s.Everything() {
		t.Fatalf("%d entries, everything %v", s.Len(), s.Everything())
	}
	if seq, since, ok := s.Oldest(); seq != 1 || !since.Equal(start) || !ok {
		t.Errorf("the oldest is %d, %v", seq, since)
	}
	ripe(t, s, 0)
	for i := range Limit + 1 { // in the root as well
		s.Mark(fmt.Sprint(i), entry, uint64(i+1), start)
	}
	if s.Len() != 0 {
		t.Errorf("%d entries", s.Len())
	}
}

// That one name was renamed clears no deletion beside it.
func TestFoldForgetsRenames(t *testing.T) {
	for name, path := range map[string]func(i int) string{
		"into a directory": func(i int) string { return fmt.Sprintf("d/%d", i) },
		"into a full pass": func(i int) string { return fmt.Sprint(i) },
	} {
		s := NewSet()
		for i := range Limit + 1 {
			s.MarkMoved(path(i), "elsewhere", entry, uint64(i+1), start)
		}
		b := s.Take(at(time.Minute))
		if b.Everything != nil {
			b.Entries = append(b.Entries, b.Everything)
		}
		for _, e := range b.Entries {
			if e.Cleared() {
				t.Errorf("%s: %+v", name, *e)
			}
		}
		if len(b.Entries) != 1 {
			t.Errorf("%s: %d entries", name, len(b.Entries))
		}
	}
}

// What was approved for many together is not that many times as much when they
// fold.
func TestFoldDoesNotMultiplyApprovals(t *testing.T) {
	s := NewSet()
	for i := range Limit + 1 {
		s.Restore(Batch{Entries: []*Entry{{Path: fmt.Sprintf("d/%d", i), Change: entry, Seq: 1, Since: start, Approved: 7}}}, start)
	}
	if b := s.Take(start); b.Len() != 1 || b.Entries[0].Approved != 7 {
		t.Errorf("%d entries, %+v", b.Len(), b.Entries[0])
	}
}

// A pass that is due already becomes as old as the oldest reason for it.
func TestMarkEverythingAgain(t *testing.T) {
	s := NewSet()
	s.MarkEverything(5, at(5*time.Second), at(6*time.Second))
	s.MarkEverything(3, at(3*time.Second), at(9*time.Second))
	if e := s.Take(at(6 * time.Second)).Everything; e == nil || e.Seq != 3 || !e.Since.Equal(at(3*time.Second)) {
		t.Errorf("%+v", e)
	}
}

// A full pass that failed keeps what was folded into the next one meanwhile.
func TestRestoredPassComparesContents(t *testing.T) {
	s := NewSet()
	s.MarkEverything(1, start, start)
	b := s.Take(start)
	for i := range Limit + 1 {
		s.Mark(fmt.Sprint(i), closed, uint64(i+2), start)
	}
	s.Restore(b, start)
	if e := s.Take(start).Everything; e == nil || e.Change&watch.Content == 0 || e.Seq != 1 {
		t.Errorf("%+v", e)
	}
}

// An approval of one is none of what it is folded with.
func TestFoldKeepsFailures(t *testing.T) {
	s := NewSet()
	s.Restore(Batch{Entries: []*Entry{
		{Path: "d/bad", Change: closed, Seq: 1, Since: start, Attempts: 3, Problem: "no"},
		{Path: "d/gone", Change: entry, Seq: 1, Since: start, Approved: 1},
	}}, at(time.Minute))
	for i := range Limit {
		s.Mark(fmt.Sprintf("d/%d", i), entry, 2, at(0))
	}
	for _, e := range s.Take(at(0)).Entries {
		if e.Path == "d" && e.Attempts == 3 && e.Problem == "no" && e.Approved == 0 && e.Seq == 1 {
			return
		}
	}
	t.Error("no entry of the directory has it all")
}

// A million changed paths take a bounded number of entries and bytes.
func TestAMillionMarksStayBounded(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for name, test := range map[string]struct {
		marks int
		path  func(i int) string
	}{
		"one in each directory": {1_000_000, func(i int) string { return "dir-" + strconv.Itoa(i) + "/file" }},
		"one directory":         {40_000, func(i int) string { return "a/long/directory/name/file-" + strconv.Itoa(i) }},
		"many directories":      {40_000, func(i int) string { return "dir-" + strconv.Itoa(i%5000) + "/with/file-" + strconv.Itoa(i) }},
		"the root":              {40_000, strconv.Itoa},
		"deeper and deeper":     {40_000, func(i int) string { return strings.Repeat("d/", i%100) + strconv.Itoa(i) }},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			s, most := NewSet(), 0
			for i := range test.marks {
				s.Mark(test.path(i), closed, uint64(i), start)
				most = max(most, s.Len())
			}
			bytes := heap() - before
			t.Logf("at most %d entries, in the end %d and %d KiB", most, s.Len(), bytes>>10)
			if most > Limit {
				t.Errorf("%d entries", most)
			}
			if bytes > 16<<20 {
				t.Errorf("%d bytes", bytes)
			}
			runtime.KeepAlive(s)
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// model keeps every mark that is not acknowledged, one by one.
type model map[uint64]string

// holds reports whether mark n of p is among entries: as itself, in a tree or in
// everything.
func holds(entries map[string]*Entry, everything *Entry, n uint64, p string) bool {
	if everything != nil && everything.Seq <= n {
		return true
	}
	if e := entries[p]; e != nil && e.Seq <= n {
		return true
	}
	for up := path.Dir(p); up != "."; up = path.Dir(up) {
		if e := entries[up]; e != nil && e.Change&watch.Tree != 0 && e.Seq <= n {
			return true
		}
	}
	return false
}

// No mark is ever lost: it is in the set, or in a batch that was taken after
// it, until such a batch succeeds; and the oldest of all is never older than
// the set says.
func TestNoMarkIsLost(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, now, seq := NewSet(), start, uint64(0)
		open := make(model)   // marks that are in the set
		inBatch := model(nil) // marks that are in the batch
		var batch Batch
		check := func(step int) {
			t.Helper()
			for n, p := range open {
				if !holds(s.entries, s.everything, n, p) {
					t.Fatalf("seed %d, step %d: mark %d of %q is lost", seed, step, n, p)
				}
			}
			if s.Len() > Limit {
				t.Fatalf("seed %d: %d entries", seed, s.Len())
			}
			oldest, _, _ := s.Oldest()
			for n := range open {
				if oldest > n {
					t.Fatalf("seed %d, step %d: mark %d is open, and the oldest is %d", seed, step, n, oldest)
				}
			}
		}
		mark := func(p string, change watch.Change) {
			seq++
			s.Mark(p, change, seq, now)
			open[seq] = p
		}
		for step := range 60 {
			now = now.Add(time.Duration(r.Int64N(int64(2 * time.Second))))
			switch r.IntN(10) {
			case 0:
				seq++
				s.MarkEverything(seq, now, now.Add(time.Duration(r.Int64N(int64(time.Second)))))
			case 1, 2, 3, 4:
				for range r.IntN(5) {
					mark(fmt.Sprintf("%d/%d", r.IntN(3), r.IntN(4)), watch.Change(1+r.IntN(31)))
				}
			case 5:
				if seed%20 == 0 { // enough to fold
					for i := range Limit/2 + r.IntN(Limit) {
						s.Mark(fmt.Sprintf("%d/x%d/%d", i%3, i%(1+r.IntN(40)), i), entry, seq, now)
					}
				}
			case 6, 7:
				if inBatch != nil {
					continue
				}
				batch, inBatch = s.Take(now), make(model)
				taken := make(map[string]*Entry)
				for _, e := range batch.Entries {
					taken[e.Path] = e
				}
				for n, p := range open {
					if holds(s.entries, s.everything, n, p) {
						continue
					}
					if !holds(taken, batch.Everything, n, p) {
						t.Fatalf("seed %d, step %d: mark %d of %q is neither in the set nor in the batch", seed, step, n, p)
					}
					inBatch[n] = p
					delete(open, n)
				}
			case 8: // it succeeds
				batch, inBatch = Batch{}, nil
			default: // it fails, some of it for good
				if inBatch == nil {
					continue
				}
				for _, e := range batch.Entries {
					if r.IntN(4) == 0 {
						e.Attempts++
					}
				}
				s.Restore(batch, now.Add(time.Duration(r.Int64N(int64(time.Second)))))
				for n, p := range inBatch {
					open[n] = p
				}
				batch, inBatch = Batch{}, nil
			}
			check(step)
		}
	}
}

// All that is taken is ripe, and all that is ripe is taken.
func TestTakeTakesWhatIsRipe(t *testing.T) {
	s := NewSet()
	for i := range 100 {
		s.Restore(Batch{Entries: []*Entry{{Path: fmt.Sprint(i), Seq: 1, Since: start}}}, at(time.Duration(i)))
	}
	if b := s.Take(at(49)); b.Len() != 50 || s.Len() != 50 {
		t.Errorf("%d taken, %d left", b.Len(), s.Len())
	}
	ripe(t, s, 50)
}

// A burst leaves no memory behind.
func TestBurstIsForgotten(t *testing.T) {
	s := NewSet()
	for i := range Limit {
		s.Mark(fmt.Sprintf("%d/f", i), closed, 1, start)
	}
	before := heap()
	s.Take(start)
	if freed := before - heap(); freed < 1<<20 {
		t.Errorf("%d bytes were freed", freed)
	}
	runtime.KeepAlive(s)
}

// BenchmarkMarkTake is the way of one change on a quiet remote.
func BenchmarkMarkTake(b *testing.B) {
	b.ReportAllocs()
	s := NewSet()
	for i := range b.N {
		s.Mark("some/path/to/a/file", closed, uint64(i), start)
		if s.Take(start).Empty() {
			b.Fatal("not taken")
		}
	}
}

// BenchmarkMark is a storm of changes while a remote is away.
func BenchmarkMark(b *testing.B) {
	b.ReportAllocs()
	names := make([]string, 10000)
	for i := range names {
		names[i] = fmt.Sprintf("dir-%d/file-%d", i%100, i)
	}
	s := NewSet()
	for i := range b.N {
		s.Mark(names[i%len(names)], closed, uint64(i), start)
	}
}

func TestMarkMoved(t *testing.T) {
	s := NewSet()
	s.MarkMoved("from", "to", wholeDir, 1, start)
	if b := s.Take(start); b.Len() != 1 || !b.Entries[0].Cleared() {
		t.Errorf("%+v", b)
	}
	s.MarkMoved("from", "to", wholeDir, 2, start)
	s.Mark("from", entry, 3, start)
	if b := s.Take(start); b.Len() != 1 || b.Entries[0].Cleared() || b.Entries[0].Seq != 2 {
		t.Errorf("what became of it later is not judged: %+v", b.Entries[0])
	}
	// Nor what became of it while the transfer ran that failed.
	s.MarkMoved("from", "to", wholeDir, 1, start)
	b := s.Take(start)
	s.Mark("from", watch.Meta, 2, start)
	s.Restore(b, start)
	if b = s.Take(start); !b.Entries[0].Cleared() {
		t.Errorf("a rename is forgotten: %+v", b.Entries[0])
	}
	s.Mark("from", entry, 3, start)
	s.Restore(b, start)
	if b = s.Take(start); b.Entries[0].Cleared() {
		t.Errorf("what became of it meanwhile is not judged: %+v", b.Entries[0])
	}
}

// A new directory brings all that is in it; what else changed brings nothing along.
func TestAnnounces(t *testing.T) {
	s := NewSet()
	s.Mark("d", watch.Entry|watch.Tree, 1, start)
	s.Mark("f", watch.Entry|watch.Content, 2, start)
	s.Mark("old", watch.Meta, 3, start)
	s.Mark("old/file", watch.Content, 4, start)
	for path, want := range map[string]bool{
		"d": true, "d/e": true, "d/e/f": true, "dd": false, "f": true, "f/x": false, "old": false, "old/x": false, "old/file": false, "": false,
	} {
		if got := s.Announces(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
	s.MarkEverything(5, start, start)
	if !s.Announces("old/x") {
		t.Error("a full pass brings not everything")
	}
}
