package sftp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
)

// Replies may come in any order, and to all who wait.
func TestRepliesOutOfOrder(t *testing.T) {
	const n = 300
	session(t, func(s *fake) {
		var requests []request
		for range n {
			r, _ := s.next()
			requests = append(requests, r)
		}
		for i := len(requests) - 1; i >= 0; i-- {
			r := requests[i]
			s.reply(typeHandle, r.id, appendString(nil, r.rest.string()))
		}
		serveNothing(s)
	}, func(t *testing.T, c *Client) {
		var wg sync.WaitGroup
		for i := range n {
			path := fmt.Sprint(i)
			r := c.Create(path)
			for range 3 {
				wg.Go(func() {
					if h, err := r.Wait(); err != nil || h != Handle(path) {
						t.Errorf("%s: %q, %v", path, h, err)
					}
				})
			}
		}
		wg.Wait()
	})
}

// What cannot be a reply to anything ends the session, and every request.
func TestSenselessReplies(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"to no request":     packet(typeStatus, append(appendUint32(nil, 7), status(StatusOK, "")...)),
		"without an id":     packet(typeStatus, []byte{0, 0, 0}),
		"only a type":       packet(typeStatus, nil),
		"nothing":           {0, 0, 0, 0, 0},
		"too long":          {0, 4, 0, 1, typeName},
		"another's version": version(),
		"the same again": append(packet(typeStatus, append(appendUint32(nil, 0), status(StatusOK, "")...)),
			packet(typeStatus, append(appendUint32(nil, 0), status(StatusOK, "")...))...),
	} {
		t.Run(name, func(t *testing.T) {
			session(t, func(s *fake) {
				for range 2 {
					s.next()
				}
				s.send(bytes)
				serveNothing(s)
			}, func(t *testing.T, c *Client) {
				first, second := c.Remove("first"), c.Remove("second")
				if err := second.Wait(); !errors.Is(err, errMalformed) || errors.Is(err, io.EOF) {
					t.Errorf("%v", err)
				}
				if err := first.Wait(); name != "the same again" && !errors.Is(err, errMalformed) {
					t.Errorf("%v", err)
				}
				if err := c.Err(); !errors.Is(err, errMalformed) {
					t.Errorf("the session: %v", err)
				}
			})
		})
	}
}

