package logfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
)

// lines returns the objects in all files of a directory.
func lines(t *testing.T, dir string) (all []map[string]any, files []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		files = append(files, entry.Name())
		f, err := os.Open(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		scanner := bufio.NewScanner(f)
		scanner.Buffer(nil, 4<<20)
		for scanner.Scan() {
			var line map[string]any
			if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
				t.Fatalf("%s has a line %q: %v", entry.Name(), scanner.Text(), err)
			}
			all = append(all, line)
		}
		if err := scanner.Err(); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return all, files
}

func expectProblem(t *testing.T, f *File, want string) {
	t.Helper()
	if got := f.Problem(); (want == "") != (got == "") || !strings.Contains(got, want) {
		t.Errorf("the problem is %q, expected %q", got, want)
	}
}

// TestAllLines: none is dropped because it is like another.
func TestAllLines(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "log")
	log, file := Open(filepath.Join(dir, "x.log"), 10, "info")
	defer file.Close()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 250 {
				log.Info("the same", zap.Duration("took", time.Second))
			}
		})
	}
	all.Wait()
	log.Debug("not asked for")
	got, files := lines(t, dir)
	if len(got) != 1000 || len(files) != 1 {
		t.Fatalf("%d lines in %v, expected 1000 in one", len(got), files)
	}
	if got[0]["msg"] != "the same" || got[0]["level"] != "info" || got[0]["took"] != "1s" {
		t.Errorf("a line is %v", got[0])
	}
	if at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(got[0]["ts"])); err != nil || time.Since(at) > time.Hour {
		t.Errorf("the time is %v (%v)", got[0]["ts"], err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "x.log"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s is %v (%v), expected mode %o", path, info, err, mode)
		}
	}
	expectProblem(t, file, "")
}

func TestLevels(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1, "nonsense": 3} {
		dir := t.TempDir()
		log, file := Open(filepath.Join(dir, "x.log"), 1, level)
		log.Debug("")
		log.Info("")
		log.Warn("")
		log.Error("")
		file.Close()
		if got, _ := lines(t, dir); len(got) != want {
			t.Errorf("level %s: %d lines, expected %d", level, len(got), want)
		}
	}
}

// TestRotation: the log goes on in a new file, and the old ones are bounded.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	log, file := Open(filepath.Join(dir, "x.log"), 1, "info")
	filler := strings.Repeat("x", 100_000)
	const count = 25
	for i := range count {
		log.Info("line", zap.Int("number", i), zap.String("filler", filler))
	}
	expectProblem(t, file, "")
	if err := file.Close(); err != nil { // also waits until old files are removed
		t.Fatal(err)
	}
	got, files := lines(t, dir)
	if len(files) != 3 || len(got) != count {
		t.Errorf("%d lines in %v, expected %d in 3 files", len(got), files, count)
	}
	for _, name := range files {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() > 1<<20 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v (%v)", name, info, err)
		}
	}

	// Opened again, it goes on with the same file.
	log, file = Open(filepath.Join(dir, "x.log"), 1, "info")
	for i := range 100 {
		log.Info("line", zap.Int("number", count+i), zap.String("filler", filler))
	}
	file.Close()
	got, files = lines(t, dir)
	if len(files) > backups+1 {
		t.Errorf("there are %v", files)
	}
	newest := 0.0
	for _, line := range got {
		newest = max(newest, line["number"].(float64))
	}
	if newest != count+99 {
		t.Errorf("the newest line is %v", newest)
	}

	// After Close it still writes.
	log.Info("after the end")
	if data, err := os.ReadFile(filepath.Join(dir, "x.log")); err != nil || !bytes.Contains(data, []byte("after the end")) {
		t.Errorf("the line after Close is missing (%v)", err)
	}
}

// TestProblem: what cannot be written disturbs nobody, and is said until it
// can be.
func TestProblem(t *testing.T) {
	dir := t.TempDir()
	blocker := filepath.Join(dir, "blocker")
	if err := os.WriteFile(blocker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(blocker, "log", "x.log")
	log, file := Open(path, 1, "info")
	defer file.Close()
	expectProblem(t, file, "cannot write "+path+": ")
	expectProblem(t, file, "not a directory")
	log.Info("lost")
	expectProblem(t, file, "not a directory")
	if n, err := file.Write([]byte("lost\n")); n != 5 || err != nil {
		t.Errorf("Write returned %d, %v", n, err)
	}
	if err := file.Sync(); err != nil {
		t.Error(err)
	}

	if err := os.Remove(blocker); err != nil {
		t.Fatal(err)
	}
	log.Info("kept")
	expectProblem(t, file, "")
	if got, _ := lines(t, filepath.Dir(path)); len(got) != 1 || got[0]["msg"] != "kept" {
		t.Errorf("the file has %v", got)
	}

	// A line that fits into no file.
	log.Info("long", zap.String("filler", strings.Repeat("x", 1<<20)))
	expectProblem(t, file, "exceeds maximum file size")
	log.Info("short")
	expectProblem(t, file, "")
}

// TestFullDisk: /dev/full is one.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		return // only Linux has it
	}
	path := filepath.Join(t.TempDir(), "x.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	log, file := Open(path, 1, "info")
	defer file.Close()
	for range 3 {
		log.Info("lost")
	}
	expectProblem(t, file, "no space left on device")
}
