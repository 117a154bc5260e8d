package sftp

import (
	"errors"
	"io/fs"
	"sync"
	"testing"
	"testing/synctest"
)

// A server that takes no request before its reply to the last one was taken is
// not held up by a client that only sends.
func TestServerThatWaitsForItsReplies(t *testing.T) {
	session(t, serveOK, func(t *testing.T, c *Client) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				data := make([]byte, 1000)
				var replies []*Reply
				for i := range 1000 {
					replies = append(replies, c.Write("h", uint64(i)*1000, data))
				}
				mustWait(t, replies...)
			})
		}
		wg.Wait()
	})
}

// A server that answers nothing until it has all requests.
func TestServerThatAnswersLate(t *testing.T) {
	const n = 5000
	session(t, func(s *fake) {
		var ids []uint32
		for range n {
			r, _ := s.next()
			ids = append(ids, r.id)
		}
		for _, id := range ids {
			s.ok(id)
		}
		serveNothing(s)
	}, func(t *testing.T, c *Client) {
		data := make([]byte, 100)
		var replies []*Reply
		for range n {
			replies = append(replies, c.Write("h", 0, data))
		}
		mustWait(t, replies...)
		if len(c.pending) > 0 {
			t.Errorf("%d replies are still awaited", len(c.pending))
		}
	})
}

// A server that takes no more keeps nobody from a reply that it has given.
func TestReplyWhileSendingIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		c := begin(t, func(s *fake) {
			r, _ := s.next()
			<-answer
			s.ok(r.id)
			<-answer
		})
		first := c.Remove("x")
		c.Flush()
		var wg sync.WaitGroup
		var stuck *Reply
		wg.Go(func() {
			data := make([]byte, MaxWrite)
			for range 10 { // more than is queued
				stuck = c.Write("h", 0, data)
			}
		})
		synctest.Wait() // until nothing moves
		answer <- struct{}{}
		mustWait(t, first)
		c.Flush()
		if err := c.Err(); err != nil {
			t.Error(err)
		}
		// And Close frees whoever is stuck.
		c.Close()
		wg.Wait()
		wantClosed(t, stuck)
		close(answer)
		end(t, c)
	})
}

// What is queued is sent by Flush, and not before.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinds := make(chan byte, 10)
		c := begin(t, func(s *fake) {
			for {
				r, ok := s.next()
				if !ok {
					return
				}
				kinds <- r.kind
			}
		})
		c.Remove("x")
		c.Rmdir("x")
		synctest.Wait()
		if len(kinds) != 0 {
			t.Errorf("%d requests were sent before Flush", len(kinds))
		}
		c.Flush()
		synctest.Wait()
		if len(kinds) != 2 || <-kinds != typeRemove || <-kinds != typeRmdir {
			t.Error("the requests were not sent, or not in this order")
		}
		end(t, c)
	})
}

// Data may be reused as soon as Write returns.
func TestWriteCopies(t *testing.T) {
	session(t, func(s *fake) {
		r, _ := s.next()
		handle, offset, data := r.rest.string(), r.rest.uint64(), r.rest.string()
		if handle != "h" || offset != 1<<40 || data != "before" || len(r.rest.rest) > 0 {
			t.Errorf("a write of %q to %q at %d, then %q", data, handle, offset, r.rest.rest)
		}
		s.ok(r.id)
		serveNothing(s)
	}, func(t *testing.T, c *Client) {
		data := []byte("before")
		r := c.Write("h", 1<<40, data)
		copy(data, "after!")
		mustWait(t, r)
	})
}

// The handle of a directory is closed however reading it ends.
func TestReadDirClosesItsHandle(t *testing.T) {
	for name, reply := range map[string]struct {
		kind    byte
		payload []byte
	}{
		"at its end":    {typeStatus, status(StatusEOF, "")},
		"refused":       {typeStatus, status(StatusPermissionDenied, "")},
		"malformed":     {typeName, []byte{0, 0, 0, 1}},
		"a wrong reply": {typeAttrs, Attrs{}.append(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				closed := make(chan string, 1)
				c := begin(t, func(s *fake) {
					defer close(closed)
					r, _ := s.next()
					s.reply(typeHandle, r.id, appendString(nil, "h"))
					r, _ = s.next()
					s.reply(reply.kind, r.id, reply.payload)
					if r, ok := s.next(); ok && r.kind == typeClose {
						closed <- r.rest.string()
					}
				})
				_, err := c.ReadDir("x")
				if (err == nil) != (name == "at its end") || (name == "refused") != errors.Is(err, fs.ErrPermission) {
					t.Errorf("%v", err)
				}
				if h := <-closed; h != "h" {
					t.Error("the handle was not closed")
				}
				end(t, c)
			})
		})
	}
}
