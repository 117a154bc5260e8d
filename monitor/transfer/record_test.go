package transfer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/monitor/remote"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// namesIn are the names in a list of each record, sorted, and how many are not named.
func namesIn(records []remote.Record, list func(remote.Record) report.PathList) (names string, unnamed int) {
	var all []string
	for _, r := range records {
		for _, p := range list(r).Paths {
			all = append(all, p.Name())
		}
		unnamed += list(r).Unnamed()
	}
	slices.Sort(all)
	return strings.Join(all, " "), unnamed
}

func deletedIn(r remote.Record) report.PathList { return r.Deleted }
func sentIn(r remote.Record) report.PathList    { return r.Sent }
func renamedIn(r remote.Record) report.PathList { return r.Renamed }

// TestRecord: what a transfer does is recorded by name, whichever way it goes, and each
// deletion once.
func TestRecord(t *testing.T) {
	for name, way := range deletingWays() {
		t.Run(name, func(t *testing.T) {
			besideOthers(t, name)
			b := way(t)
			write(t, b.src, "keep", "gone", "tree/a", "tree/sub/b", "old/name/f")
			b.pass()
			b.drain()
			expect := func(what string, list func(remote.Record) report.PathList, want string) {
				t.Helper()
				if got, unnamed := namesIn(b.records, list); got != want || unnamed > 0 {
					t.Errorf("%s: %q is recorded, and %d more, want %q", what, got, unnamed, want)
				}
			}
			b.records = nil
			write(t, b.src, "new")
			b.change(made, "new")
			check(t, os.Remove(filepath.Join(b.src, "gone")))
			b.change(watch.Entry, "gone")
			b.drain()
			expect("a deletion", deletedIn, "gone")
			expect("a new file", sentIn, "new")

			b.records = nil
			check(t, os.RemoveAll(filepath.Join(b.src, "tree")))
			b.change(madeDir, "tree")
			b.drain()
			expect("a directory", deletedIn, "tree tree/a tree/sub tree/sub/b")

			b.records = nil
			check(t, os.Rename(filepath.Join(b.src, "old/name"), filepath.Join(b.src, "place")))
			b.moved("old/name", "place", madeDir)
			b.drain()
			expect("a rename", renamedIn, "place")
			expect("a rename deletes nothing", deletedIn, "")

			b.records = nil
			check(t, os.Rename(filepath.Join(b.src, "new"), filepath.Join(b.src, "newer")))
			b.seq++
			b.Moved("new", "newer", made, false, b.seq, b.now)
			b.drain()
			expect("a rename that is not repeated", renamedIn, "newer")
			expect("such a rename", deletedIn, "")

			b.records = nil
			write(t, b.dst, "foreign/x")
			b.pass()
			b.drain()
			expect("a full pass", deletedIn, "foreign foreign/x")
		})
	}
}
