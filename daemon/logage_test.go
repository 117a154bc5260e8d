package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestOldLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	const line = `{"level":"info","ts":"2026-01-01T00:00:00Z","logger":"monitor","msg":"Monitor started","workspace":"gone"}` + "\n"
	day := 24 * time.Hour
	const backup = "-2026-01-01T00-00-00.000-size.log"
	for _, f := range []struct {
		name, text string
		age        time.Duration
	}{
		{"gone.log", line, 31 * day}, {"gone" + backup, "panic: no\n", 90 * day},
		{"late.log", line, 29 * day}, {"late" + backup, line, 90 * day}, // goes with the rest of it
		{"here.log", line, 99 * day}, {"here" + backup, line, 99 * day},
		{"here-2.log", line, 99 * day}, // its name begins alike
		{"other.log", "not of a monitor\n", 99 * day}, {"other.txt", line, 99 * day},
		{"only" + backup, line, 99 * day},
	} {
		path := filepath.Join(dir, f.name)
		write(t, path, f.text)
		if err := os.Chtimes(path, now, now.Add(-f.age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "directory.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	got := oldLogs(dir, []string{"here"}, now.Add(-logAge))
	slices.Sort(got)
	var want []string
	for _, name := range []string{"gone" + backup, "gone.log", "here-2.log", "only" + backup} {
		want = append(want, filepath.Join(dir, name))
	}
	if !slices.Equal(got, want) {
		t.Errorf("old are %q, want %q", got, want)
	}
	if got := oldLogs(filepath.Join(dir, "nowhere"), nil, now); got != nil {
		t.Error(got)
	}
}
