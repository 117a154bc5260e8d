package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"wsync/monitor/report"
)

// queueLimit bounds what waits to be written, in events and paths.
const queueLimit = 30000

// Writer appends events to series of files in a directory. Its methods may be called from
// any goroutine, and none but Close waits for the disk. A nil Writer writes nothing.
type Writer struct {
	series func(report.Event) string
	dir    string
	bounds Bounds
	wake   chan struct{} // one token: there is something to do

	mu      sync.Mutex // guards everything below
	queue   []report.Event
	weight  int // of the queue
	omitted int // events for which there was no room
	problem string
	closing bool
	running chan struct{} // closed when run returns; nil if it does not run

	// Owned by run.
	gathered gathered
	due      time.Time           // of what is gathered, zero for nothing
	files    map[string]*writing // by series
	missed   int                 // events that could not be written
}

// NewWriter returns a writer of files in dir, which is made when it is needed: of the
// series that series gives an event. It has a goroutine while there is something to write.
func NewWriter(dir string, series func(report.Event) string, bounds Bounds) *Writer {
	return &Writer{
		series: series, dir: dir, bounds: bounds, wake: make(chan struct{}, 1),
		gathered: make(gathered), files: make(map[string]*writing),
	}
}

// One is the series function of a writer that has one series only.
func One(series string) func(report.Event) string {
	return func(report.Event) string { return series }
}

// Write has an event written soon. The event is the writer's from then on. One that has no
// time gets the time of now.
func (w *Writer) Write(e report.Event) {
	if w == nil {
		return
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	n := 1 + len(e.Paths)
	w.mu.Lock()
	switch {
	case w.closing:
	case len(w.queue) > 0 && w.weight+n > queueLimit:
		w.omitted++
	default:
		w.queue, w.weight = append(w.queue, e), w.weight+n
		if w.running == nil {
			w.running = make(chan struct{})
			go w.run()
		}
	}
	w.mu.Unlock()
	w.poke()
}

// Problem says why events could not be written last, or is "".
func (w *Writer) Problem() string {
	if w == nil {
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.problem
}

// Close returns when all that was to be written is. What is to be written afterwards is
// not.
func (w *Writer) Close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.closing = true
	running := w.running
	w.mu.Unlock()
	if running != nil {
		w.poke()
		<-running
	}
	for _, f := range w.files {
		f.close()
	}
}

func (w *Writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run writes what there is to write.
func (w *Writer) run() {
	for {
		now := time.Now()
		queue, omitted, closing, done := w.take()
		if done {
			return
		}
		var ready []report.Event
		for _, e := range queue {
			if merges(e) {
				ready = append(ready, w.gathered.add(e, now)...)
			} else {
				ready = append(ready, e)
			}
		}
		due, next := w.gathered.due(now)
		ready = append(ready, due...)
		if closing {
			ready, next = append(ready, w.gathered.all()...), time.Time{}
		}
		w.write(ready, omitted, now)
		if w.due = next; !next.IsZero() {
			timer := time.NewTimer(next.Sub(now))
			select {
			case <-w.wake:
			case <-timer.C:
			}
			timer.Stop()
		}
	}
}

// take empties the queue. done: there is nothing to do, and run is to return.
func (w *Writer) take() (queue []report.Event, omitted int, closing, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue)+w.omitted == 0 && w.due.IsZero() {
		close(w.running)
		w.running = nil
		return nil, 0, w.closing, true
	}
	queue, omitted = w.queue, w.omitted
	w.queue, w.weight, w.omitted = nil, 0, 0
	return queue, omitted, w.closing, false
}

// write writes events, and how many have been left out: what could not be written before
// them, and so many after them.
func (w *Writer) write(events []report.Event, omitted int, now time.Time) {
	if len(events)+omitted == 0 {
		return
	}
	missing := func(n int) report.Event {
		return report.Event{Time: now, Kind: report.EventOmitted, PathList: report.PathList{Count: n}}
	}
	all := events
	if w.missed > 0 {
		all = append([]report.Event{missing(w.missed)}, events...)
	}
	if omitted > 0 {
		all = append(all, missing(omitted))
	}
	lines := make(map[string]*bytes.Buffer)
	counts := make(map[string]int)
	for _, e := range all {
		series := w.series(e)
		if lines[series] == nil {
			lines[series] = new(bytes.Buffer)
		}
		encoder := json.NewEncoder(lines[series])
		encoder.SetEscapeHTML(false)
		if encoder.Encode(e) == nil && e.Kind != report.EventOmitted { // it cannot fail
			counts[series]++
		}
	}
	missed, problem := 0, error(nil)
	for series, text := range lines {
		if w.files[series] == nil {
			w.files[series] = &writing{dir: w.dir, series: series, bounds: w.bounds}
		}
		if err := w.files[series].append(text.Bytes(), now); err != nil {
			missed, problem = missed+counts[series], err
		}
	}
	said := ""
	if problem != nil {
		missed += w.missed + omitted
		said = fmt.Sprintf("cannot write the journal: %v", problem)
	}
	w.missed = missed
	w.mu.Lock()
	w.problem = said
	w.mu.Unlock()
}

// writing is the series of files that a Writer appends to.
type writing struct {
	dir, series string
	bounds      Bounds

	file   *os.File // nil for none
	number int
	size   int64
	first  time.Time // when the first event in it was written
	torn   bool      // its last line is not whole
}

// append appends whole lines. After an error none, or a part of them, is there.
func (f *writing) append(lines []byte, now time.Time) error {
	if f.file != nil && f.isRemoved() {
		f.close()
	}
	if f.file == nil {
		if err := f.open(now); err != nil {
			return err
		}
	}
	if f.bounds.full(f.size, f.first, now) {
		f.close()
		if err := f.begin(f.number+1, now); err != nil {
			return err
		}
		f.tidy(now)
	}
	if f.torn {
		lines = append([]byte("\n"), lines...)
	}
	n, err := f.file.Write(lines)
	if f.size == 0 {
		f.first = now
	}
	f.size += int64(n)
	if err != nil {
		f.torn = f.torn || n > 0
		f.close() // the next try begins anew, in a directory that may have been made again
		return err
	}
	f.torn = false
	return nil
}

// isRemoved reports whether somebody has removed the file: nobody would read what is
// written to it.
func (f *writing) isRemoved() bool {
	info, err := f.file.Stat()
	if err != nil {
		return true
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}

// open goes on with the last file, or begins the first one.
func (f *writing) open(now time.Time) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	all, err := files(f.dir, f.series)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return f.begin(1, now)
	}
	if err := f.begin(all[len(all)-1].number, now); err != nil {
		return err
	}
	f.tidy(now)
	return nil
}

