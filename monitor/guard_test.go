package monitor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wsync/config"
)

func TestCheckRoot(t *testing.T) {
	for name, test := range map[string]struct {
		change func(t *testing.T, root string)
		want   string // a part of the reason; "" for none
	}{
		"as it was":   {func(t *testing.T, root string) {}, ""},
		"emptied":     {func(t *testing.T, root string) { check(t, os.Remove(filepath.Join(root, "f"))) }, ""},
		"gone":        {func(t *testing.T, root string) { check(t, os.RemoveAll(root)) }, "is gone"},
		"parent gone": {func(t *testing.T, root string) { check(t, os.RemoveAll(filepath.Dir(root))) }, "is gone"},
		"a file": {func(t *testing.T, root string) {
			check(t, os.RemoveAll(root))
			check(t, os.WriteFile(root, nil, 0o644))
		}, "is not a directory any more"},
		"below a file": {func(t *testing.T, root string) {
			check(t, os.RemoveAll(filepath.Dir(root)))
			check(t, os.WriteFile(filepath.Dir(root), nil, 0o644))
		}, "is not a directory any more"},
		"replaced": {func(t *testing.T, root string) {
			check(t, os.Rename(root, root+"-old"))
			check(t, os.Mkdir(root, 0o755))
		}, "it was replaced"},
		"moved, and a link to it": {func(t *testing.T, root string) {
			check(t, os.Rename(root, root+"-old"))
			check(t, os.Symlink(root+"-old", root))
		}, ""},
		"a link that leads nowhere": {func(t *testing.T, root string) {
			check(t, os.RemoveAll(root))
			check(t, os.Symlink(root+"-old", root))
		}, "is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			base := newDir(t)
			root := filepath.Join(base, "up", "root")
			write(t, base, "up/root/f")
			id, err := config.IdentifyRoot(root)
			check(t, err)
			test.change(t, root)
			got := checkRoot(root, &id)
			if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
				t.Errorf("%q, expected %q", got, test.want)
			}
			if got != "" && !strings.Contains(got, root) {
				t.Errorf("%q does not name the directory", got)
			}
		})
	}
	t.Run("never seen before", func(t *testing.T) {
		if got := checkRoot(newDir(t), nil); got != "" {
			t.Error(got)
		}
	})
}

// A look serves the workers that have the same change to send, and no change that
// came after it.
func TestLooksAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared looks
		last, count := uint64(5), 0
		after := func(mark uint64) string {
			return shared.after(mark, func() uint64 { return last }, func() string { count++; return fmt.Sprint(count) })
		}
		for _, step := range []struct {
			wait time.Duration
			mark uint64
			want string
		}{{0, 3, "1"}, {0, 5, "1"}, {lookTime, 5, "1"}, {0, 6, "2"}, {lookTime + 1, 3, "3"}, {0, 6, "3"}} {
			time.Sleep(step.wait) // of the bubble's clock
			last = max(last, step.mark)
			if got := after(step.mark); got != step.want {
				t.Errorf("%v later, for mark %d: look %s, expected %s", step.wait, step.mark, got, step.want)
			}
		}
	})
}

func TestTooMany(t *testing.T) {
	for _, test := range []struct {
		deletions, remaining int
		want                 bool
	}{
		{0, 0, false}, {100, 0, false}, {101, 0, true}, {101, 100, true}, {101, 101, false}, {101, 102, false}, {1000, 999, true}, {1000, 1000, false},
	} {
		if got := tooMany(test.deletions, test.remaining, 0.5, 100); got != test.want {
			t.Errorf("%d gone, %d left: %v", test.deletions, test.remaining, got)
		}
	}
	if tooMany(1000, 0, 1, 100) {
		t.Error("more than all is too many, and never reached")
	}
	if !tooMany(101, 1_000_000, 0, 100) {
		t.Error("any share is too many at 0")
	}
}

func TestCountEntries(t *testing.T) {
	root := newDir(t)
	write(t, root, "a", "d/b", "d/e/c")
	for limit, want := range map[int]int{100: 5, 5: 5, 3: 3, 1: 1} {
		if got := countEntries(root, limit, false); got != want {
			t.Errorf("up to %d: %d", limit, got)
		}
	}
	if got := countEntries(filepath.Join(root, "none"), 5, false); got != 0 {
		t.Errorf("what is not there holds %d", got)
	}
}

