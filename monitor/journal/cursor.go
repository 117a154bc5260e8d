package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"wsync/monitor/report"
)

// parse reads a line; ok is false for one that is torn, or none of an event.
func parse(line []byte) (e report.Event, ok bool) {
	if len(line) == 0 || line[0] != '{' {
		return e, false
	}
	return e, json.Unmarshal(line, &e) == nil && e.Kind != ""
}

// lineReader cuts what it reads into lines, over many reads.
type lineReader struct {
	r       io.Reader
	buffer  *bufio.Reader // nil at first
	partial []byte        // a line whose end is not there yet
}

// next returns the next whole line, without its end; ok is false if there is none yet. It
// is good until the next call.
func (l *lineReader) next() (line []byte, ok bool, err error) {
	if l.buffer == nil {
		l.buffer = bufio.NewReaderSize(l.r, 64<<10)
	}
	if bytes.HasSuffix(l.partial, []byte("\n")) {
		l.partial = l.partial[:0]
	}
	for {
		part, err := l.buffer.ReadSlice('\n')
		l.partial = append(l.partial, part...)
		switch {
		case err == nil:
			return l.partial[:len(l.partial)-1], true, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil, false, nil
		default:
			return nil, false, err
		}
	}
}

// Cursor reads the events of a series in the order in which they were written, and goes
// on with those that are appended. It belongs to one goroutine.
type Cursor struct {
	dir, series string
	since       time.Time
	number      int // of the file, 0 for none yet
	file        *os.File
	lines       *lineReader
}

// NewCursor returns one for events from since on; zero is for all. There need not be such
// a series yet.
func NewCursor(dir, series string, since time.Time) *Cursor {
	return &Cursor{dir: dir, series: series, since: since}
}

// Next returns the next event; ok is false if there is none yet.
func (c *Cursor) Next() (e report.Event, ok bool, err error) {
	for {
		if c.file == nil {
			if ok, err = c.advance(); !ok {
				return e, false, err
			}
		}
		if e, ok, err = c.read(); ok || err != nil {
			return e, ok, err
		}
		// Whoever began the next file had ended this one before.
		following, err := c.following()
		if err != nil || following == 0 {
			return e, false, err
		}
		if e, ok, err = c.read(); ok || err != nil {
			return e, ok, err
		}
		c.Close()
	}
}

// read returns the next event of the file.
func (c *Cursor) read() (e report.Event, ok bool, err error) {
	for {
		line, whole, err := c.lines.next()
		if err != nil || !whole {
			return e, false, err
		}
		if e, ok = parse(line); ok && !e.Time.Before(c.since) {
			return e, true, nil
		}
	}
}

// following is the number of the file to read after the one that was opened last, 0 for
// none.
func (c *Cursor) following() (int, error) {
	all, err := files(c.dir, c.series)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for i, f := range all {
		if f.number > c.number && (i == len(all)-1 || !f.last.Before(c.since)) {
			return f.number, nil
		}
	}
	return 0, err
}

// advance opens the next file.
func (c *Cursor) advance() (ok bool, err error) {
	number, err := c.following()
	if err != nil || number == 0 {
		return false, err
	}
	file, err := os.Open(path(c.dir, c.series, number))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // it was removed a moment ago
	}
	if err != nil {
		return false, err
	}
	c.file, c.number, c.lines = file, number, &lineReader{r: file}
	return true, nil
}

// Close ends the use of the file that is open. Next goes on with the one after it.
func (c *Cursor) Close() {
	if c.file != nil {
		c.file.Close()
		c.file, c.lines = nil, nil
	}
}
