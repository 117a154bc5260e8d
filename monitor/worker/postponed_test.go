package worker

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wsync/monitor/remote"
)

// What is postponed is read as it was written, whatever the names are; half a line, as a full
// disk leaves it, is no name.
func TestPostponedFile(t *testing.T) {
	stamp := filepath.Join(t.TempDir(), "clean")
	due := time.Date(2030, 1, 2, 3, 4, 5, 678, time.UTC)
	names := []remote.Postponement{
		{Gone: remote.Gone{Path: "a b"}, Due: due},
		{Gone: remote.Gone{Path: "d", Dir: true, MovedTo: "e \" \n"}, Due: due.Add(time.Hour)},
		{Gone: remote.Gone{Path: "\xff\n\" "}, Due: due},
	}
	if err := writePostponed(System{}, stamp, remote.NewPostponed(names, true)); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(postponedPath(stamp), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"2030-01-02T03:04:05Z", `2030-01-02T03:04:05Z file "half`, `2030-01-02T03:04:05Z file "half"`} {
		if _, err := file.WriteString(line + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	got := readPostponed(System{}, stamp)
	if read := slices.Collect(got.All()); !slices.EqualFunc(read, names, func(a, b remote.Postponement) bool { return a.Gone == b.Gone && a.Due.Equal(b.Due) }) || !got.More() {
		t.Errorf("read %+v, more %v", read, got.More())
	}
	if err := writePostponed(System{}, stamp, remote.Postponed{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(postponedPath(stamp)); err == nil || readPostponed(System{}, stamp).Len() > 0 {
		t.Error("nothing is postponed, and the file is still there")
	}
}
