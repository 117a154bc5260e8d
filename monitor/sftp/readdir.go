package sftp

import (
	"errors"
	"fmt"
)

// Entry is an entry of a directory. Its attributes are those of a symbolic
// link itself.
type Entry struct {
	Name  string
	Attrs Attrs
}

// ReadDir returns the entries of a directory, without "." and "..", in the
// server's order. It waits for each of the replies that they come in, of which
// OpenSSH's server fills one with 100 entries.
func (c *Client) ReadDir(path string) ([]Entry, error) {
	h, err := OpenReply{c.onPath(typeOpendir, path)}.Wait()
	if err != nil {
		return nil, fmt.Errorf("cannot read directory %s: %w", path, err)
	}
	defer func() {
		// What becomes of it is of no interest, but it must not stay queued:
		// a server has a limited number of handles.
		c.CloseHandle(h)
		c.Flush()
	}()
	var entries []Entry
	for {
		p, err := c.request(typeReaddir, func(b []byte) []byte { return appendString(b, h) }).wait(typeName)
		if status := (*StatusError)(nil); errors.As(err, &status) && status.Code == StatusEOF {
			return entries, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read directory %s: %w", path, err)
		}
		for n := p.uint32(); n > 0 && p.err == nil; n-- {
			name := p.string()
			p.string() // a line as of ls, for people
			attrs := p.attrs()
			if p.err == nil && name != "." && name != ".." {
				entries = append(entries, Entry{name, attrs})
			}
		}
		if p.err != nil {
			return nil, fmt.Errorf("cannot read directory %s: %w", path, p.err)
		}
	}
}
