// Package sftp is a client of the SSH file transfer protocol, version 3
// (draft-ietf-secsh-filexfer-02), with the extensions of OpenSSH (its file
// PROTOCOL, section 4) that a mirror needs. It is made for latency: a request
// is queued at once and its reply awaited later, so that a whole batch of
// changes travels in one flight.
//
// The requests of a flight do not depend on each other's success: a server
// carries out a rename although the write before it has failed. Whoever sends
// both in one flight must look at all replies and mend what went wrong.
package sftp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
)

// The extensions that are used where the server offers them, with the version
// that is meant (OpenSSH's PROTOCOL, section 4).
const (
	extPosixRename = "posix-rename@openssh.com" // 1: replaces what is there
	extStatvfs     = "statvfs@openssh.com"      // 2: free space
	extLsetstat    = "lsetstat@openssh.com"     // 1: does not follow links
	extLimits      = "limits@openssh.com"       // 1: how long a packet may be
)

// Client is a session with a server. Its methods may be called from any
// goroutine. The server carries out requests that concern the same file in the
// order in which they were queued (draft-ietf-secsh-filexfer-02, section 6);
// OpenSSH's keeps to that order for all.
//
// Two goroutines serve a client, one that only reads and one that only writes;
// neither does so with the lock held. So the replies are taken in while the
// server is slow to take requests, which it may be just because it cannot get
// rid of its replies. Both goroutines end with the session, as soon as conn's
// Close has made the read and the write return.
type Client struct {
	extensions map[string]string // fixed when NewClient returns
	conn       io.Closer
	limits     *Reply // to a request that NewClient has sent; nil if the server knows none

	mu      sync.Mutex // guards everything below; never held while reading or writing
	work    sync.Cond  // the sender waits here, for flush or err
	room    sync.Cond  // requests wait here, for a shorter queue or err
	queue   []byte     // whole packets that are not yet with the sender
	flush   bool       // the sender is to take the queue
	next    uint32     // the identifier of the next request
	pending map[uint32]*Reply
	// heard is when the last reply came, or the first of the pending requests was
	// queued; overdue calls await, nil while nothing is pending for long.
	heard   time.Time
	overdue *time.Timer
	err     error // why the session is over; nil while it is not
}

// writeBuffer is how many queued bytes are sent without a call of Flush. A
// request must wait while there are more.
const writeBuffer = 64 << 10

// replyTime is how long a server may owe replies without giving any: as long as
// rsync waits for a remote (--timeout). A file system that hangs hangs the server,
// too, while ssh finds the line alive.
const replyTime = 2 * time.Minute

// NewClient begins a session over r and w, and returns when the server has
// answered. From now on r, w and conn belong to the client: conn is closed when
// the session ends, also if it never began, and its Close must make reads from
// r and writes to w return. Whoever does not want to wait for a server's first
// word for ever closes conn, too.
func NewClient(r io.Reader, w io.Writer, conn io.Closer) (*Client, error) {
	c := &Client{conn: conn, pending: make(map[uint32]*Reply)}
	c.work.L, c.room.L = &c.mu, &c.mu
	in := bufio.NewReaderSize(r, 32<<10)
	if err := c.hello(in, w); err != nil {
		_ = conn.Close() // what matters is why
		return nil, fmt.Errorf("cannot begin an sftp session: %w", err)
	}
	go c.receive(in)
	go c.send(w)
	if c.Has(extLimits, "1") {
		// Not waited for: the reply is there long before the first handle is,
		// without which there is no use for it.
		c.limits = c.extended(extLimits, func(b []byte) []byte { return b })
		c.Flush()
	}
	return c, nil
}

// hello exchanges the versions (draft-ietf-secsh-filexfer-02, section 4).
func (c *Client) hello(in *bufio.Reader, w io.Writer) error {
	if _, err := w.Write([]byte{0, 0, 0, 5, typeInit, 0, 0, 0, 3}); err != nil {
		return err
	}
	kind, payload, err := readPacket(in)
	if errors.Is(err, errMalformed) {
		// Most often it is something for people: a shell that greets, or an
		// account that is not available.
		text, _ := in.Peek(min(in.Buffered(), 80)) // cannot fail: it is in the buffer
		return fmt.Errorf("%w: the server begins with %q", err, text)
	}
	if err != nil {
		return inPacket(err)
	}
	p := parser{rest: payload}
	if version := p.uint32(); kind != typeVersion || version != 3 {
		return fmt.Errorf("the server answers with packet type %d, version %d", kind, version)
	}
	c.extensions = make(map[string]string)
	for len(p.rest) > 0 && p.err == nil {
		name, data := p.string(), p.string()
		c.extensions[name] = data
	}
	return p.err
}

// Close ends the session; requests that are under way fail with fs.ErrClosed,
// unless they failed for another reason before. The server closes the handles.
func (c *Client) Close() error {
	return c.fail(fmt.Errorf("the sftp session was ended: %w", fs.ErrClosed))
}

// Has reports whether the server offers an extension of that version.
func (c *Client) Has(extension, version string) bool {
	offered, ok := c.extensions[extension]
	return ok && offered == version
}

// Err says why the session is over, or is nil.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Flush has all that is queued sent, and does not wait until it is. Waiting for
// a reply does it, too.
func (c *Client) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 && c.err == nil {
		c.flush = true
		c.work.Signal()
	}
}