func TestJudge(t *testing.T) {
	empty, full, git := newDir(t), newDir(t), newDir(t)
	gone := filepath.Join(empty, "gone")
	write(t, full, numbered("f", 120)...)
	write(t, git, ".git/HEAD")
	for _, test := range []struct {
		root      string
		limits    deletionLimits
		deletions int
		want      string
	}{
		{full, deletionLimits{share: 0.5, count: 100}, 0, ""},
		{full, deletionLimits{share: 0.5, count: 100}, 100, ""},
		{full, deletionLimits{share: 0.5, count: 100}, 120, ""},
		{full, deletionLimits{share: 0.5, count: 100}, 121, "121 entries would be deleted at once, and 120 are left"},
		{full, deletionLimits{share: 0.9, count: 100}, 1000, ""},
		{full, deletionLimits{share: 0.9, count: 100}, 2000, "2000 entries would be deleted at once, and 120 are left"},
		{full, deletionLimits{share: 0, count: 10}, 11, "11 entries would be deleted at once"},
		{empty, deletionLimits{share: 0.5, count: 100}, 0, ""},
		{empty, deletionLimits{share: 0.5, count: 100}, 1, "the workspace is empty, and was not before"},
		{empty, deletionLimits{share: 0.5, count: 100, allowEmpty: true}, 1, ""},
		{empty, deletionLimits{share: 0.5, count: 100, allowEmpty: true}, 101, "101 entries would be deleted at once, and 0 are left"},
		{gone, deletionLimits{share: 0.5, count: 100}, 0, ""},
		{gone, deletionLimits{share: 0.5, count: 100}, 1, "the workspace cannot be read: "},
		{gone, deletionLimits{share: 0.5, count: 100, allowEmpty: true}, 1, "the workspace cannot be read: "},
		{git, deletionLimits{share: 0.5, count: 100}, 1, ""},
		{git, deletionLimits{share: 0.5, count: 100, skipGit: true}, 1, "the workspace is empty, and was not before"},
		{full, deletionLimits{share: 0.5, count: 100, skipGit: true}, 1, ""},
	} {
		if got := test.limits.judge(test.root, test.deletions); !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%+v, %d: %q, expected %q", test.limits, test.deletions, got, test.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 19: time.Minute, 20: time.Minute, 1 << 30: time.Minute} {
		shortest, longest := want, time.Duration(0)
		for range 2000 {
			d := backoff(n, maxBackoff)
			shortest, longest = min(shortest, d), max(longest, d)
		}
		if longest > want || shortest < want-want/5 || longest-shortest < want/10 {
			t.Errorf("failure %d waits %v to %v, expected up to %v", n, shortest, longest, want)
		}
	}
	if d := backoff(100, attentionBackoff); d > attentionBackoff || d < attentionBackoff*4/5 {
		t.Errorf("attention waits %v", d)
	}
}

func TestEager(t *testing.T) {
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 5 * time.Second, 6: 5 * time.Second, 1 << 30: 5 * time.Second} {
		if got := eager(n); got != want {
			t.Errorf("after %d failures: %v", n, got)
		}
	}
}

func TestJittered(t *testing.T) {
	for _, d := range []time.Duration{time.Hour, time.Second, 1, 0} {
		for range 2000 {
			if got := jittered(d); got < d-d/10 || got > d+d/10+1 {
				t.Fatalf("%v became %v", d, got)
			}
		}
	}
}

func TestHoldReportIsNew(t *testing.T) {
	h := &hold{reason: "r", count: 3, sample: []string{"a"}}
	ids := make(map[string]bool)
	for range 3 {
		r := h.report()
		if r.Count != 3 || r.Reason != "r" || fmt.Sprint(r.Sample) != "[a]" {
			t.Errorf("%+v", r)
		}
		ids[r.ID] = true
	}
	if len(ids) < 2 {
		t.Error("different holds have one name")
	}
}