// A reply of the wrong type, or one that is cut off, is an error for those who
// wait for it, and the session goes on.
func TestWrongReplies(t *testing.T) {
	type wait func(c *Client) error
	requests := map[string]wait{
		"Remove":   func(c *Client) error { return c.Remove("x").Wait() },
		"Create":   func(c *Client) error { _, err := c.Create("x").Wait(); return err },
		"Lstat":    func(c *Client) error { _, err := c.Lstat("x").Wait(); return err },
		"Fstat":    func(c *Client) error { _, err := c.Fstat("x").Wait(); return err },
		"Realpath": func(c *Client) error { _, err := c.Realpath("x").Wait(); return err },
		"Statvfs":  func(c *Client) error { _, err := c.Statvfs("x").Wait(); return err },
		"ReadDir":  func(c *Client) error { _, err := c.ReadDir("x"); return err },
	}
	replies := map[string]struct {
		kind    byte
		payload []byte
		fits    string // the requests that it is a reply to
	}{
		"success":         {typeStatus, status(StatusOK, ""), "Remove"},
		"half a status":   {typeStatus, []byte{0, 0}, ""},
		"a handle":        {typeHandle, appendString(nil, "h"), "Create"},
		"half a handle":   {typeHandle, []byte{0, 0, 0, 9, 'h'}, ""},
		"attributes":      {typeAttrs, Attrs{Owner: &Owner{1, 2}}.append(nil), "Lstat Fstat"},
		"half attributes": {typeAttrs, []byte{0, 0, 0, 1, 2}, ""},
		"a name":          {typeName, Attrs{}.append(appendString(appendString(appendUint32(nil, 1), "n"), "n")), "Realpath"},
		"two names":       {typeName, []byte{0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, ""},
		"half a name":     {typeName, []byte{0, 0, 0, 1, 0, 0, 0, 9, 'n'}, ""},
		"figures":         {typeExtendedReply, make([]byte, 88), "Statvfs"},
		"half figures":    {typeExtendedReply, make([]byte, 87), ""},
		"data":            {103, appendString(nil, "data"), ""},
		"an unknown type": {255, nil, ""},
	}
	for name, do := range requests {
		for kind, reply := range replies {
			session(t, func(s *fake) {
				r, _ := s.next()
				s.reply(reply.kind, r.id, reply.payload)
				serveOK(s)
			}, func(t *testing.T, c *Client) {
				err := do(c)
				switch {
				case name == "ReadDir":
					// After a handle comes success, which is no list of names.
					if !errors.Is(err, errMalformed) {
						t.Errorf("%s, with %s: %v", name, kind, err)
					}
				case strings.Contains(reply.fits, name):
					if err != nil {
						t.Errorf("%s, with %s: %v", name, kind, err)
					}
				case !errors.Is(err, errMalformed):
					t.Errorf("%s, with %s: %v", name, kind, err)
				}
				if err := c.Remove("next").Wait(); err != nil {
					t.Errorf("the request after %s, with %s: %v", name, kind, err)
				}
			})
		}
	}
}

// A server that dies takes all requests with it, and leaves nobody waiting.
func TestServerDies(t *testing.T) {
	const n = 100
	for name, last := range map[string][]byte{
		"between replies":       nil,
		"in the head of one":    {0, 0, 0},
		"after the head of one": {0, 0, 0, 5, typeStatus},
		"in the middle of one":  {0, 0, 0, 9, typeStatus, 0, 0, 0, n - 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			session(t, func(s *fake) {
				for i := range n {
					if r, _ := s.next(); i < n/2 {
						s.ok(r.id)
					}
				}
				s.send(last)
			}, func(t *testing.T, c *Client) {
				var replies []*Reply
				for range n {
					replies = append(replies, c.Remove("x"))
				}
				for i, r := range replies {
					switch err := r.Wait(); {
					case i < n/2 && err != nil, i >= n/2 && !errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
						t.Errorf("reply %d: %v", i, err)
					}
				}
				c.Flush()
				if _, err := c.ReadDir("x"); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("a directory: %v", err)
				}
				if size := c.MaxWrite(); size != MaxWrite {
					t.Errorf("MaxWrite: %d", size)
				}
			})
		})
	}
}

// The end of the connection must not be taken for the end of a directory.
func TestServerDiesInReadDir(t *testing.T) {
	session(t, func(s *fake) {
		r, _ := s.next()
		s.reply(typeHandle, r.id, appendString(nil, "h"))
		r, _ = s.next()
		s.reply(typeName, r.id, Attrs{}.append(appendString(appendString(appendUint32(nil, 1), "name"), "-rw name")))
		s.next()
	}, func(t *testing.T, c *Client) {
		if entries, err := c.ReadDir("x"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v, %v", entries, err)
		}
	})
}

func TestCloseWithRequestsUnderWay(t *testing.T) {
	session(t, serveNothing, func(t *testing.T, c *Client) {
		var replies []*Reply
		for range 50 {
			replies = append(replies, c.Remove("x"))
		}
		c.Flush()
		for range 50 { // still queued
			replies = append(replies, c.Remove("x"))
		}
		var wg sync.WaitGroup
		wg.Go(func() { wantClosed(t, replies...) })
		for range 3 {
			wg.Go(func() {
				if err := c.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
		}
		wg.Wait()
		c.Flush()
		wantClosed(t, c.Remove("x"), c.Create("x").Reply, c.CloseHandle("h"))
	})
}

// Close keeps the reason if there was one before.
func TestCloseAfterFailure(t *testing.T) {
	session(t, func(s *fake) { s.next() }, func(t *testing.T, c *Client) {
		if err := c.Remove("x").Wait(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v", err)
		}
		c.Close()
		if err := c.Err(); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrClosed) {
			t.Errorf("the session: %v", err)
		}
	})
}

// A reply may come after the end, until the connection is really closed.
func TestReplyAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := io.Pipe()
		go func() { _, _ = out.Write(version()) }()
		c, err := NewClient(r, io.Discard, new(closed))
		if err != nil {
			t.Fatal(err)
		}
		late := c.Remove("x")
		c.Close()
		(&fake{out: out}).ok(0)
		synctest.Wait()
		wantClosed(t, late)
		wantClosed(t, c.Remove("x"))
	})
}

