package sftp

import (
	"errors"
	"io/fs"
	"testing"
	"time"
)

// A server that takes requests and answers none does not hold up those who wait
// for ever, whether it ever answered or not.
func TestSilentServer(t *testing.T) {
	for name, answers := range map[string]int{"from the start": 0, "later": 3} {
		t.Run(name, func(t *testing.T) {
			session(t, func(s *fake) {
				for range answers {
					r, _ := s.next()
					s.ok(r.id)
				}
				serveNothing(s)
			}, func(t *testing.T, c *Client) {
				for range answers {
					mustWait(t, c.Remove("x"))
					time.Sleep(10 * replyTime) // of the bubble's clock: it owes nothing
				}
				began := time.Now()
				first, second := c.Remove("first"), c.Remove("second")
				for _, r := range []*Reply{first, second} {
					if err := r.Wait(); !errors.Is(err, errSilent) {
						t.Errorf("%v", err)
					}
				}
				if took := time.Since(began); took < replyTime || took > 2*replyTime {
					t.Errorf("it was given up after %v", took)
				}
				if err := c.Err(); !errors.Is(err, errSilent) {
					t.Errorf("the session: %v", err)
				}
			})
		})
	}
}

// A server that is slow, but gives a reply now and then, is waited for.
func TestSlowServer(t *testing.T) {
	session(t, func(s *fake) {
		var ids []uint32
		for range 5 {
			r, _ := s.next()
			ids = append(ids, r.id)
		}
		for _, id := range ids {
			time.Sleep(replyTime - time.Second) // of the bubble's clock
			s.ok(id)
		}
		serveNothing(s)
	}, func(t *testing.T, c *Client) {
		var replies []*Reply
		for range 5 {
			replies = append(replies, c.Remove("x"))
		}
		for _, r := range replies {
			mustWait(t, r)
		}
	})
}

// A request that nobody has flushed yet is not the server's fault.
func TestRequestsThatAreNotFlushed(t *testing.T) {
	session(t, serveOK, func(t *testing.T, c *Client) {
		r := c.Remove("x")
		time.Sleep(10 * replyTime)
		mustWait(t, r)
	})
}

// A session that was ended is not given up once more.
func TestSilentServerOfAnEndedSession(t *testing.T) {
	session(t, serveNothing, func(t *testing.T, c *Client) {
		r := c.Remove("x")
		c.Flush()
		time.Sleep(replyTime / 2)
		c.Close()
		time.Sleep(replyTime)
		wantClosed(t, r)
		if err := c.Err(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}
