package cli

import (
	"context"
	"fmt"
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
	if _, stdout, _ := wsync(t, home, "logs", "w", "-n", "1"); stdout != " info  line number=2999\n" {
		t.Errorf("stdout %q", stdout)
	}
}

func TestFollowLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
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
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			reader := &lineReader{show: func(line []byte) { got = append(got, string(line)) }}
			file, err := followLog(ctx, path, file, reader)
			file.Close()
			done <- err
		}()

		write(os.O_APPEND, "a\nb")
		expect("a")
		write(os.O_APPEND, "c\n")
		expect("bc")

		// Rotated, with a last line in the old file.
		write(os.O_APPEND, "last\n")
		if err := os.Rename(path, path+".1"); err != nil {
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