// fail ends the session with the first reason that it is called with, and
// returns the error of closing the connection.
func (c *Client) fail(err error) error {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return nil
	}
	c.err = err
	pending := c.pending
	c.pending, c.queue = nil, nil
	if c.overdue != nil {
		c.overdue.Stop()
	}
	c.work.Broadcast()
	c.room.Broadcast()
	c.mu.Unlock()
	// First those who wait: closing may take its time.
	for _, r := range pending {
		r.finish(0, nil, err)
	}
	return c.conn.Close()
}

// broke is fail with an error of reading or writing.
func (c *Client) broke(err error) {
	// io.EOF is a status, too, with another meaning.
	_ = c.fail(fmt.Errorf("the sftp session broke: %w", inPacket(err))) // what matters is why
}

// errSilent is that the server owes replies and gives none.
var errSilent = fmt.Errorf("the sftp session was given up: no reply within %v", replyTime)

// await ends the session if replies are overdue. It comes every replyTime at most,
// so that requests and replies need no timers of their own.
func (c *Client) await() {
	c.mu.Lock()
	left := replyTime - time.Since(c.heard)
	switch {
	case c.err != nil:
	case len(c.pending) == 0:
		c.overdue = nil
	case left > 0:
		c.overdue.Reset(left)
	case len(c.queue) > 0 && !c.flush:
		// It may be only that nobody has flushed yet.
		c.flush = true
		c.work.Signal()
		c.overdue.Reset(replyTime)
	default:
		c.mu.Unlock()
		_ = c.fail(errSilent) // what matters is why
		return
	}
	c.mu.Unlock()
}

// send writes the queue to the server whenever it is to be flushed, until the
// session is over.
func (c *Client) send(w io.Writer) {
	var packets []byte // changes places with the queue
	for {
		c.mu.Lock()
		for !c.flush && c.err == nil {
			c.work.Wait()
		}
		if c.err != nil {
			c.mu.Unlock()
			return
		}
		packets, c.queue = c.queue, packets[:0]
		c.flush = false
		c.room.Broadcast()
		c.mu.Unlock()
		n, err := w.Write(packets)
		if err == nil && n < len(packets) {
			err = io.ErrShortWrite
		}
		if err != nil {
			c.broke(err)
			return
		}
	}
}

// receive hands replies to those who wait for them, until the session is over.
func (c *Client) receive(in *bufio.Reader) {
	for {
		kind, payload, err := readPacket(in)
		if err != nil {
			c.broke(err)
			return
		}
		now := time.Now()
		p := parser{rest: payload}
		id := p.uint32()
		if p.err != nil {
			c.broke(p.err)
			return
		}
		c.mu.Lock()
		r, ok := c.pending[id]
		delete(c.pending, id)
		c.heard = now
		c.mu.Unlock()
		if !ok {
			// Whose replies come twice or under a wrong name, may confuse any.
			c.broke(fmt.Errorf("%w: a reply to no request", errMalformed))
			return
		}
		r.finish(kind, p.rest, nil)
	}
}

// Reply is the reply to a request, which may not have come yet. Any number of
// goroutines may wait for it, and nobody has to.
type Reply struct {
	client *Client
	done   chan struct{} // closed when the fields below are set

	kind    byte
	payload []byte // what follows the identifier; never written to
	err     error  // why there is no reply
}

func (r *Reply) finish(kind byte, payload []byte, err error) {
	r.kind, r.payload, r.err = kind, payload, err
	close(r.done)
}

// request queues a request. build appends what follows the identifier; it is
// called at once, with the client's lock held. If the server is slow to take
// what was queued before, request waits. In a session that is over it returns
// a reply that has failed.
func (c *Client) request(kind byte, build func(b []byte) []byte) *Reply {
	r := &Reply{client: c, done: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) >= writeBuffer && c.err == nil {
		c.room.Wait()
	}
	if c.err != nil {
		r.finish(0, nil, c.err)
		return r
	}
	id, begin := c.next, len(c.queue)
	b := appendUint32(append(c.queue, 0, 0, 0, 0, kind), id)
	b = build(b)
	length := len(b) - begin - 4
	if length > maxPacket {
		c.queue = b[:begin]
		r.finish(0, nil, fmt.Errorf("%w: %d bytes", errTooLong, length))
		return r
	}
	binary.BigEndian.PutUint32(b[begin:], uint32(length))
	c.queue = b
	c.next++
	if len(c.pending) == 0 {
		c.heard = time.Now()
	}
	c.pending[id] = r
	if c.overdue == nil {
		c.overdue = time.AfterFunc(replyTime, c.await)
	}
	if len(c.queue) >= writeBuffer {
		c.flush = true
		c.work.Signal()
	}
	return r
}

// wait returns the reply's payload, which must be of the wanted kind.
func (r *Reply) wait(want byte) (parser, error) {
	select {
	case <-r.done:
	default:
		r.client.Flush()
		<-r.done
	}
	if r.err != nil {
		return parser{}, r.err
	}
	p := parser{rest: r.payload}
	if r.kind == typeStatus && want != typeStatus {
		if err := p.status(); err != nil {
			return parser{}, err
		}
	}
	if r.kind != want {
		return parser{}, fmt.Errorf("%w: a reply of type %d, expected %d", errMalformed, r.kind, want)
	}
	return p, nil
}

// Wait returns the outcome of a request that has none but success. The error
// is a *StatusError if the server refused, and Err's if the session is over.
func (r *Reply) Wait() error {
	p, err := r.wait(typeStatus)
	if err != nil {
		return err
	}
	return p.status()
}
