package worker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// World is what a worker lives in: its clock, what goes on beside it, and the files by which
// a later one remembers. A simulation has one of its own. Its methods may be called from any
// goroutine.
type World interface {
	Now() time.Time
	// Go has f done beside all else.
	Go(f func())
	// Await waits for done until ctx is, and for limit at most, and reports whether it is.
	Await(ctx context.Context, done <-chan struct{}, limit time.Duration) bool
	// Read returns what is in a file, and Write replaces all of it or nothing. Remove
	// removes it if there is one.
	Read(path string) ([]byte, error)
	Write(path string, data []byte) error
	Remove(path string) error
}

// System is the World of a process.
type System struct{}

// Now implements World.
func (System) Now() time.Time { return time.Now() }

// Go implements World.
func (System) Go(f func()) { go f() }

// Await implements World.
func (System) Await(ctx context.Context, done <-chan struct{}, limit time.Duration) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	case <-time.After(limit):
	}
	return false
}

// Read implements World.
func (System) Read(path string) ([]byte, error) { return os.ReadFile(path) }

// Write implements World.
func (System) Write(path string, data []byte) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// Remove implements World.
func (System) Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
