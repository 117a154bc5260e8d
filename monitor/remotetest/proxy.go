package remotetest

import (
	"net"
	"sync"
	"time"
)

// Proxy is a line to a server that a test can make slow or dead. Its methods
// may be called from any goroutine.
type Proxy struct {
	// Port is where it listens on 127.0.0.1.
	Port int

	target   string
	listener net.Listener
	ended    chan struct{}
	all      sync.WaitGroup

	mu    sync.Mutex
	delay time.Duration
	rate  int // bytes a second, 0 for no limit
	cut   bool
	links map[*link]struct{}

	carried int64 // bytes
}

// A link is one connection through the proxy, from both sides.
type link struct {
	client, server net.Conn
	holed          bool // bytes were lost; Proxy.mu guards it
}

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

// chunk is what arrived at one moment, to be passed on at another.
type chunk struct {
	bytes []byte
	due   time.Time
}

// The bounds of a proxy. What exceeds them waits in the sockets.
const (
	maxLinks  = 128 // at a time; further connections are closed at once
	maxChunks = 256 // on their way, per direction of a link
	chunkSize = 32 << 10
	// queued bounds the bytes that the kernel keeps for a link whose rate is
	// limited.
	queued = 64 << 10
)

// StartProxy starts a proxy to a TCP address. It lets everything through until
// told otherwise.
func StartProxy(t T, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", address(0))
	if err != nil {
		t.Fatalf("cannot start a proxy: %v", err)
	}
	p := &Proxy{
		Port:     listener.Addr().(*net.TCPAddr).Port,
		target:   target,
		listener: listener,
		ended:    make(chan struct{}),
		links:    make(map[*link]struct{}),
	}
	p.all.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		close(p.ended)
		p.CloseAll()
		p.all.Wait()
	})
	return p
}

// SetDelay makes every byte that arrives from now on take d longer, each way: a
// round trip takes 2d.
func (p *Proxy) SetDelay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// SetRate lets so many bytes a second through, each way of each connection that is
// made from now on. As on a good line, only a few are queued.
func (p *Proxy) SetRate(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = bytes
}

// Carried returns how many bytes went through so far, in both directions.
func (p *Proxy) Carried() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.carried
}

// Cut makes the line dead: bytes vanish, and neither side is told.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
}

// Heal ends Cut. Connections that lost bytes are closed, because no network
// ever delivers a stream with a hole; the others go on as if nothing had been.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	for l := range p.links {
		if l.holed {
			l.close()
		}
	}
}

// CloseAll closes all connections, of which both sides are told. New ones are
// taken.
func (p *Proxy) CloseAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.serve(client) })
	}
}

// serve carries one connection until either side closes it.
func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", p.target, patience)
	if err != nil {
		return // to the client this looks like a refused connection, nearly
	}
	defer server.Close()
	l := &link{client: client, server: server}
	if !p.add(l) {
		return
	}
	defer p.remove(l)
	p.mu.Lock()
	rate := p.rate
	p.mu.Unlock()
	if rate > 0 {
		for _, c := range []net.Conn{client, server} {
			_ = c.(*net.TCPConn).SetReadBuffer(queued) // more only makes it slower
		}
	}
	var directions sync.WaitGroup
	directions.Go(func() { p.carry(l, client, server, rate) })
	directions.Go(func() { p.carry(l, server, client, rate) })
	directions.Wait()
}

// add takes a link on, unless the proxy is at its end or has enough of them.
func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ended:
		return false
	default:
	}
	if len(p.links) >= maxLinks {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// carry passes bytes on in one direction, so many a second, until an end of the
// link is closed. A side that only stops to write closes just this direction.
func (p *Proxy) carry(l *link, from, to net.Conn, rate int) {
	underway := make(chan chunk, maxChunks)
	var writer sync.WaitGroup
	writer.Go(func() {
		for c := range underway {
			p.waitUntil(c.due)
			if len(c.bytes) == 0 {
				_ = to.(*net.TCPConn).CloseWrite() // the other side may be gone
				continue
			}
			if _, err := to.Write(c.bytes); err != nil {
				l.close()
			}
		}
	})
	defer writer.Wait()
	defer close(underway)
	var free time.Time // when the line has carried all that was read
	for {
		buffer := make([]byte, chunkSize)
		n, err := from.Read(buffer)
		// The end of a stream is under way as long as its bytes, and lost
		// like them.
		if n > 0 {
			p.pass(l, underway, buffer[:n])
			if rate > 0 {
				free = later(free, time.Now()).Add(time.Duration(n) * time.Second / time.Duration(rate))
				p.waitUntil(free)
			}
		}
		if err != nil {
			p.pass(l, underway, nil)
			return
		}
	}
}

// pass sends bytes, or the end of the stream, on their way, or loses them.
func (p *Proxy) pass(l *link, underway chan<- chunk, bytes []byte) {
	p.mu.Lock()
	delay, cut := p.delay, p.cut
	if cut {
		l.holed = true
	} else {
		p.carried += int64(len(bytes))
	}
	p.mu.Unlock()
	if !cut {
		underway <- chunk{bytes: bytes, due: time.Now().Add(delay)}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// waitUntil returns at a moment, or when the proxy ends.
func (p *Proxy) waitUntil(due time.Time) {
	wait := time.Until(due)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ended:
	}
}
