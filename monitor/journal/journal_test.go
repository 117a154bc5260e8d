package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/monitor/report"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestFull(t *testing.T) {
	b := Bounds{FileSize: 100, FileAge: time.Hour}
	for _, test := range []struct {
		size int64
		age  time.Duration
		want bool
	}{
		{0, 0, false}, {99, 59 * time.Minute, false}, {100, 0, true}, {1, time.Hour, true},
		{0, 2 * time.Hour, false}, // nothing is in it
	} {
		if got := b.full(test.size, noon.Add(-test.age), noon); got != test.want {
			t.Errorf("one of %d bytes, %v old, is full: %v", test.size, test.age, got)
		}
	}
}

func TestSurplus(t *testing.T) {
	b := Bounds{Size: 100, Age: time.Hour}
	at := func(number int, size int64, age time.Duration) file { return file{number, size, noon.Add(-age)} }
	for name, test := range map[string]struct {
		files []file
		want  []int
	}{
		"none":                      {},
		"few":                       {files: []file{at(1, 50, 0), at(2, 50, 0)}},
		"too large":                 {files: []file{at(1, 50, 0), at(2, 50, 0), at(4, 1, 0)}, want: []int{1}},
		"too old":                   {files: []file{at(1, 1, 2*time.Hour), at(2, 1, time.Hour), at(3, 1, 0)}, want: []int{1, 2}},
		"the last one stays":        {files: []file{at(7, 200, 9*time.Hour)}},
		"the last one counts, too":  {files: []file{at(1, 10, 0), at(2, 200, 0)}, want: []int{1}},
		"no more than is necessary": {files: []file{at(1, 60, 0), at(2, 60, 0), at(3, 40, 0)}, want: []int{1}},
	} {
		var got []int
		for _, f := range b.surplus(test.files, noon) {
			got = append(got, f.number)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %d are too much, want %d", name, got, test.want)
		}
	}
}

func TestNumberOf(t *testing.T) {
	for name, want := range map[string]int{
		"sent-1.jsonl": 1, "sent-12.jsonl": 12, "sent-x.jsonl": 0, "sent-1.json": 0, "monitor-1.jsonl": 0, "sent-0.jsonl": 0, "sent--1.jsonl": 0, "sent-1.jsonl.old": 0,
	} {
		if got, ok := numberOf("sent", name); ok != (want > 0) || ok && got != want {
			t.Errorf("%s is file %d (%v), want %d", name, got, ok, want)
		}
	}
}

// deleted is an event about a path.
func deleted(path string) report.Event {
	e := report.Event{Time: noon, Kind: report.EventDeleted}
	e.Add(report.NewEventPath(path, ""), 10)
	return e
}

// names are the paths of the events that a cursor has now.
func names(t *testing.T, c *Cursor) (all []string) {
	t.Helper()
	for {
		e, ok, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		name := string(e.Kind)
		if len(e.Paths) > 0 {
			name = e.Paths[0].Name()
		} else if e.Count > 0 {
			name += fmt.Sprint(e.Count)
		}
		all = append(all, name)
	}
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// TestRotation: a series goes on in the next file and loses its first ones, and a cursor
// that follows reads all of it.
func TestRotation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "events")
	line, _ := json.Marshal(deleted("a0"))
	size := int64(len(line) + 1)
	bounds := Bounds{FileSize: 2 * size, FileAge: time.Hour, Size: 4 * size, Age: time.Hour}
	f := &writing{dir: dir, series: "s", bounds: bounds}
	defer f.close()
	c := NewCursor(dir, "s", time.Time{})
	defer c.Close()
	write := func(path string, now time.Time) {
		t.Helper()
		line, _ := json.Marshal(deleted(path))
		if err := f.append(append(line, '\n'), now); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, "without a file", names(t, c))
	now := time.Now()
	for i := range 5 {
		write(fmt.Sprint("a", i), now)
		if i != 1 && i != 3 { // it may also come behind a few
			names(t, c)
		}
	}
	all, err := files(dir, "s")
	if err != nil || len(all) != 3 {
		t.Fatalf("the files are %v (%v), expected 3", all, err)
	}
	for _, f := range all {
		if info, err := os.Stat(path(dir, "s", f.number)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v: %v (%v), expected mode 0600", f, info.Mode(), err)
		}
	}
	write("a5", now)
	write("a6", now)
	expect(t, "what follows", names(t, c), "a5", "a6")
	expect(t, "what is left", names(t, NewCursor(dir, "s", time.Time{})), "a2", "a3", "a4", "a5", "a6")
	write("a7", now.Add(2*time.Hour))
	if all, _ = files(dir, "s"); len(all) != 1 {
		t.Errorf("after two hours, the files are %v", all)
	}
	expect(t, "after the first ones are gone", names(t, c), "a7")
}

