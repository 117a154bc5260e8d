package dirty

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wsync/monitor/watch"
)

// marked is a set with marks that were made in order, the first with number 1.
func marked(marks ...Entry) *Set {
	s := NewSet()
	for i, m := range marks {
		s.Mark(m.Path, m.Change, uint64(i+1), start)
		e := s.entries[m.Path]
		e.Attempts, e.Approved = m.Attempts, m.Approved
	}
	return s
}

// names are the paths of a set, in order.
func names(s *Set) []string {
	all := []string{}
	for p, e := range s.entries {
		if p != e.Path {
			return []string{"entry " + e.Path + " is filed as " + p}
		}
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

// When a rename may be repeated, and what the dirty paths are called then. want
// is nil where the names must be marked instead.
func TestMove(t *testing.T) {
	const meta, tree = watch.Meta, watch.Entry | watch.Tree
	type marks = []Entry
	for _, test := range []struct {
		name     string
		marks    marks
		from, to string
		dir      bool
		want     []string
	}{
		{"nothing is dirty", nil, "a", "b", false, []string{}},
		{"the file is dirty", marks{{Path: "a", Change: closed}}, "a", "b", false, []string{"b"}},
		{"the file is being written", marks{{Path: "a", Change: open}}, "a", "b", false, []string{"b"}},
		{"the file is new", marks{{Path: "a", Change: entry | closed}}, "a", "b", false, nil},
		{"the directory may differ as a whole", marks{{Path: "a", Change: watch.Tree}}, "a", "b", true, nil},
		{"the file fails", marks{{Path: "a", Change: meta, Attempts: 1}}, "a", "b", false, nil},
		{"below is dirty", marks{{Path: "a/x", Change: entry}, {Path: "a/d/y", Change: tree}, {Path: "ab", Change: entry}, {Path: "a-b/x", Change: entry}},
			"a", "q/b", true, []string{"a-b/x", "ab", "q/b/d/y", "q/b/x"}},
		{"something below fails", marks{{Path: "a/x", Change: closed, Attempts: 1}}, "a", "b", true, nil},
		{"the old parent is new", marks{{Path: "d", Change: tree}}, "d/a", "b", false, nil},
		{"the old parent is a new file", marks{{Path: "d", Change: entry}}, "d/a", "b", false, nil},
		{"the old parent's mode", marks{{Path: "d", Change: meta}}, "d/a", "b", false, []string{"d"}},
		{"the new parent is new", marks{{Path: "d", Change: tree}}, "a", "d/b", false, nil},
		{"a parent further up is new", marks{{Path: "d", Change: tree}}, "a", "d/e/b", true, nil},
		{"the new parent's mode", marks{{Path: "d", Change: meta}}, "a", "d/b", false, []string{"d"}},
		{"the new parent fails with its mode", marks{{Path: "d", Change: meta, Attempts: 1}}, "a", "d/b", false, []string{"d"}},
		{"a file that is gone is in the way", marks{{Path: "b", Change: entry}}, "a", "b", false, []string{"b"}},
		{"a file that changed is in the way", marks{{Path: "b", Change: closed}, {Path: "a", Change: closed}}, "a", "b", false, []string{"b"}},
		{"a directory that is gone is in the way", marks{{Path: "b", Change: tree}}, "a", "b", false, nil},
		{"a directory goes where something was", marks{{Path: "b", Change: entry}}, "a", "b", true, nil},
		{"a directory goes where something has another mode", marks{{Path: "b", Change: meta}}, "a", "b", true, nil},
		{"what is in the way fails", marks{{Path: "b", Change: closed, Attempts: 1}}, "a", "b", false, nil},
		{"something is dirty below the new name", marks{{Path: "b/x", Change: meta}}, "a", "b", true, nil},
		{"a sibling", marks{{Path: "d/c", Change: tree}}, "d/a", "d/b", true, []string{"d/c"}},
		{"the root's own mode", marks{{Path: "", Change: meta}}, "a", "b", false, []string{""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := marked(test.marks...)
			before, length := names(s), s.Len()
			moved := s.Move(test.from, test.to, test.dir, 9, at(time.Second))
			if moved != (test.want != nil) {
				t.Fatalf("moved: %v", moved)
			}
			if !moved {
				if !slices.Equal(names(s), before) || s.Len() != length || len(s.moves) > 0 {
					t.Errorf("a refusal changed the set to %q", names(s))
				}
				return
			}
			if got := names(s); !slices.Equal(got, test.want) {
				t.Errorf("dirty are %q, expected %q", got, test.want)
			}
			want := Move{From: test.from, To: test.to, Dir: test.dir, Seq: 9, Since: at(time.Second)}
			if len(s.moves) != 1 || s.moves[0] != want {
				t.Errorf("the moves are %+v", s.moves)
			}
		})
	}
}

// Both names of a move may be dirty: what is known of either is kept.
func TestMoveOntoADirtyFile(t *testing.T) {
	s := NewSet()
	s.Mark("a", watch.Content, 1, at(0))
	s.Mark("b", watch.Meta, 2, at(time.Second))
	if !s.Move("a", "b", false, 3, at(2*time.Second)) {
		t.Fatal("refused")
	}
	b := s.Take(at(2 * time.Second))
	if len(b.Entries) != 1 || len(b.Moves) != 1 {
		t.Fatalf("%+v", b)
	}
	if e := b.Entries[0]; e.Path != "b" || e.Change != watch.Content|watch.Meta || e.Seq != 1 || !e.Since.Equal(start) {
		t.Errorf("%+v", e)
	}
}

// A file that is written without pause keeps its interval under its new name.
func TestMoveOfAnOpenFile(t *testing.T) {
	s := NewSet()
	s.Mark("d/log", open, 1, start)
	s.Take(at(CloseWait))
	s.Sent("d/log", 30*time.Millisecond, at(CloseWait))
	if !s.Move("d", "e", true, 2, at(CloseWait)) {
		t.Fatal("refused")
	}
	s.Take(at(CloseWait))
	s.Mark("e/log", open, 3, at(CloseWait+1))
	ripe(t, s, CloseWait+300*time.Millisecond)
}

func TestMoveLimits(t *testing.T) {
	s := NewSet()
	for i := range moveLimit {
		if !s.Move(fmt.Sprint("a", i), fmt.Sprint("b", i), false, 1, start) {
			t.Fatalf("move %d is refused", i)
		}
	}
	if s.Move("x", "y", false, 1, start) {
		t.Error("more moves than the limit")
	}
	s = NewSet()
	for i := range rekeyLimit + 1 {
		s.Mark(fmt.Sprint(i), closed, 1, start)
	}
	if s.Move("x", "y", false, 1, start) {
		t.Error("moved among more entries than the limit")
	}
	s = NewSet()
	s.MarkEverything(1, start, at(time.Hour))
	if s.Move("x", "y", false, 1, start) {
		t.Error("moved although a full pass is due")
	}
}

// A set that has nothing but a move is not empty, and its age is the move's.
func TestMoveCounts(t *testing.T) {
	s := NewSet()
	s.Mark("f", closed, 3, at(time.Second))
	if !s.Move("a", "b", true, 5, at(2*time.Second)) || !s.Move("c", "d", true, 6, at(3*time.Second)) {
		t.Fatal("refused")
	}
	if seq, since, ok := s.Oldest(); s.Len() != 3 || seq != 3 || !since.Equal(at(time.Second)) || !ok {
		t.Errorf("%d, the oldest is %d, %v", s.Len(), seq, since)
	}
	b := s.Take(at(time.Second)) // moves are always ripe
	if b.Empty() || b.Len() != 3 || s.Len() != 0 || len(b.Moves) != 2 || b.Moves[0].From != "a" {
		t.Errorf("%+v", b)
	}
	if seq, _, ok := b.Oldest(); seq != 3 || !ok {
		t.Errorf("the batch's oldest is %d", seq)
	}
	s = NewSet()
	s.Move("a", "b", true, 5, at(2*time.Second))
	ripe(t, s, 2*time.Second)
	if seq, since, ok := s.Oldest(); s.Len() != 1 || seq != 5 || !since.Equal(at(2*time.Second)) || !ok {
		t.Errorf("%d, the oldest is %d, %v, %v", s.Len(), seq, since, ok)
	}
	b = s.Take(at(2 * time.Second))
	if seq, _, ok := b.Oldest(); b.Empty() || b.Len() != 1 || seq != 5 || !ok {
		t.Errorf("the batch of a move: %+v", b)
	}
	if _, ok := s.Ripe(); ok {
		t.Error("what was taken is still ripe")
	}
}

// byPath finds an entry of a batch.
func byPath(b Batch, path string) *Entry {
	for _, e := range b.Entries {
		if e.Path == path {
			return e
		}
	}
	return nil
}

// A batch without moves says that both names of each may differ.
func TestSettled(t *testing.T) {
	b := Batch{
		Moves: []Move{
			{From: "a", To: "b", Dir: true, Seq: 4, Since: at(4)},
			{From: "f", To: "g", Seq: 5, Since: at(5)},
			{From: "b", To: "c", Dir: true, Seq: 6, Since: at(6)},
		},
		Entries: []*Entry{{Path: "g", Change: watch.Meta, Seq: 2, Since: at(2), Attempts: 3, Problem: "no"}},
	}
	settled := b.WithoutMoves()
	if got := paths(settled); !slices.Equal(got, []string{"a", "b", "c", "f", "g"}) || len(settled.Moves) > 0 {
		t.Fatalf("%q, %v", got, settled.Moves)
	}
	for path, want := range map[string]Entry{
		"a": {Change: wholeDir, Seq: 4, MovedTo: "b"},
		"b": {Change: wholeDir, Seq: 4, MovedTo: "c"},
		"c": {Change: wholeDir, Seq: 6},
		"f": {Change: entry | watch.Content, Seq: 5, MovedTo: "g"},
		"g": {Change: entry | watch.Content | watch.Meta, Seq: 2, Attempts: 3},
	} {
		e := byPath(settled, path)
		if e.Change != want.Change || e.Seq != want.Seq || e.MovedTo != want.MovedTo || e.Attempts != want.Attempts {
			t.Errorf("%s: %+v, expected %+v", path, e, want)
		}
	}
	if seq, _, _ := settled.Oldest(); seq != 2 {
		t.Errorf("the oldest is %d", seq)
	}
	everything := &Entry{Seq: 1}
	if got := (Batch{Everything: everything, Moves: b.Moves}).WithoutMoves(); got.Everything != everything {
		t.Error("the full pass is lost")
	}
}

// Of a batch that failed nobody knows which moves were made. What was moved
// meanwhile comes back as entries, too: it may be above or below.
func TestRestoreMoves(t *testing.T) {
	s := NewSet()
	s.Mark("a/f", closed, 1, at(0))
	s.Move("a", "b", true, 2, at(1))
	b := s.Take(at(1))
	s.Move("x", "y", false, 3, at(2))
	s.Mark("a", entry|watch.Content, 4, at(3)) // a new one
	s.Restore(b, at(time.Hour))
	if len(s.moves) > 0 || !slices.Equal(names(s), []string{"a", "b", "b/f", "x", "y"}) {
		t.Fatalf("%q and the moves %v", names(s), s.moves)
	}
	if e := s.entries["a"]; e.Seq != 2 || e.Change&watch.Tree == 0 || !e.NotBefore.Equal(at(3)) {
		t.Errorf("the new entry under the old name: %+v", e)
	}
	if e := s.entries["b/f"]; e.Seq != 1 || !e.NotBefore.Equal(at(time.Hour)) {
		t.Errorf("what was below: %+v", e)
	}
	if e := s.entries["y"]; e.Seq != 3 || e.NotBefore.After(at(2)) {
		t.Errorf("what was moved meanwhile: %+v", e)
	}
	if seq, _, _ := s.Oldest(); seq != 1 {
		t.Errorf("the oldest is %d", seq)
	}
}

// An empty batch leaves the moves as they are.
func TestRestoreNothing(t *testing.T) {
	s := NewSet()
	s.Move("x", "y", false, 3, start)
	s.Restore(Batch{}, start)
	if len(s.moves) != 1 {
		t.Error("the move is gone")
	}
}

// A full pass knows nothing of moves.
func TestMarkEverythingSettlesMoves(t *testing.T) {
	s := NewSet()
	s.Move("x", "y", false, 3, at(1))
	s.MarkEverything(4, at(2), at(time.Hour))
	if len(s.moves) > 0 || !slices.Equal(names(s), []string{"x", "y"}) || !s.Everything() {
		t.Errorf("%q and the moves %v", names(s), s.moves)
	}
	b := s.Take(at(2))
	if b.Everything != nil || len(b.Moves) > 0 || b.Len() != 2 {
		t.Errorf("taken %+v", b)
	}
	if seq, _, _ := b.Oldest(); seq != 3 {
		t.Errorf("the oldest is %d", seq)
	}
}

func TestFoldWithMoves(t *testing.T) {
	t.Run("a directory", func(t *testing.T) {
		s := NewSet()
		s.Move("x", "y", false, 1, start)
		for i := range Limit + 1 {
			s.Mark(fmt.Sprintf("crowded/%d", i), entry, 2, start)
		}
		if len(s.moves) != 1 || s.Len() > 1000 || s.Everything() {
			t.Errorf("%d, moves %v", s.Len(), s.moves)
		}
	})
	t.Run("everything", func(t *testing.T) {
		s := NewSet()
		s.Move("x", "y", false, 1, start)
		for i := range Limit + 1 {
			s.Mark(fmt.Sprintf("%d/f", i), entry, 2, start)
		}
		b := s.Take(start)
		if len(b.Moves) > 0 || b.Everything == nil || b.Everything.Change&watch.Content == 0 {
			t.Fatalf("%+v", b.Everything)
		}
		if seq, _, _ := b.Oldest(); seq != 1 {
			t.Errorf("the oldest is %d: the move is forgotten", seq)
		}
	})
	// The moves alone may be what is too much, while the set folds.
	t.Run("a restore at the limit", func(t *testing.T) {
		s := NewSet()
		s.Move("x", "y", false, 1, start)
		for i := range Limit {
			s.Mark(fmt.Sprintf("%d/f", i), entry, 2, start)
		}
		s.Restore(Batch{Entries: []*Entry{{Path: "one/more", Change: closed, Seq: 2, Since: start}}}, start)
		b := s.Take(start)
		if len(b.Moves) > 0 || b.Everything == nil || b.Everything.Change&watch.Content == 0 || b.Everything.Seq != 1 {
			t.Errorf("%+v, %d entries, moves %v", b.Everything, len(b.Entries), b.Moves)
		}
	})
}

func TestTouches(t *testing.T) {
	b := Batch{
		Moves:   []Move{{From: "m/from", To: "m/to"}},
		Entries: []*Entry{{Path: "d/e"}},
	}
	for path, want := range map[string]bool{
		"d": true, "d/e": true, "d/e/f": true, "d/ee": false, "d/e-": false, "dd": false,
		"m": true, "m/from": true, "m/to/x": true, "m/other": false, "other": false,
	} {
		if got := b.Touches(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
	if (Batch{}).Touches("d") {
		t.Error("an empty batch touches something")
	}
	if !(Batch{Everything: &Entry{}}).Touches("d") {
		t.Error("a full pass touches all")
	}
	if !(Batch{Entries: []*Entry{{Path: "d"}}}).Touches("d/e/f") {
		t.Error("a directory may be sent with all below it")
	}
}

// What waits for a confirmation follows a rename, whatever it is.
func TestRekey(t *testing.T) {
	s := marked(Entry{Path: "a", Change: wholeDir}, Entry{Path: "a/x", Change: closed, Attempts: 1}, Entry{Path: "ab", Change: closed},
		Entry{Path: "b/x", Change: watch.Meta})
	s.Rekey("a", "b")
	if got := names(s); !slices.Equal(got, []string{"ab", "b", "b/x"}) {
		t.Fatalf("%q", got)
	}
	if e := s.entries["b/x"]; e.Change != closed|watch.Meta || e.Seq != 2 || e.Attempts != 1 {
		t.Errorf("%+v", e)
	}
	if len(s.moves) > 0 {
		t.Error("a move to be repeated")
	}
}

// A path that is marked after the move, under its new name, is still as old as
// under its old one.
func TestMoveKeepsAges(t *testing.T) {
	s := NewSet()
	s.Mark("d/old", closed, 1, at(0))
	s.Move("d", "e", true, 7, at(7))
	s.Mark("e/old", watch.Meta, 8, at(8))
	b := s.Take(at(8))
	if e := byPath(b, "e/old"); e == nil || e.Seq != 1 || !e.Since.Equal(start) || e.Change != closed|watch.Meta {
		t.Errorf("%+v", e)
	}
}

// crowded is a set of n dirty files in directories of a hundred.
func crowded(n int) *Set {
	s := NewSet()
	for i := range n {
		s.Mark(fmt.Sprintf("dir-%d/file-%d", i/100, i), closed, uint64(i), start)
	}
	return s
}

// BenchmarkMove is a file that is renamed and taken, beside other dirty paths.
func BenchmarkMove(b *testing.B) {
	for _, n := range []int{0, rekeyLimit, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			s := crowded(n)
			for b.Loop() {
				if s.Move("dir-x/from", "dir-y/to", false, 1, start) != (n <= rekeyLimit) {
					b.Fatal("moved against the limit")
				}
				s.moves = s.moves[:0]
			}
		})
	}
}

// BenchmarkMoveDirectory gives a hundred dirty paths new names.
func BenchmarkMoveDirectory(b *testing.B) {
	b.ReportAllocs()
	s := crowded(rekeyLimit)
	from, to := "dir-1", "dir-x"
	for b.Loop() {
		if !s.Move(from, to, true, 1, start) {
			b.Fatal("refused")
		}
		from, to = to, from
		s.moves = s.moves[:0]
	}
}

// BenchmarkTake takes 10,000 entries at once and puts them back.
func BenchmarkTake(b *testing.B) {
	b.ReportAllocs()
	s := crowded(10000)
	for b.Loop() {
		batch := s.Take(start)
		if batch.Len() != 10000 {
			b.Fatal(batch.Len())
		}
		s.Restore(batch, start)
	}
}
