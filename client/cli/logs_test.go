package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLogs(t *testing.T) {
	home := home(t)
	directory := filepath.Join(home, ".wsync/log/workspaces")
	if err := os.MkdirAll(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i := range 3000 { // more than a block
		lines = append(lines, fmt.Sprintf(`{"level":"info","msg":"line","number":%d}`, i))
	}
	if err := os.WriteFile(filepath.Join(directory, "w.log"), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for count, want := range map[int]int{0: 0, 1: 1, 50: 50, 2999: 2999, 3000: 3000, 9999: 3000} {
		code, stdout, stderr := wsync(t, home, "logs", "w", "--json", "-n", fmt.Sprint(count))
		got := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
		if stdout == "" {
			got = nil
		}
		if code != 0 || stderr != "" || !slices.Equal(got, lines[3000-want:]) {
			t.Errorf("-n %d: exit code %d, stderr %q, %d lines", count, code, stderr, len(got))
		}
	}
	if _, stdout, _ := wsync(t, home, "logs", "w", "-n", "1"); stdout != " info  w  line number=2999\n" {
		t.Errorf("stdout %q", stdout)
	}
}

// TestLogsMerged: lines of all logs come by their times, over what was rotated, and only
// those that are wanted.
func TestLogsMerged(t *testing.T) {
	home := home(t)
	line := func(minute int, level, message, workspace string) string {
		return fmt.Sprintf(`{"level":"%s","ts":"2026-01-01T10:%02d:00Z","msg":"%s","workspace":"%s"}`, level, minute, message, workspace) + "\n"
	}
	for name, text := range map[string]string{
		"daemon.log": line(0, "info", "d0", "") + line(4, "warn", "d4", "a") + line(8, "info", "d8", "b"),
		"workspaces/a-2026-01-01T10-03-00.000-size.log": line(1, "info", "a1", "a") + line(3, "debug", "a3", "a"),
		"workspaces/a.log": line(5, "error", "a5", "a") + "panic: no\ngoroutine 1\n" + line(7, "info", "a7", "a"),
		"workspaces/b.log": line(2, "info", "b2", "b") + line(6, "warn", "b6", "b"),
		"workspaces/notes": "is no log\n",
	} {
		path := filepath.Join(home, ".wsync/log", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{
		"logs":                                   "d0 a1 b2 a3 d4 a5 panic goroutine b6 a7 d8",
		"logs a":                                 "a1 a3 d4 a5 panic goroutine a7",
		"logs --daemon":                          "d0 d4 d8",
		"logs -n 3":                              "b6 a7 d8",
		"logs a -n 4":                            "a5 panic goroutine a7",
		"logs a -n 2":                            "goroutine a7",
		"logs --level warn":                      "d4 a5 panic goroutine b6",
		"logs --level error -n 2":                "panic goroutine",
		"logs --grep [ab][26]":                   "b2 b6",
		"logs --grep (?i)PANIC":                  "panic",
		"logs --since 2026-01-01T10:05:00Z":      "a5 panic goroutine b6 a7 d8",
		"logs a --since 2026-01-01T10:05:30Z":    "a7",
		"logs --since 2026-01-01T10:05:00Z -n 1": "d8",
		"logs --since 2026-01-01T10:09:00Z":      "",
	} {
		for _, format := range []string{"", " --json"} {
			code, stdout, stderr := wsync(t, home, strings.Fields(args+format)...)
			var got []string
			for line := range strings.Lines(stdout) {
				for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" :\",\n", r) }) {
					if word == "panic" || word == "goroutine" || len(word) == 2 && word[1] >= '0' && word[1] <= '9' && word[0] >= 'a' {
						got = append(got, word)
					}
				}
			}
			if code != 0 || stderr != "" || strings.Join(got, " ") != want {
				t.Errorf("%s%s: exit code %d, stderr %q, %q, want %q", args, format, code, stderr, got, want)
			}
		}
	}
	if code, _, stderr := wsync(t, home, "logs", "c"); code != 1 || !strings.Contains(stderr, "there is none yet at") {
		t.Errorf("a log that does not exist: %d, %q", code, stderr)
	}
}

func TestFollowLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.log")
	write := func(flags int, text string) {
		t.Helper()
		file, err := os.OpenFile(path, os.O_WRONLY|flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write(os.O_CREATE, "")
	synctest.Test(t, func(t *testing.T) {
		var got []string
		expect := func(want ...string) {
			t.Helper()
			time.Sleep(3 * followInterval) // of the bubble's clock: takes no time
			synctest.Wait()
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			got = nil
		}
		m := &logMerger{
			sources: func() []logSource { return []logSource{{path: path, name: "w"}} },
			show:    func(l logLine) { got = append(got, string(l.text)) },
		}
		defer m.close()
		if err := m.begin(true); err != nil {
			t.Fatal(err)
		}
		c := &command{printer: newPrinter(io.Discard, io.Discard, func(string) string { return "" })}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.followLogs(ctx, m) }()

		write(os.O_APPEND, "a\nb")
		expect("a")
		write(os.O_APPEND, "c\n")
		expect("bc")

		// Rotated, with a last line in the old file.
		write(os.O_APPEND, "last\n")
		if err := os.Rename(path, filepath.Join(filepath.Dir(path), "w-2026-01-01T00-00-00.000-size.log")); err != nil {
			t.Fatal(err)
		}
		expect("last")
		write(os.O_CREATE, "new\n")
		expect("new")

		write(os.O_TRUNC, "x\n")
		expect("x")

		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
