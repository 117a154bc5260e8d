package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestLogFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"w.log", "w-2026-02-01T00-00-00.000-size.log", "w-2026-01-01T00-00-00.000-size.log.gz",
		"w-2.log", "w-2-2026-01-01T00-00-00.000.log", "other.txt", "-2026-01-01T00-00-00.000.log",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for log, want := range map[string][]string{
		"w.log":    {"w-2026-01-01T00-00-00.000-size.log.gz", "w-2026-02-01T00-00-00.000-size.log", "w.log"},
		"w-2.log":  {"w-2-2026-01-01T00-00-00.000.log", "w-2.log"},
		"none.log": nil,
	} {
		got := LogFiles(filepath.Join(dir, log))
		for i := range got {
			got[i] = filepath.Base(got[i])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has the files %q, want %q", log, got, want)
		}
	}
	if got, ok := LogOf("other.txt"); ok {
		t.Errorf("other.txt is of the log %q", got)
	}
}
