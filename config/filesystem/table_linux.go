package filesystem

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Table is the table of what is mounted for this process. Its methods are for one
// goroutine at a time.
type Table struct {
	fd int
	// changed: the table is another one than Mounts has read.
	changed bool
}

// OpenTable opens the table. The error is errors.ErrUnsupported where the system
// has none.
func OpenTable() (*Table, error) {
	fd, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot read what is mounted: %w", err)
	}
	return &Table{fd: fd, changed: true}, nil
}

// Close closes the table.
func (t *Table) Close() { unix.Close(t.fd) }

// FD is the file descriptor at which poll(2) waits with POLLPRI for a change, of
// which it tells once: Note takes it in.
func (t *Table) FD() int { return t.fd }

// Note takes in that poll has told of a change.
func (t *Table) Note() { t.changed = true }

// Changed reports whether something was mounted, unmounted or moved since Mounts was
// called last. It costs a system call.
func (t *Table) Changed() bool {
	fds := []unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLPRI}}
	if n, err := unix.Poll(fds, 0); err != nil || n > 0 {
		t.changed = true
	}
	return t.changed
}

// rereads is how often the table is read anew because it changed meanwhile.
const rereads = 5

// Mounts reads the table.
func (t *Table) Mounts() ([]Mount, error) {
	var text []byte
	for range rereads {
		t.changed = false
		var err error
		if text, err = t.read(); err != nil {
			t.changed = true
			return nil, fmt.Errorf("cannot read what is mounted: %w", err)
		}
		if !t.Changed() {
			break
		}
	}
	mounts, err := Parse(text)
	if err != nil {
		t.changed = true
	}
	return mounts, err
}

func (t *Table) read() ([]byte, error) {
	text := make([]byte, 0, 16<<10)
	for {
		if cap(text)-len(text) < 4<<10 {
			text = append(make([]byte, 0, 2*cap(text)), text...)
		}
		n, err := unix.Pread(t.fd, text[len(text):cap(text)], int64(len(text)))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return text, err
		}
		text = text[:len(text)+n]
	}
}