// TestTornLine: what a killed writer has left is skipped, by a cursor that waits at it, too,
// and the next writer begins a line.
func TestTornLine(t *testing.T) {
	dir, bounds := t.TempDir(), Bounds{FileSize: 1 << 20, FileAge: 1e6 * time.Hour, Size: 1 << 20, Age: 1e6 * time.Hour}
	whole, _ := json.Marshal(deleted("whole"))
	torn, _ := json.Marshal(deleted("torn"))
	for n := range torn {
		text := string(whole) + "\n" + string(torn[:n])
		if err := os.WriteFile(path(dir, "s", 1), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := NewCursor(dir, "s", time.Time{})
		expect(t, "before the torn line", names(t, c), "whole")
		w := NewWriter(dir, One("s"), bounds)
		w.Write(deleted("next"))
		w.Close()
		expect(t, "after it", names(t, c), "next")
		c.Close()
	}
}

// TestForeignLines: what is no event is skipped.
func TestForeignLines(t *testing.T) {
	line, _ := json.Marshal(deleted("a"))
	for name, text := range map[string]string{
		"empty": "\n", "zeros": "\x00\x00\n", "other JSON": "[1]\n", "no kind": "{\"time\":\"2026-01-31T12:00:00Z\"}\n", "long": strings.Repeat("x", 200<<10) + "\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(path(dir, "s", 1), append([]byte(text), append(line, '\n')...), 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, name, names(t, NewCursor(dir, "s", time.Time{})), "a")
	}
}

// TestUnwritable: nothing waits for a journal that cannot be written, and what is missing
// is told when it can.
func TestUnwritable(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "events")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // no directory can be made
		t.Fatal(err)
	}
	w := NewWriter(dir, One("s"), DefaultBounds)
	w.write([]report.Event{deleted("a"), deleted("b")}, 1, noon)
	if w.Problem() == "" {
		t.Error("nothing is said of it")
	}
	w.write([]report.Event{deleted("c")}, 0, noon)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	w.write([]report.Event{deleted("d")}, 0, noon)
	if p := w.Problem(); p != "" {
		t.Errorf("the problem is still %q", p)
	}
	w.write([]report.Event{deleted("e")}, 0, noon)
	expect(t, "afterwards", names(t, NewCursor(dir, "s", time.Time{})), "omitted4", "d", "e")
}

// TestRemoved: when somebody removes the files, the next ones have what follows.
func TestRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "events")
	w := NewWriter(dir, One("s"), DefaultBounds)
	defer w.Close()
	w.write([]report.Event{deleted("a")}, 0, noon)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	w.write([]report.Event{deleted("b")}, 0, noon)
	expect(t, "afterwards", names(t, NewCursor(dir, "s", time.Time{})), "b")
}

// TestQueueIsBounded: what is too much is counted.
func TestQueueIsBounded(t *testing.T) {
	dir := t.TempDir()
	w := NewWriter(dir, One("s"), DefaultBounds)
	w.running = make(chan struct{}) // by nobody yet
	for range queueLimit/2 + 7 {
		w.Write(deleted("a")) // an event and a path
	}
	if w.weight > queueLimit {
		t.Errorf("the queue has grown to %d", w.weight)
	}
	go w.run()
	w.Close()
	got := names(t, NewCursor(dir, "s", time.Time{}))
	if len(got) != queueLimit/2+1 || got[len(got)-1] != "omitted7" {
		t.Errorf("%d events were written, the last one is %s", len(got), got[len(got)-1])
	}
}

