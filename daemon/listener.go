package daemon

import (
	"net"
	"os"
	"sync"

	"go.uber.org/zap"
)

// maxConnections is how many clients are served at once. More wait in the kernel's queue
// until one of them leaves.
const maxConnections = 1000

// listener accepts the connections of the daemon's own user, and of root. Others cannot
// open the socket, unless somebody has changed its mode. Its methods may be called from any
// goroutine.
type listener struct {
	net.Listener
	log *zap.Logger
	// anybody: connections of others are accepted, too.
	anybody bool
	free    chan struct{} // has a value for each connection that is open
	closed  chan struct{}
	close   sync.Once
}

func newListener(l net.Listener, log *zap.Logger, most int) *listener {
	return &listener{Listener: l, log: log, free: make(chan struct{}, most), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			<-l.free
			return nil, err
		}
		if l.anybody {
			return &connection{Conn: conn, free: l.free}, nil
		}
		switch uid, err := peer(conn); {
		case err != nil:
			l.log.Warn("It is not known whose connection this is: it is closed", zap.Error(err))
		case uid != 0 && uid != os.Geteuid():
			l.log.Warn("A connection of another user is closed", zap.Int("uid", uid))
		default:
			return &connection{Conn: conn, free: l.free}, nil
		}
		conn.Close()
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// connection makes room for another one when it is closed.
type connection struct {
	net.Conn
	free  chan struct{}
	close sync.Once
}

// Close implements net.Conn.
func (c *connection) Close() error {
	defer c.close.Do(func() { <-c.free })
	return c.Conn.Close()
}
