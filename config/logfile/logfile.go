// Package logfile opens the log of a process: one JSON object a line, in a
// file that is rotated by size. A log that cannot be written never disturbs
// the process; Problem says what is wrong with it.
package logfile

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/DeRuina/timberjack"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// backups is how many rotated files are kept beside the current one.
const backups = 3

// File is a log file. Its methods may be called from any goroutine.
type File struct {
	also    []io.Writer
	maxSize int
	level   zap.AtomicLevel

	mu      sync.Mutex // guards everything below
	rotated *timberjack.Logger
	problem error // of the last write
}

// Open returns a logger that writes to path, and the file. The file and its
// directory are made when needed; maxSize is in megabytes, level is one of
// zap's names. The same lines are written to also, one at a time; its errors are
// ignored.
func Open(path string, maxSize int, level string, also ...io.Writer) (*zap.Logger, *File) {
	f := &File{
		maxSize: maxSize,
		rotated: rotated(path, maxSize),
		also:    also,
		level:   zap.NewAtomicLevel(),
	}
	f.SetLevel(level)
	encoder := zap.NewProductionEncoderConfig()
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder.EncodeDuration = zapcore.StringDurationEncoder
	// No sampling: a log that drops lines is no evidence. Errors of the log
	// itself go nowhere, because standard error is this very file.
	core := zapcore.NewCore(zapcore.NewJSONEncoder(encoder), zapcore.Lock(f), f.level)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.problem = err
	}
	return zap.New(core, zap.ErrorOutput(zapcore.AddSync(nowhere{}))), f
}

func rotated(path string, maxSize int) *timberjack.Logger {
	return &timberjack.Logger{Filename: path, MaxSize: maxSize, MaxBackups: backups, FileMode: 0o600}
}

// SetPath goes on in the file at path, if that is another one: the file from before may
// have got that name meanwhile.
func (f *File) SetPath(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rotated.Filename == path {
		return
	}
	if err := f.rotated.Close(); err != nil {
		f.problem = err
	}
	f.rotated = rotated(path, f.maxSize)
}

// Write never fails: what cannot be written is dropped.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	_, f.problem = f.rotated.Write(p)
	f.mu.Unlock()
	for _, w := range f.also {
		_, _ = w.Write(p)
	}
	return len(p), nil
}

// SetLevel changes the least severe messages that are written; level is as in
// Open.
func (f *File) SetLevel(level string) {
	parsed, err := zapcore.ParseLevel(level)
	if err != nil {
		parsed = zapcore.InfoLevel
	}
	f.level.SetLevel(parsed)
}

// Sync does nothing: a log line is not worth waiting for a disk.
func (f *File) Sync() error { return nil }

// Close closes the file; a later write opens it again.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rotated.Close()
}

// Problem says why the last line could not be written, or is "".
func (f *File) Problem() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.problem == nil {
		return ""
	}
	return fmt.Sprintf("cannot write %s: %v", f.rotated.Filename, f.problem)
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