func sent(path string) report.Event {
	e := report.Event{Time: noon, Kind: report.EventSent, Remote: "r", Files: 1, Bytes: 10}
	e.Add(report.NewEventPath(path, ""), 10)
	return e
}

func TestGathered(t *testing.T) {
	g := make(gathered)
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	if ready := g.add(sent("a"), at(0)); len(ready) != 1 {
		t.Fatalf("the first one waits: %v", ready)
	}
	for i := range 300 {
		if ready := g.add(sent(fmt.Sprint(i%150)), at(time.Millisecond)); len(ready) != 0 {
			t.Fatalf("one after another: %v", ready)
		}
	}
	if ready, next := g.due(at(999 * time.Millisecond)); len(ready) != 0 || !next.Equal(at(mergeTime)) {
		t.Fatalf("too early %v, and the next time is %v", ready, next)
	}
	ready, _ := g.due(at(mergeTime))
	if len(ready) != 1 || ready[0].Count != 150 || len(ready[0].Paths) != report.MaxSentPaths || ready[0].Files != 300 || ready[0].Bytes != 3000 {
		t.Fatalf("together they are %+v", ready)
	}
	g.add(sent("b"), at(mergeTime))
	if ready := g.all(); len(ready) != 1 || ready[0].Count != 1 || ready[0].Paths[0].Path != "b" {
		t.Errorf("the rest is %+v", ready)
	}
	g.add(sent("c"), at(2*mergeTime))
	if g.due(at(4 * mergeTime)); len(g) != 0 {
		t.Errorf("it remembers %v", g)
	}
}

func TestFilter(t *testing.T) {
	gone := report.Event{Time: noon, Remote: "web1", Kind: report.EventDeleted}
	for _, name := range []string{"dir/a.txt", "dir/sub/b.txt", "directory", "c.log", "odd\xff"} {
		gone.Add(report.NewEventPath(name, ""), 10)
	}
	more := gone
	more.Count += 7
	moved := report.Event{Time: noon, Remote: "web2", Kind: report.EventRenamed}
	moved.Add(report.NewEventPath("new/place", "old/place"), 10)
	state := report.Event{Time: noon, Remote: "web1", Kind: report.EventState}
	omitted := report.Event{Time: noon, Kind: report.EventOmitted, PathList: report.PathList{Count: 1}}
	daemon := report.Event{Time: noon, Kind: report.EventDaemonStarted}
	for name, test := range map[string]struct {
		filter Filter
		event  report.Event
		paths  string // that are left, separated by spaces
		count  int
		ok     bool
	}{
		"all":                       {event: gone, ok: true, count: 5, paths: "dir/a.txt dir/sub/b.txt directory c.log odd\xff"},
		"since then":                {filter: Filter{Since: noon}, event: state, ok: true},
		"since later":               {filter: Filter{Since: noon.Add(1)}, event: state},
		"until then":                {filter: Filter{Until: noon}, event: state},
		"until later":               {filter: Filter{Until: noon.Add(1)}, event: state, ok: true},
		"remote":                    {filter: Filter{Remote: "web1"}, event: state, ok: true},
		"other remote":              {filter: Filter{Remote: "web2"}, event: state},
		"all remotes":               {filter: Filter{Remote: "web2"}, event: daemon, ok: true},
		"deletions":                 {filter: Filter{Deleted: true}, event: state},
		"may be deletions":          {filter: Filter{Deleted: true, Path: "x"}, event: omitted, ok: true, count: 1},
		"names nothing":             {filter: Filter{Path: "dir"}, event: state},
		"directory":                 {filter: Filter{Path: "dir"}, event: gone, ok: true, count: 2, paths: "dir/a.txt dir/sub/b.txt"},
		"slash":                     {filter: Filter{Path: "./dir/"}, event: gone, ok: true, count: 2, paths: "dir/a.txt dir/sub/b.txt"},
		"above":                     {filter: Filter{Path: "directory/x"}, event: gone, ok: true, count: 1, paths: "directory"},
		"pattern":                   {filter: Filter{Path: "*.txt"}, event: gone, ok: true, count: 2, paths: "dir/a.txt dir/sub/b.txt"},
		"pattern with a slash":      {filter: Filter{Path: "dir/*"}, event: gone, ok: true, count: 2, paths: "dir/a.txt dir/sub/b.txt"},
		"pattern of one level":      {filter: Filter{Path: "*/*.txt"}, event: gone, ok: true, count: 1, paths: "dir/a.txt"},
		"nothing like it":           {filter: Filter{Path: "x*"}, event: gone},
		"not all are named":         {filter: Filter{Path: "x*"}, event: more, ok: true, count: 7},
		"old name":                  {filter: Filter{Path: "old"}, event: moved, ok: true, count: 1, paths: "new/place"},
		"new name":                  {filter: Filter{Path: "new"}, event: moved, ok: true, count: 1, paths: "new/place"},
		"neither of the two names":  {filter: Filter{Path: "older"}, event: moved},
		"bytes that are no letters": {filter: Filter{Path: "odd?"}, event: gone, ok: true, count: 1, paths: "odd\xff"},
	} {
		got, ok := test.filter.Take(test.event)
		if ok != test.ok {
			t.Errorf("%s: it is wanted: %v", name, ok)
			continue
		}
		var paths []string
		for _, p := range got.Paths {
			paths = append(paths, p.Name())
		}
		if ok && (strings.Join(paths, " ") != test.paths || got.Count != test.count) {
			t.Errorf("%s: %d of %q, want %d of %q", name, got.Count, paths, test.count, test.paths)
		}
	}
	if len(gone.Paths) != 5 {
		t.Errorf("the event itself has lost paths: %v", gone.Paths)
	}
	if (Filter{Path: "[a"}).Check() == nil {
		t.Error("a pattern that is none is allowed")
	}
}