// begin opens the file with a number, which may be there.
func (f *writing) begin(number int, now time.Time) (err error) {
	name := path(f.dir, f.series, number)
	f.file, err = os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		f.file = nil
		return err
	}
	info, err := f.file.Stat()
	if err != nil {
		f.close()
		return err
	}
	f.number, f.size, f.first, f.torn = number, info.Size(), firstTime(f.file, now), false
	if f.size > 0 {
		last := make([]byte, 1)
		if _, err := f.file.ReadAt(last, f.size-1); err != nil && !errors.Is(err, io.EOF) {
			f.close()
			return err
		}
		f.torn = last[0] != '\n'
	}
	return nil
}

// firstTime is the time of the first event in a file, or now if it has none.
func firstTime(r io.ReaderAt, now time.Time) time.Time {
	c := lineReader{r: io.NewSectionReader(r, 0, 2*report.MaxPathBytes)}
	for {
		line, ok, err := c.next()
		if err != nil || !ok {
			return now
		}
		if e, ok := parse(line); ok {
			return e.Time
		}
	}
}

// tidy removes what is too much.
func (f *writing) tidy(now time.Time) {
	all, err := files(f.dir, f.series)
	if err != nil {
		return // it is tried again with the next file
	}
	for _, old := range f.bounds.surplus(all, now) {
		_ = os.Remove(path(f.dir, f.series, old.number))
	}
}

func (f *writing) close() {
	if f.file != nil {
		_ = f.file.Close() // nothing is kept back
		f.file = nil
	}
}
