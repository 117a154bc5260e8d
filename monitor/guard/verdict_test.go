package guard

import (
	"errors"
	"strings"
	"testing"
)

// fake is a workspace of so many entries, or one that cannot be read.
type fake struct {
	left int
	err  error
}

func (w fake) Empty() (bool, error) { return w.left == 0, w.err }
func (w fake) Left(limit int) int   { return min(w.left, limit) }

var usual = Limits{Share: 0.5, Count: 100}

// of are deletions all of which count, when no more are to come.
func of(n int) Deletions { return Deletions{Entries: n, Counted: n, Settled: true, Quiet: true} }

func TestJudge(t *testing.T) {
	allowing, never, always := usual, usual, usual
	allowing.AllowEmpty, never.Share, always.Share = true, 1, 0
	some, none, broken := fake{left: 120}, fake{}, fake{err: errors.New("no")}
	for _, test := range []struct {
		name   string
		limits Limits
		d      Deletions
		w      fake
		want   Action
		reason string
	}{
		{"nothing", usual, of(0), some, Allow, ""},
		{"nothing, in an empty one", usual, of(0), none, Allow, ""},
		{"nothing, in one that cannot be read", usual, of(0), broken, Allow, ""},
		{"few", usual, of(100), some, Allow, ""},
		{"few, of fewer", usual, of(10), fake{left: 1}, Allow, ""},
		{"nearly all of a small tree", usual, of(11), fake{left: 1}, Hold, "11 entries would be deleted at once, and 1 is left"},
		{"nearly all of a larger one", usual, of(100), fake{left: 11}, Hold, "100 entries would be deleted at once, and 11 are left"},
		{"much of a small tree", usual, of(90), fake{left: 10}, Allow, ""},
		{"one more of it, after 89", usual, Deletions{Entries: 1, Counted: 1, Recent: 89, RecentCounted: 89, Settled: true, Quiet: true}, fake{left: 9}, Hold, "1 entry would be deleted at once after 89 a moment before, and 9 are left"},
		{"small trees, with no guard", never, of(90), fake{left: 1}, Allow, ""},
		{"small trees, with any share", always, of(90), some, Allow, ""},
		{"a few, while more may come", usual, Deletions{Entries: 10, Counted: 10}, some, Allow, ""},
		{"no few, while more may come", usual, Deletions{Entries: 11, Counted: 11}, some, Wait, ""},
		{"no few any more, while more may come", usual, Deletions{Entries: 1, Counted: 1, Recent: 10, RecentCounted: 10}, some, Wait, ""},
		{"what does not count, after no few", usual, Deletions{Entries: 1, Recent: 50, RecentCounted: 50}, some, Allow, ""},
		{"few by the settings", Limits{Share: 0.5, Count: 3}, of(4), fake{left: 3}, Hold, "4 entries would be deleted at once"},
		{"half", usual, of(120), some, Allow, ""},
		{"more", usual, of(121), some, Hold, "121 entries would be deleted at once, and 120 are left"},
		{"many of more", usual, of(100_000), fake{left: 100_001}, Allow, ""},
		{"more than all", never, of(1000), fake{left: 1}, Allow, ""},
		{"any share", always, of(101), fake{left: 1_000_000}, Hold, "101 entries would be deleted at once"},
		{"empty", usual, of(1), none, Hold, "the workspace is empty, and was not before"},
		{"empty, as it may be", allowing, of(1), none, Allow, ""},
		{"empty, as it may be, of many", allowing, of(101), none, Hold, "101 entries would be deleted at once, and 0 are left"},
		{"unreadable", allowing, of(1), broken, Hold, "the workspace cannot be read: no"},
		{"few at a time", usual, Deletions{Entries: 21, Counted: 21, Recent: 100, RecentCounted: 100, Settled: true, Quiet: true}, some, Hold, "21 entries would be deleted at once after 100 a moment before, and 120 are left"},
		{"few, after what does not count", usual, Deletions{Entries: 21, Counted: 21, Recent: 100, Settled: true, Quiet: true}, some, Allow, ""},
		{"more to come", usual, Deletions{Entries: 21, Counted: 21, Recent: 100, RecentCounted: 100}, some, Wait, ""},
		{"more to come that does not count", usual, Deletions{Entries: 101}, some, Wait, ""},
		{"what does not count", usual, Deletions{Entries: 1000, Settled: true, Quiet: true}, some, Allow, ""},
		{"what does not count, beside few that do", usual, Deletions{Entries: 1000, Counted: 100, Settled: true, Quiet: true}, some, Allow, ""},
		{"what does not count, and was all", usual, Deletions{Entries: 1000, Settled: true, Quiet: true}, none, Hold, "the workspace is empty, and was not before"},
		{"one during a hold", usual, Deletions{Entries: 1, Counted: 1, Holding: true}, some, Hold, otherHeld},
		{"few, of what was held before", usual, Deletions{Entries: 2, Counted: 1, Unapproved: true, Settled: true, Quiet: true}, some, Hold, "1 more would be deleted, and deletions that were held before have not been approved"},
		{"many, of what was held before", usual, Deletions{Entries: 121, Counted: 121, Unapproved: true, Settled: true, Quiet: true}, some, Hold, "121 entries would be deleted at once, and 120 are left"},
		{"what does not count, of what was held before", usual, Deletions{Entries: 5, Unapproved: true, Settled: true, Quiet: true}, some, Allow, ""},
		{"many during a hold", usual, Deletions{Entries: 1000, Counted: 1000, Holding: true}, some, Hold, otherHeld},
		{"much that does not count, while something goes on", usual, Deletions{Entries: 1000, Settled: true}, some, Wait, ""},
		{"much that does not count, beside much that does", usual, Deletions{Entries: 1000, Counted: 500, Settled: true}, some, Wait, ""},
		{"much that does not count, beside what joins a hold", usual, Deletions{Entries: 1000, Counted: 500, Settled: true, Holding: true}, some, Wait, ""},
		{"what does not count, during a hold", usual, Deletions{Entries: 1, Holding: true}, some, Allow, ""},
		{"much of it, during a hold", usual, Deletions{Entries: 1000, Holding: true}, some, Wait, ""},
	} {
		got := Judge(test.limits, test.d, test.w)
		if got.Action != test.want || !strings.HasPrefix(got.Reason, test.reason) || (got.Reason == "") != (test.reason == "") {
			t.Errorf("%s: %+v, expected %v, %q", test.name, got, test.want, test.reason)
		}
		if got.Empty != (got.Reason == "the workspace is empty, and was not before") {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

func TestRestate(t *testing.T) {
	empty := Judge(usual, of(60), fake{})
	many := Judge(usual, of(150), fake{left: 20})
	for _, test := range []struct {
		name string
		was  Verdict
		most int
		now  int
		w    fake
		want string
	}{
		{"still empty", empty, 60, 60, fake{}, "the workspace is empty, and was not before"},
		{"empty no more", empty, 60, 60, fake{left: 100_000}, "the workspace was empty when its deletions were held"},
		{"still many", many, 150, 150, fake{left: 30}, "150 entries would be deleted at once, and 30 are left"},
		{"as many, of more", many, 150, 150, fake{left: 1000}, "150 entries went at once"},
		{"some are back", many, 150, 40, fake{left: 130}, "40 of 150 entries are gone that went at once"},
		{"empty meanwhile", many, 150, 150, fake{}, "the workspace is empty, and was not before"},
	} {
		if got := Restate(usual, test.was, test.most, of(test.now), test.w); got != test.want {
			t.Errorf("%s: %q, expected %q", test.name, got, test.want)
		}
	}
}