// TestMerger: several series are one, by time, and a cursor begins at a time.
func TestMerger(t *testing.T) {
	dir := t.TempDir()
	var lines [2]bytes.Buffer
	for i := range 10 {
		e := deleted(fmt.Sprint(i))
		e.Time = noon.Add(time.Duration(i) * time.Second)
		if err := json.NewEncoder(&lines[i/2%2]).Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	var m Merger
	defer m.Close()
	for i := range lines {
		if err := os.WriteFile(path(dir, fmt.Sprint(i), 1), lines[i].Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		m.Add(NewCursor(dir, fmt.Sprint(i), noon.Add(3*time.Second)), nil)
	}
	m.Add(NewCursor(filepath.Join(dir, "none"), "x", time.Time{}), nil)
	var got []string
	for {
		e, ok := m.Next()
		if !ok {
			break
		}
		got = append(got, e.Paths[0].Path)
	}
	expect(t, "by time", got, "3", "4", "5", "6", "7", "8", "9")
}

func TestLastOf(t *testing.T) {
	dir := t.TempDir()
	w := NewWriter(dir, SeriesOf, DefaultBounds)
	for i, kind := range []report.EventKind{report.EventFullPass, report.EventSent, report.EventDeleted, report.EventLost} {
		w.Write(report.Event{Time: noon.Add(time.Duration(i) * time.Hour), RemoteID: "1", Kind: kind})
	}
	w.Write(report.Event{Time: noon, RemoteID: "2", Kind: report.EventRepaired})
	w.Close()
	got := LastOf(dir)
	if l := got["1"]; !l.Sent.Equal(noon.Add(2*time.Hour)) || !l.FullPass.Equal(noon) {
		t.Errorf("of 1 it knows %v", l)
	}
	if l := got["2"]; len(got) != 2 || !l.Sent.Equal(noon) || !l.FullPass.Equal(noon) {
		t.Errorf("it knows %v", got)
	}
	if got := LastOf(filepath.Join(dir, "none")); len(got) != 0 {
		t.Errorf("of nothing it knows %v", got)
	}
}
