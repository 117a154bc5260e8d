package daemon

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// lines is an answer in lines of JSON as it is written.
type lines struct {
	out   *bufio.Writer
	flush func() error
}

func newLines(w io.Writer, flush func() error) *lines {
	return &lines{bufio.NewWriterSize(w, 64<<10), flush}
}

// line writes one line, which leaves at once.
func (l *lines) line(v any) error {
	encoder := json.NewEncoder(l.out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	if err := l.out.Flush(); err != nil {
		return err
	}
	return l.flush()
}

// file writes the lines of a file, each with before and after around it.
func (l *lines) file(path string, before, after []byte) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read what a monitor has found: %w", err)
	}
	defer file.Close()
	found := bufio.NewReaderSize(file, 64<<10)
	for {
		line, err := found.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read what a monitor has found: %w", err)
		}
		for _, part := range [][]byte{before, line[:len(line)-1], after} {
			if _, err := l.out.Write(part); err != nil {
				return err
			}
		}
	}
}
