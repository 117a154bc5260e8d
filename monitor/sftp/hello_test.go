package sftp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// closed counts the calls of Close.
type closed int

func (c *closed) Close() error {
	*c++
	return nil
}

func TestHelloFails(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name string
		r    io.Reader
		want string // part of the error
	}{
		{"a dead server", strings.NewReader(""), "unexpected EOF"},
		{"a dying server", bytes.NewReader(version()[:7]), "unexpected EOF"},
		{"an unreadable server", iotest.ErrReader(broken), "broken"},
		{"a shell that greets", strings.NewReader("Welcome to backup!\n"), `begins with "Welcome to backup!\n"`},
		{"a longer greeting", strings.NewReader(strings.Repeat("Welcome!", 1000)), `"Welcome!Welcome!`},
		{"an old server", bytes.NewReader(packet(typeVersion, []byte{0, 0, 0, 2})), "packet type 2, version 2"},
		{"a new server", bytes.NewReader(packet(typeVersion, []byte{0, 0, 0, 6})), "packet type 2, version 6"},
		{"another packet", bytes.NewReader(packet(typeStatus, []byte{0, 0, 0, 3})), "packet type 101"},
		{"no version", bytes.NewReader(packet(typeVersion, nil)), "version 0"},
		{"half an extension", bytes.NewReader(version("lsetstat@openssh.com")), "malformed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var conn closed
			c, err := NewClient(test.r, io.Discard, &conn)
			if c != nil || err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "cannot begin an sftp session: ") {
				t.Errorf("%v, %v; want %q", c, err, test.want)
			}
			if conn != 1 {
				t.Errorf("the connection was closed %d times", conn)
			}
		})
	}
}

func TestHelloCannotBeWritten(t *testing.T) {
	var conn closed
	r, w := io.Pipe()
	r.Close()
	if _, err := NewClient(r, w, &conn); !errors.Is(err, io.ErrClosedPipe) || conn != 1 {
		t.Errorf("%v; closed %d times", err, conn)
	}
}

func TestExtensions(t *testing.T) {
	offered := []string{
		"posix-rename@openssh.com", "1", "lsetstat@openssh.com", "2", "statvfs@openssh.com", "2",
		"unknown@example.com", "", "binary\x00", "\xff",
	}
	session(t, serveNothing, func(t *testing.T, c *Client) {
		if !c.HasPosixRename() || c.HasLsetstat() || !c.HasStatvfs() {
			t.Errorf("%v", c.extensions)
		}
		if !c.Has("unknown@example.com", "") || c.Has("missing@example.com", "") {
			t.Error("an empty version is taken for a missing extension")
		}
	}, offered...)
}
