package sftp

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"testing"
	"testing/synctest"
)

// fake is a server that does what a test wants, over pipes without a buffer.
type fake struct {
	in  *bufio.Reader
	out io.Writer
}

// request is one that a fake server has read.
type request struct {
	kind byte
	id   uint32
	rest parser // what follows the identifier
}

// next reads a request; ok is false when the client is gone.
func (s *fake) next() (r request, ok bool) {
	kind, payload, err := readPacket(s.in)
	if err != nil {
		return request{}, false
	}
	p := parser{rest: payload}
	id := p.uint32()
	return request{kind, id, p}, p.err == nil
}

// send writes bytes as they are.
func (s *fake) send(b []byte) { _, _ = s.out.Write(b) } // the client may be gone

// reply answers a request.
func (s *fake) reply(kind byte, id uint32, payload []byte) {
	s.send(packet(kind, append(appendUint32(nil, id), payload...)))
}

// ok answers that a request succeeded.
func (s *fake) ok(id uint32) { s.reply(typeStatus, id, status(StatusOK, "Success")) }

// status is the payload of a status packet after the identifier.
func status(code uint32, message string) []byte {
	return appendString(appendString(appendUint32(nil, code), message), "en")
}

// packet puts the head before a payload.
func packet(kind byte, payload []byte) []byte {
	return append(append(appendUint32(nil, uint32(len(payload)+1)), kind), payload...)
}

// version is a server's first packet, with these extensions and their versions.
func version(extensions ...string) []byte {
	payload := appendUint32(nil, 3)
	for _, word := range extensions {
		payload = appendString(payload, word)
	}
	return packet(typeVersion, payload)
}

// pipes are a client's connection.
type pipes struct {
	r *io.PipeReader
	w *io.PipeWriter
}

func (p pipes) Close() error { return errors.Join(p.r.Close(), p.w.Close()) }

// session runs a test with a client of a fake server, which serve is, without
// its first word. It runs in a bubble, so that a test that waits in vain fails
// at once, and so does one after whose session a goroutine is left. A test with
// channels of its own must make them in the bubble, and calls begin and end.
func session(t *testing.T, serve func(s *fake), test func(t *testing.T, c *Client), extensions ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, serve, extensions...)
		test(t, c)
		end(t, c)
	})
}

// begin begins a session with a fake server.
func begin(t *testing.T, serve func(s *fake), extensions ...string) *Client {
	t.Helper()
	r, out := io.Pipe()
	in, w := io.Pipe()
	go func() {
		defer out.Close()
		defer in.Close()
		s := &fake{bufio.NewReader(in), out}
		if request, ok := s.next(); !ok || request.kind != typeInit || request.id != 3 {
			t.Errorf("the client's first words are %v", request)
		}
		s.send(version(extensions...))
		serve(s)
	}()
	c, err := NewClient(r, w, pipes{r, w})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// end ends a session that may be over already.
func end(t *testing.T, c *Client) {
	t.Helper()
	c.Close()
	if err := c.Remove("late").Wait(); err == nil || !errors.Is(err, c.Err()) {
		t.Errorf("a request in a session that is over: %v; the session: %v", err, c.Err())
	}
}

// wantClosed wants all to have failed because of Close.
func wantClosed(t *testing.T, replies ...*Reply) {
	t.Helper()
	for i, r := range replies {
		if err := r.Wait(); !errors.Is(err, fs.ErrClosed) {
			t.Fatalf("reply %d: %v", i, err)
		}
	}
}

// serveNothing takes all requests and answers none.
func serveNothing(s *fake) {
	for {
		if _, ok := s.next(); !ok {
			return
		}
	}
}

// serveOK grants everything, one request after the other.
func serveOK(s *fake) {
	for {
		r, ok := s.next()
		if !ok {
			return
		}
		s.ok(r.id)
	}
}
