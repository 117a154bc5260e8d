package cli

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"wsync/config"
)

// logFiles reads the lines of a log, over the files that it was rotated to.
type logFiles struct {
	path string
	// files are those that are still to be read, the first of them by reader. The last is,
	// or was, the one at path.
	files   []*os.File
	reader  *bufio.Reader
	partial []byte // a line whose end is not written yet
	ends    bool   // nothing comes after the end, so that a line may end there
}

// openLog opens the log at path. The error is fs.ErrNotExist if there is none, not even
// one that was rotated.
func openLog(path string) (*logFiles, error) {
	// The newest first: when it is rotated meanwhile, it is found by both names.
	current, err := os.Open(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l := &logFiles{path: path, reader: bufio.NewReader(nil)}
	for _, name := range config.LogFiles(path) {
		if name == path || strings.HasSuffix(name, ".gz") {
			continue
		}
		if file, err := os.Open(name); err == nil {
			if current != nil && same(file, current) {
				file.Close()
				continue
			}
			l.files = append(l.files, file)
		}
	}
	if current != nil {
		l.files = append(l.files, current)
	}
	if len(l.files) == 0 {
		return nil, err
	}
	l.reader.Reset(l.files[0])
	return l, nil
}

func same(a, b *os.File) bool {
	x, errX := a.Stat()
	y, errY := b.Stat()
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// next is the next line, nil if there is none yet.
func (l *logFiles) next() ([]byte, error) {
	for {
		part, err := l.reader.ReadBytes('\n')
		l.partial = append(l.partial, part...)
		switch {
		case err == nil:
		case err != io.EOF:
			return nil, err
		case len(l.files) == 1 && !l.ends:
			return nil, nil
		case len(l.files) == 1:
			if len(l.partial) == 0 {
				return nil, nil
			}
		default: // of this file there comes no more
			l.files[0].Close()
			l.files = l.files[1:]
			l.reader.Reset(l.files[0])
		}
		if line := bytes.TrimSuffix(l.partial, []byte("\n")); len(line) > 0 {
			l.partial = nil
			return line, nil
		}
		l.partial = l.partial[:0]
	}
}

// renew looks whether the log goes on in another file, which is read after what is left
// of that from before, or from its beginning.
func (l *logFiles) renew() error {
	now, err := os.Stat(l.path)
	if err != nil {
		return nil // between two files
	}
	last := l.files[len(l.files)-1]
	opened, err := last.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(now, opened) {
		file, err := os.Open(l.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		l.files = append(l.files, file)
		return nil
	}
	offset, err := last.Seek(0, io.SeekCurrent)
	if err != nil || len(l.files) > 1 || opened.Size() >= offset {
		return err
	}
	l.partial = nil // it was truncated
	_, err = last.Seek(0, io.SeekStart)
	l.reader.Reset(last)
	return err
}

// back has goOn called with lines from the last to the first, until it does not want that one.
// Then next is the one behind that.
func (l *logFiles) back(goOn func(line []byte) bool) error {
	for i := len(l.files) - 1; i >= 0; i-- {
		begin, err := backIn(l.files[i], goOn)
		if err != nil {
			return err
		}
		if begin > 0 || i == 0 {
			for _, before := range l.files[:i] {
				before.Close()
			}
			l.files = l.files[i:]
			break
		}
	}
	for i, file := range l.files[1:] {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return errors.Join(err, errors.New(l.files[i].Name()))
		}
	}
	l.reader.Reset(l.files[0])
	return nil
}

// backIn is back in one file: it moves to, and returns, where the line begins behind the
// first that is not wanted; 0 if all are.
func backIn(file *os.File, goOn func(line []byte) bool) (begin int64, err error) {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	const size = 64 << 10
	block := make([]byte, size)
	var rest []byte // the beginning of what lies behind end, up to its line break
	begin = end
	take := func(line []byte) bool { return len(line) == 0 || goOn(line) }
	for end > 0 {
		at := max(end-size, 0)
		part := block[:end-at]
		if _, err := file.ReadAt(part, at); err != nil {
			return 0, err
		}
		for {
			i := bytes.LastIndexByte(part, '\n')
			if i < 0 {
				break
			}
			if !take(append(bytes.Clone(part[i+1:]), rest...)) {
				_, err := file.Seek(begin, io.SeekStart)
				return begin, err
			}
			begin, rest = at+int64(i)+1, nil
			part = part[:i]
		}
		rest = append(bytes.Clone(part), rest...)
		end = at
	}
	if !take(rest) {
		_, err := file.Seek(begin, io.SeekStart)
		return begin, err
	}
	_, err = file.Seek(0, io.SeekStart)
	return 0, err
}

func (l *logFiles) close() {
	for _, file := range l.files {
		file.Close()
	}
}
