package remote

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/monitor/dirty"
)

func TestGitDir(t *testing.T) {
	repositories := []string{".git", ".git/modules/sub", ".git/modules/lib/json", ".git/modules/lib/json/modules/deep"}
	for path, want := range map[string]string{
		"":                             "",
		"a/b":                          "",
		".git":                         ".git",
		".git/index":                   ".git",
		".git/refs/heads/x":            ".git",
		"a/.git/HEAD":                  "a/.git",
		"a/.git":                       "a/.git",
		".gitignore":                   "",
		".github/workflows":            "",
		"x.git/HEAD":                   "",
		"a.git/b/.git/HEAD":            "a.git/b/.git",
		".git/x.git/y":                 ".git",
		".git/worktrees/w/HEAD":        ".git",
		".git/modules/sub":             ".git/modules/sub",
		".git/modules/sub/index":       ".git/modules/sub",
		".git/modules":                 ".git",
		".git/modules/new/index":       ".git",
		".git/modules/lib":             ".git",
		".git/modules/lib/json/index":  ".git/modules/lib/json",
		".git/modules/lib/json/refs/x": ".git/modules/lib/json",

		".git/modules/lib/json/modules/deep/config": ".git/modules/lib/json/modules/deep",
		"a/.git/hooks/.git/objects/x/y":             "a/.git/hooks/.git",
	} {
		if got := gitDir(path, func(dir string) bool { return slices.Contains(repositories, dir) }); got != want {
			t.Errorf("%q: %q, expected %q", path, got, want)
		}
	}
}

func TestGitLocksSplit(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	g := make(gitLocks)
	for _, step := range []struct {
		name   string
		at     time.Duration
		paths  string
		locked string // repositories
		free   string
		held   string
		freed  string
	}{
		{"no repository", 0, "a b/c", "", "a b/c", "", ""},
		{"none is locked", 0, ".git/index a .git/HEAD", "", ".git/index a .git/HEAD", "", ""},
		{"one is locked", time.Second, "a .git/index.lock b x/.git/HEAD .git/objects/1", ".git", "a b x/.git/HEAD", ".git/index.lock .git/objects/1", ""},
		{"longer", 2 * time.Second, ".git/objects/2", ".git", "", ".git/objects/2", ""},
		{"another one too", 3 * time.Second, "x/.git/index .git/index", ".git x/.git", "", ".git/index x/.git/index", ""},
		{"the first is done", 4 * time.Second, "x/.git/index .git/index.lock", "x/.git", ".git/index.lock", "x/.git/index", ".git"},
		{"all that was known is used up", 5 * time.Second, ".git/HEAD", "", ".git/HEAD", "", ""},
		{"almost too long", 8*time.Second - 1, "x/.git/index", "x/.git", "", "x/.git/index", ""},
		{"a lock that stays", 8 * time.Second, "x/.git/index a", "x/.git", "x/.git/index a", "", ""},
		{"holds up nothing later", 9 * time.Second, "x/.git/index a", "x/.git", "x/.git/index a", "", ""},
		{"until it was gone", 10 * time.Second, "x/.git/index.lock", "", "x/.git/index.lock", "", "x/.git"},
		{"and came again", 11 * time.Second, "x/.git/index.lock", "x/.git", "", "x/.git/index.lock", ""},
	} {
		var entries []*dirty.Entry
		for p := range strings.FieldsSeq(step.paths) {
			entries = append(entries, &dirty.Entry{Path: p})
		}
		looked := make(map[string]int)
		free, held, freed := g.split(entries, start.Add(step.at), func(path string) string { return gitDir(path, nil) }, func(dir string) bool {
			looked[dir]++
			return slices.Contains(strings.Fields(step.locked), dir)
		})
		var waiting []string
		for _, dir := range slices.Sorted(maps.Keys(held)) {
			for _, e := range held[dir] {
				waiting = append(waiting, e.Path)
			}
		}
		var going []string
		for _, e := range free {
			going = append(going, e.Path)
		}
		if a, b, c := strings.Join(going, " "), strings.Join(waiting, " "), strings.Join(freed, " "); a != step.free || b != step.held || c != step.freed {
			t.Errorf("%s: %q go, %q wait, %q are freed; expected %q, %q, %q", step.name, a, b, c, step.free, step.held, step.freed)
		}
		for dir, n := range looked {
			if n != 1 {
				t.Errorf("%s: %s was looked at %d times", step.name, dir, n)
			}
		}
	}
}

// heldRepositories are one in .git, locked or not.
type heldRepositories bool

func (heldRepositories) IsRepository(dir string) bool { return dir == ".git" }
func (r heldRepositories) Locked(string) bool         { return bool(r) }

// What waits for git is pending, and goes when the lock does.
func TestHoldLocked(t *testing.T) {
	m, now, locked := testMachine(), start, heldRepositories(true)
	mark := func(paths ...string) {
		for _, p := range paths {
			m.set.Mark(p, 0, 1, now)
		}
	}
	take := func(want ...string) {
		t.Helper()
		from := func() dirty.Batch { return m.set.Take(now) }
		batch := m.holdLocked(from(), locked, now, from)
		var got []string
		for _, e := range batch.Entries {
			got = append(got, e.Path)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("took %q, expected %q", got, want)
		}
	}
	first := now
	mark("a", ".git/index.lock", ".git/objects/1")
	take("a")
	now = now.Add(time.Second)
	mark(".git/objects/2", "a")
	take("a")
	if seq, since, ok := m.set.Oldest(); seq != 1 || !since.Equal(first) || !ok || m.set.Len() != 3 {
		t.Errorf("%d are pending, the oldest since %s", m.set.Len(), since)
	}
	if at, ok := m.set.Ripe(); !ok || !at.Equal(first.Add(gitLockLimit)) {
		t.Errorf("they are ripe at %s", at)
	}
	locked = false
	mark(".git/index.lock")
	take(".git/index.lock", ".git/objects/1", ".git/objects/2")
	if m.set.Len() != 0 {
		t.Error("something is left")
	}
	// A lock that stays.
	locked = true
	mark(".git/index.lock")
	take()
	now = now.Add(gitLockLimit)
	take(".git/index.lock")
	mark(".git/index.lock")
	take(".git/index.lock")
}
