package transfer

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// spool is a file of records of two strings without NUL, which are read in the order in
// which they were written.
type spool struct {
	path   string
	file   *os.File
	writer *bufio.Writer
	reader *bufio.Reader
	ended  bool // reader has come to the end
}

// create begins an empty file, to be written.
func (s *spool) create() error { return s.open(os.O_TRUNC) }

// reopen goes on to write at the end.
func (s *spool) reopen() error { return s.open(0) }

func (s *spool) open(flag int) (err error) {
	if s.file, err = os.OpenFile(s.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|flag, 0o600); err != nil {
		return err
	}
	s.writer = bufio.NewWriterSize(s.file, 64<<10)
	return nil
}

// write adds a record. An error stays, and close returns it, too.
func (s *spool) write(first, second string) error {
	_, err := s.writer.WriteString(first + "\x00" + second + "\x00")
	return err
}

// close ends writing.
func (s *spool) close() error {
	err := s.writer.Flush()
	return errors.Join(err, s.file.Close())
}

// read returns the next record; ok is false behind the last one.
func (s *spool) read() (record [2]string, ok bool, err error) {
	if s.ended {
		return record, false, nil
	}
	if s.reader == nil {
		if s.file, err = os.Open(s.path); err != nil {
			return record, false, err
		}
		s.reader = bufio.NewReaderSize(s.file, 64<<10)
	}
	for i := range record {
		field, err := s.reader.ReadString(0)
		if errors.Is(err, io.EOF) {
			s.ended = true
			return record, false, s.file.Close()
		}
		if err != nil {
			return record, false, err
		}
		record[i] = strings.TrimSuffix(field, "\x00")
	}
	return record, true, nil
}

// remove removes the file.
func (s *spool) remove() {
	if s.file != nil {
		_ = s.file.Close() // it may be closed already
	}
	remove(s.path)
}

// remove removes a file that need not be there.
func remove(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return // the next monitor does
	}
}