// What no server takes is not sent: it would end the session.
func TestTooLongRequest(t *testing.T) {
	session(t, serveOK, func(t *testing.T, c *Client) {
		before := c.Remove("x")
		long := c.Write("h", 0, make([]byte, maxPacket))
		after := c.Remove("x")
		mustWait(t, before, after)
		if err := long.Wait(); !errors.Is(err, errTooLong) {
			t.Errorf("%v", err)
		}
		// 21 bytes are beside the data: type, id, two lengths, handle, offset.
		mustWait(t, c.Write("", 0, make([]byte, maxPacket-21)))
		if err := c.Write("", 0, make([]byte, maxPacket-20)).Wait(); !errors.Is(err, errTooLong) {
			t.Errorf("%v", err)
		}
	})
}

// A connection that gives and takes little at a time.
func TestShortReads(t *testing.T) {
	data := version()
	for id := range uint32(3) {
		data = append(data, packet(typeHandle, appendString(appendUint32(nil, id), strings.Repeat("h", int(id)*1000)))...)
	}
	for name, short := range map[string]func(io.Reader) io.Reader{
		"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "with the error": iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			// The replies are there before the requests, and must wait.
			queued := make(chan struct{})
			hello := len(version())
			r := io.MultiReader(short(bytes.NewReader(data[:hello])), gate{queued, short(bytes.NewReader(data[hello:]))})
			c, err := NewClient(r, io.Discard, io.NopCloser(nil))
			if err != nil {
				t.Fatal(err)
			}
			replies := []OpenReply{c.Create("0"), c.Create("1"), c.Create("2")}
			close(queued)
			for i, r := range replies {
				if h, err := r.Wait(); err != nil || len(h) != i*1000 {
					t.Errorf("%d: %q, %v", i, h, err)
				}
			}
		})
	}
}

// gate is a reader that waits until it is open.
type gate struct {
	open <-chan struct{}
	io.Reader
}

func (g gate) Read(p []byte) (int, error) {
	<-g.open
	return g.Reader.Read(p)
}

// A writer that takes less than it was given without an error breaks the rules
// of io.Writer, and with it the packets.
func TestShortWrite(t *testing.T) {
	r, out := io.Pipe()
	go func() { _, _ = out.Write(version()) }()
	c, err := NewClient(r, &shortWriter{whole: 1}, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Remove("x").Wait(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
}

// shortWriter takes so many writes whole, and then all but one byte.
type shortWriter struct{ whole int }

func (w *shortWriter) Write(p []byte) (int, error) {
	if w.whole--; w.whole >= 0 {
		return len(p), nil
	}
	return len(p) - 1, nil
}

// A server that can no longer be written to is one that is gone.
func TestWriteFails(t *testing.T) {
	r, out := io.Pipe()
	in, w := io.Pipe()
	go func() {
		var hello [9]byte
		_, _ = io.ReadFull(in, hello[:])
		_, _ = out.Write(version())
		in.CloseWithError(errors.New("no space in the pipe"))
	}()
	c, err := NewClient(r, w, r)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := c.Remove("x").Wait(); err == nil || !strings.Contains(err.Error(), "no space in the pipe") {
			t.Errorf("%v", err)
		}
	}
}
