package remote

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// batchOf has entries for names, and a move for each "a>b".
func batchOf(names string) (b dirty.Batch) {
	for name := range strings.FieldsSeq(names) {
		if from, to, ok := strings.Cut(name, ">"); ok {
			b.Moves = append(b.Moves, dirty.Move{From: from, To: to})
		} else {
			b.Entries = append(b.Entries, &dirty.Entry{Path: strings.TrimPrefix(name, "/")})
		}
	}
	return b
}

// pathsOf are the names of a batch as batchOf has them, sorted.
func pathsOf(b dirty.Batch) string {
	var names []string
	for _, m := range b.Moves {
		names = append(names, m.From+">"+m.To)
	}
	for _, e := range b.Entries {
		names = append(names, "/"+e.Path)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// Whether a path may be sent while a batch is under way.
func TestReach(t *testing.T) {
	for _, test := range []struct{ batch, path, holds string }{
		{"d/big", "d/big", "yes"},
		{"d/big", "d/big/below", "yes"},
		{"d/big", "d", "yes"},
		{"d/big", "/", "yes"},
		{"d/big", "d/other", ""},
		{"d/big", "d/bigger", ""},
		{"d/big", "x/y", ""},
		{"/", "x", ""},
		{"/", "/", "yes"},
		{"a/x>b/y", "a", "yes"},
		{"a/x>b/y", "b/y/z", "yes"},
		{"a/x>b/y", "b/z", ""},
	} {
		if got := reachOf(batchOf(test.batch)).holds(strings.TrimPrefix(test.path, "/")); got != (test.holds != "") {
			t.Errorf("%s while %s is under way: %v", test.path, test.batch, got)
		}
	}
	if !reachOf(dirty.Batch{Everything: &dirty.Entry{}}).holds("x") {
		t.Error("a full pass does not reach everything")
	}
}

// under has a batch for paths under way of which nothing goes by the direct lane
// any more.
func under(t *testing.T, paths ...string) (*schedule, *Sending) {
	t.Helper()
	s := newSchedule(t, nil)
	s.change(watch.Content, paths...)
	s.now = s.now.Add(time.Second)
	first := s.Send(noRepositories{}, s.seq, true, s.now)
	if first == nil || first.Order.Beside {
		t.Fatalf("nothing is under way: %+v", first)
	}
	if step, _ := s.Next(s.now, nil); step != Sleep {
		t.Error("something is to be sent while the direct lane is in use")
	}
	s.OnlyRsync(first, true, s.now)
	return s, first
}

// beside is what is sent beside what is under way, "" for nothing.
func (s *schedule) besideNow() string {
	if step, _ := s.Next(s.now, nil); step != Send {
		return ""
	}
	b := s.Send(noRepositories{}, s.seq, true, s.now)
	if b == nil {
		return ""
	}
	if !b.Order.Beside {
		s.t.Error("a second transfer takes itself for the only one")
	}
	return pathsOf(b.Order.Batch)
}

func TestSendBeside(t *testing.T) {
	for name, test := range map[string]struct {
		happen func(s *schedule)
		want   string
	}{
		"nothing":                    {func(s *schedule) {}, ""},
		"a file elsewhere":           {func(s *schedule) { s.change(watch.Content, "d/a", "x/b") }, "/d/a /x/b"},
		"the file itself":            {func(s *schedule) { s.change(watch.Content, "d/big") }, ""},
		"its directory, and a file":  {func(s *schedule) { s.change(watch.Meta, "d"); s.change(watch.Content, "d/a") }, "/d/a"},
		"a rename":                   {func(s *schedule) { s.Moved("x", "y", made, true, 9, s.now) }, "x>y"},
		"a rename of its directory":  {func(s *schedule) { s.Moved("d", "e", wholly, true, 9, s.now); s.change(watch.Content, "z") }, "/e /z"},
		"a full pass":                {func(s *schedule) { s.Everything(PassVerify, 9, s.now, s.now) }, ""},
		"very many":                  {func(s *schedule) { s.change(watch.Content, numbered("x/", burstCount+1)...) }, ""},
		"while paused":               {func(s *schedule) { s.change(watch.Content, "a"); s.paused = true }, ""},
		"while another is beside it": {func(s *schedule) { s.change(watch.Content, "a"); s.beside = &Sending{} }, ""},
		"after a failure":            {func(s *schedule) { s.change(watch.Content, "a"); s.retry.failed(&Failure{}, s.now) }, ""},
		"while deletions are held":   {func(s *schedule) { s.change(watch.Content, "a"); s.holds.held = &held{id: "1"} }, ""},
	} {
		s, _ := under(t, "d/big")
		test.happen(s)
		s.now = s.now.Add(30 * time.Millisecond) // a file may still be written to
		if got := s.besideNow(); got != test.want {
			t.Errorf("%s: sends %q, expected %q", name, got, test.want)
		}
	}
}

// What goes beside another transfer is open until it has ended, what it leaves is
// open until that one has, and both come back in the end.
func TestBesideAndBarriers(t *testing.T) {
	s, first := under(t, "d/big")
	s.change(made, "d/a", "x/b")
	s.AddBarrier(1, s.seq, s.now)
	if got := s.besideNow(); got != "/d/a /x/b" {
		t.Fatalf("sends %q", got)
	}
	second := s.beside
	if step, _ := s.Next(s.now, nil); step != Sleep {
		t.Error("a third transfer")
	}
	status := s.Status(s.now)
	if status.Pending != 3 || status.State.InSync() {
		t.Errorf("%+v", status)
	}
	out := Outcome{Unconfirmed: toConfirm(second.Order.Batch.Entries[:1])}
	out.Again.Entries = second.Order.Batch.Entries[1:]
	sent, left := out.Unconfirmed[0].Path, out.Again.Entries[0].Path
	s.End(second, out, nil, s.now)
	if pending := s.Status(s.now).Pending; pending != 2 {
		t.Errorf("%d are pending", pending)
	}
	// What is left is not tried again before the other one has ended.
	s.change(watch.Content, left)
	if got := s.besideNow(); got != "" {
		t.Errorf("sends %q", got)
	}
	s.End(first, Outcome{}, nil, s.now)
	if s.Answer(); s.barriers.Acknowledged != 0 {
		t.Error("a barrier is reached before what is left was sent")
	}
	last := s.Send(noRepositories{}, s.seq, true, s.now)
	if got := pathsOf(last.Order.Batch); !strings.Contains(got, "/"+left) || strings.Contains(got, "/"+sent) {
		t.Errorf("sends %q", got)
	}
	// Its directory may have got the time that it had before.
	if got := pathsOf(last.Order.Batch); strings.HasPrefix(sent, "d/") && !slices.Contains(strings.Fields(got), "/d") {
		t.Errorf("sends %q, without the directory of %s", got, sent)
	}
	s.End(last, Outcome{}, nil, s.now)
	if s.Answer(); s.barriers.Acknowledged != 1 {
		t.Error("a barrier is not reached")
	}
}

// One that fails beside another says so, and loses nothing.
func TestBesideFails(t *testing.T) {
	s, first := under(t, "d/big")
	s.change(watch.Content, "a")
	s.now = s.now.Add(time.Second)
	if s.besideNow() != "/a" {
		t.Fatal("nothing goes beside it")
	}
	s.End(s.beside, Outcome{Failure: &Failure{Kind: Offline}, Causes: Interrupted, Late: batchOf("a").Entries}, nil, s.now)
	if a := s.Account(); a.Failures != 1 || len(a.Dirty) != 1 || !a.Everything {
		t.Errorf("%+v", a)
	}
	s.End(first, Outcome{}, nil, s.now)
	if a := s.Account(); a.Failures != 0 || len(a.Dirty) != 1 {
		t.Errorf("%+v", a)
	}
}

// A rename of what is under way beside another one, or left by it, is not repeated.
func TestMovedWhileBeside(t *testing.T) {
	s, _ := under(t, "d/big")
	s.change(watch.Content, "a")
	s.now = s.now.Add(time.Second)
	if s.besideNow() != "/a" {
		t.Fatal("nothing goes beside it")
	}
	s.Moved("a", "b", made, true, 9, s.now)
	if len(s.set.Take(s.now.Add(time.Hour)).Moves) > 0 {
		t.Error("repeated while it is under way")
	}
	s.End(s.beside, Outcome{Again: batchOf("a")}, nil, s.now)
	s.Moved("a", "c", made, true, 10, s.now)
	if len(s.set.Take(s.now.Add(time.Hour)).Moves) > 0 {
		t.Error("repeated while it is left")
	}
}

// What goes beside a transfer that has ended meanwhile is nobody else's until it has
// ended, too: it may be about to bring what it looked at before.
func TestBesideOutlivesTheOther(t *testing.T) {
	s, first := under(t, "d/big")
	s.change(made, "d/a")
	if got := s.besideNow(); got != "/d/a" {
		t.Fatalf("sends %q", got)
	}
	second := s.beside
	s.change(made, "d/a", "x")
	s.AddBarrier(1, s.seq, s.now)
	s.End(first, Outcome{}, nil, s.now)
	s.now = s.now.Add(time.Minute)
	if step, _ := s.Next(s.now, func() uint64 { return s.seq }); step != Sleep {
		t.Error("something is to be sent")
	}
	if third := s.Send(noRepositories{}, s.seq, true, s.now); third != nil {
		t.Errorf("sends %q", pathsOf(third.Order.Batch))
	}
	s.End(second, Outcome{Unconfirmed: toConfirm(second.Order.Batch.Entries)}, nil, s.now)
	if s.Answer(); s.barriers.Acknowledged != 0 {
		t.Error("the barrier is reached")
	}
	// The first one may have set the time of d after the second had.
	third := s.Send(noRepositories{}, s.seq, true, s.now)
	if got, want := pathsOf(third.Order.Batch), "/d /d/a /x"; got != want {
		t.Errorf("then sends %q, expected %q", got, want)
	}
}

// However much is left beside a long transfer, its account is bounded; to compare all
// paths each time would make a minute of this.
func TestManyLeftBeside(t *testing.T) {
	s, first := under(t, "d/big")
	flights := 0
	for n := 0; n < 3*dirty.Limit; n += 100 {
		s.change(watch.Entry, numbered("gone/"+strconv.Itoa(n)+"/", 100)...)
		s.now = s.now.Add(time.Second)
		if s.besideNow() == "" {
			break
		}
		flights++
		s.End(s.beside, Outcome{Again: s.beside.Order.Batch}, nil, s.now)
	}
	if want := dirty.Limit / 100; flights < want || flights > want+2 {
		t.Errorf("%d transfers, expected about %d", flights, want)
	}
	left := len(first.left.Entries)
	s.End(first, Outcome{}, nil, s.now)
	if a := s.Account(); len(a.Dirty) < left && !a.Everything {
		t.Errorf("%d of %d paths are dirty", len(a.Dirty), left)
	}
}

// A full pass that takes longer than the time between two is not followed by another
// one at once.
func TestLongPass(t *testing.T) {
	m := testMachine()
	seq := func() uint64 { return 1 }
	m.Everything(PassStart, 1, start, start)
	m.End(m.Send(noRepositories{}, 1, true, start), Outcome{}, nil, start)
	m.Everything(PassVerify, 1, start, start)
	pass := m.Send(noRepositories{}, 1, true, start)
	end := start.Add(48 * time.Hour)
	m.Next(end, seq)
	m.End(pass, Outcome{}, nil, end)
	if step, _ := m.Next(end, seq); step != Sleep || m.set.Everything() {
		t.Error("another pass is due")
	}
}

// While something goes beside a run of rsync that sets the times of its directory,
// that directory is open until the run has ended: it may get an older time.
func TestTimesBesideAConfirmation(t *testing.T) {
	s := newSchedule(t, nil)
	s.confirmations.Add(batchOf("d/sub/a").Entries, s.now)
	s.now = s.now.Add(time.Hour)
	confirm := s.Send(noRepositories{}, s.seq, true, s.now)
	if confirm == nil || !confirm.Order.Confirm {
		t.Fatalf("sends %+v", confirm)
	}
	s.OnlyRsync(confirm, true, s.now)
	s.change(made, "d/b")
	s.now = s.now.Add(time.Second)
	if got := s.besideNow(); got != "/d/b" {
		t.Fatalf("sends %q", got)
	}
	s.End(s.beside, Outcome{Unconfirmed: toConfirm(s.beside.Order.Batch.Entries)}, nil, s.now)
	s.AddBarrier(1, s.seq, s.now)
	if s.Answer(); s.barriers.Acknowledged != 0 {
		t.Error("a barrier is reached")
	}
	s.End(confirm, Outcome{}, nil, s.now)
	last := s.Send(noRepositories{}, s.seq, true, s.now)
	if got := pathsOf(last.Order.Batch); got != "/d" {
		t.Fatalf("sends %q", got)
	}
	s.End(last, Outcome{}, nil, s.now)
	if s.Answer(); s.barriers.Acknowledged != 1 {
		t.Error("a barrier is not reached")
	}
}

// Where it takes a run of rsync of its own, nothing goes beside what may end first.
func TestBesideByRsync(t *testing.T) {
	s := newSchedule(t, nil)
	s.change(watch.Content, "d/big")
	s.now = s.now.Add(time.Second)
	first := s.Send(noRepositories{}, s.seq, true, s.now)
	s.OnlyRsync(first, false, s.now)
	s.change(watch.Content, "d/a")
	s.now = s.now.Add(100 * time.Millisecond)
	step, at := s.Next(s.now, nil)
	if want := s.now.Add(besideWait - 100*time.Millisecond); step != Sleep || !at.Equal(want) {
		t.Errorf("step %d at %v, expected to sleep until %v", step, at, want)
	}
	s.now = at
	s.OnlyRsync(first, false, s.now) // it says so for each of its parts
	if got := s.besideNow(); got != "/d/a" {
		t.Errorf("sends %q", got)
	}
}

// What is for a transfer of its own is open, and sent at once when nothing else is.
func TestLarge(t *testing.T) {
	s, first := under(t, "d/big", "d/bigger")
	s.AddBarrier(1, s.seq, s.now)
	s.End(first, Outcome{Large: dirty.Batch{Entries: first.Order.Batch.Entries[1:]}}, nil, s.now)
	if s.Answer(); s.barriers.Acknowledged != 0 {
		t.Error("a barrier is reached before what is left was sent")
	}
	left := pathsOf(dirty.Batch{Entries: first.Order.Batch.Entries[1:]})
	if step, _ := s.Next(s.now, nil); step != Send {
		t.Error("what is left has to wait")
	}
	second := s.Send(noRepositories{}, s.seq, true, s.now)
	if got := pathsOf(second.Order.Batch); got != left || second.Order.Batch.Entries[0].Rounds != 0 {
		t.Errorf("sends %q, expected %q", got, left)
	}
	s.End(second, Outcome{}, nil, s.now)
	if s.Answer(); s.barriers.Acknowledged != 1 {
		t.Error("a barrier is not reached")
	}
}
