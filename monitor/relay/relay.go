// Package relay carries the connections of rsync to an rsync daemon. On its own
// rsync loses 40 ms several times before a change is there: the small packets of
// either end wait for acknowledgements that the other's system delays. A relay
// on this machine acknowledges at once, and does not hold packets back. It also
// notices a dead link, for which rsync has no means but its timeout.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// The times after which a connection is given up: one that is not made, and one
// whose other end does not answer.
const (
	connectTime = 10 * time.Second
	aliveTime   = 5 * time.Second
	aliveCount  = 2
)

// farewellTime is the farewell of a Relay, but in tests.
const farewellTime = time.Second

// Relay is a way to one daemon. Its methods may be called from any goroutine.
type Relay struct {
	address  string
	dialer   net.Dialer
	listener *net.TCPListener
	ctx      context.Context // done when the relay is closed
	cancel   context.CancelFunc
	turn     chan struct{} // holds a token while a connection is in use
	farewell time.Duration // how long a run waits for the end of the one before it

	mu    sync.Mutex        // guards everything below
	ready net.Conn          // a connection for the next run; nil for none
	open  map[net.Conn]bool // those in use, both ends
	over  bool
}

// New returns a relay to the daemon at address, "host:port". It listens on the
// loopback interface, and gives nobody more than the daemon itself would.
func New(address string) (*Relay, error) { return open(address, farewellTime) }

func open(address string, farewell time.Duration) (*Relay, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("cannot make a relay to %s: %w", address, err)
	}
	r := &Relay{address: address, listener: listener, open: make(map[net.Conn]bool), turn: make(chan struct{}, 1), farewell: farewell}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.dialer.Timeout = connectTime
	r.dialer.KeepAliveConfig = net.KeepAliveConfig{Enable: true, Idle: aliveTime, Interval: aliveTime, Count: aliveCount}
	go r.accept()
	return r, nil
}

// Address is where rsync has to connect to.
func (r *Relay) Address() *net.TCPAddr { return r.listener.Addr().(*net.TCPAddr) }

// Connect makes the connection that the next run of rsync will use, so that its
// failure has words.
func (r *Relay) Connect(ctx context.Context) error {
	conn, err := r.dialer.DialContext(ctx, "tcp", r.address)
	if err != nil {
		return fmt.Errorf("cannot connect to %s: %w", r.address, reason(err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		conn.Close()
		return fmt.Errorf("cannot connect to %s: %w", r.address, net.ErrClosed)
	}
	if r.ready != nil {
		r.ready.Close()
	}
	r.ready = conn
	return nil
}

// reason is what is behind net's own words.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Err
	}
	return err
}

// Release closes a connection that no run has used.
func (r *Relay) Release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ready != nil {
		r.ready.Close()
		r.ready = nil
	}
}

// Close ends the relay with all connections.
func (r *Relay) Close() {
	r.cancel()
	r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	if r.ready != nil {
		r.ready.Close()
		r.ready = nil
	}
	for conn := range r.open {
		conn.Close()
	}
}

// accept serves one run of rsync after the other.
func (r *Relay) accept() {
	for {
		here, err := r.listener.AcceptTCP()
		if err != nil {
			return
		}
		go r.serve(here)
	}
}

// serve carries one connection.
func (r *Relay) serve(here *net.TCPConn) {
	defer here.Close()
	// A daemon counts a connection until it has ended its side, which comes after
	// the end of the run; it may have no other free.
	farewell := time.NewTimer(r.farewell)
	defer farewell.Stop()
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-farewell.C:
	case <-r.ctx.Done():
		return
	}
	r.mu.Lock()
	there := r.ready
	r.ready = nil
	r.mu.Unlock()
	if there == nil {
		var err error
		if there, err = r.dialer.DialContext(r.ctx, "tcp", r.address); err != nil {
			// rsync shall take it for a broken connection. After an ordinary end
			// it says that the daemon did not greet it, as if it had refused.
			_ = here.SetLinger(0)
			return
		}
	}
	defer there.Close()
	if !r.use(here, there) {
		return
	}
	defer r.unuse(here, there)
	var carrying sync.WaitGroup
	carrying.Go(func() { carry(there.(*net.TCPConn), here) })
	carrying.Go(func() { carry(here, there.(*net.TCPConn)) })
	carrying.Wait()
}

func (r *Relay) use(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range conns {
		r.open[conn] = true
	}
	return !r.over
}

func (r *Relay) unuse(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range conns {
		delete(r.open, conn)
	}
}

// carry copies one direction to its end. An error ends both.
func carry(to, from *net.TCPConn) {
	buf := make([]byte, 64<<10)
	for {
		acknowledgeAtOnce(from)
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				from.Close()
				return
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = to.CloseWrite() // the other direction ends by itself
			return
		case err != nil:
			to.Close()
			return
		}
	}
}
