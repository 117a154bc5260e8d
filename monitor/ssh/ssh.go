// Package ssh keeps one shared connection per remote host (ssh's ControlMaster)
// and knows the options with which ssh runs without anybody to ask.
package ssh

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"wsync/config"
	"wsync/monitor/child"
	"wsync/monitor/sftp"
)

// maxSocketPath is the longest path of a unix socket in bytes that works
// everywhere; ssh adds a suffix of 17 while it makes one.
const maxSocketPath = 103 - 17

// Host identifies a connection: remotes with equal Hosts share one.
type Host struct {
	Name         string
	Port         int
	User         string
	IdentityFile string
	// Options are config.Remote.SSHOptions, separated by spaces.
	Options string
}

// HostOf returns the host of a remote that is reached by ssh.
func HostOf(r config.Remote) Host {
	c, options := r.Connection, strings.Join(r.SSHOptions, " ")
	if c.HostAlias != nil {
		return Host{Name: c.HostAlias.HostAlias, Options: options}
	}
	return Host{Name: c.SSH.Host, Port: c.SSH.Port, User: c.SSH.Username, IdentityFile: c.SSH.IdentityFile, Options: options}
}

// Options are the arguments that reach h without asking anybody anything, and
// that notice a dead link within 15 seconds, unless h has other options for it. The user's configuration decides
// all the rest.
func Options(h Host) []string {
	var args []string
	for option := range strings.FieldsSeq(h.Options) {
		args = append(args, "-o", option) // the first of a name counts
	}
	args = append(args,
		"-o", "BatchMode=yes",
		"-o", "ConnectTimeout=10",
		"-o", "ServerAliveInterval=5",
		"-o", "ServerAliveCountMax=2",
		"-o", "ForwardX11=no",
		"-o", "ForwardAgent=no",
		"-o", "ClearAllForwardings=yes",
		"-o", "PermitLocalCommand=no",
		"-o", "RemoteCommand=none",
		"-o", "RequestTTY=no",
	)
	if h.Port != 0 {
		args = append(args, "-p", strconv.Itoa(h.Port))
	}
	if h.User != "" {
		args = append(args, "-l", h.User)
	}
	if h.IdentityFile != "" {
		args = append(args, "-i", h.IdentityFile)
	}
	return args
}

// Pool holds the connections of a monitor. Its methods may be called from any
// goroutine.
type Pool struct {
	dir    string
	logins string // see LimitLogins; "" for no limit

	mu          sync.Mutex
	connections map[Host]*Connection // guarded by mu
}

// NewPool returns a pool whose sockets are in a directory of its own, below dir
// if the paths are short enough there. The directory is emptied first: sockets
// that a killed monitor left are of no use.
func NewPool(dir string) (*Pool, error) {
	own := filepath.Join(dir, "ssh")
	if len(own)+len("/0123456789ab") > maxSocketPath {
		sum := sha256.Sum256([]byte(dir))
		own = filepath.Join(os.TempDir(), fmt.Sprintf("wsync-%d-%s", os.Getuid(), hex.EncodeToString(sum[:6])))
	}
	if err := os.RemoveAll(own); err != nil {
		return nil, fmt.Errorf("cannot clear ssh's sockets: %w", err)
	}
	// Mkdir, not MkdirAll: it fails if somebody else made the directory.
	if err := os.Mkdir(own, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make a directory for ssh's sockets: %w", err)
	}
	return &Pool{dir: own, connections: make(map[Host]*Connection)}, nil
}

// Close ends all connections.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.connections {
		c.close()
	}
	os.RemoveAll(p.dir)
}

// Connection returns the shared connection to h, which need not exist yet. It is
// given back by Release.
func (p *Pool) Connection(h Host) *Connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.connections[h]
	if !ok {
		sum := sha256.Sum256(fmt.Appendf(nil, "%#v", h))
		c = &Connection{host: h, logins: p.logins, socket: filepath.Join(p.dir, hex.EncodeToString(sum[:6])), sessions: make(chan struct{}, maxSessions), spare: make(chan struct{}, 1)}
		p.connections[h] = c
	}
	c.users++
	return c
}

// Release gives back what Connection has returned, and ends the connection when
// nobody has it any more.
func (p *Pool) Release(c *Connection) {
	p.mu.Lock() // until it has ended: the next one has the same socket
	defer p.mu.Unlock()
	if c.users--; c.users == 0 {
		delete(p.connections, c.host)
		c.close()
	}
}

// maxSessions is how many commands run at once on one connection: sshd allows 10
// sessions (MaxSessions of sshd_config(5)), of which one is SFTP's, and one the spare one.
const maxSessions = 8

// Connection is a connection to a host that several ssh commands share. Its
// methods may be called from any goroutine.
type Connection struct {
	host     Host
	logins   string // the pool's
	socket   string
	sessions chan struct{} // holds a token per command that runs
	spare    chan struct{} // holds a token while the spare session is used
	users    int           // who have it from the pool; guarded by the pool's mu

	mu     sync.Mutex         // held while connecting
	cancel context.CancelFunc // ends the master; nil without one; guarded by mu
	exited chan struct{}      // closed when the master is gone; guarded by mu
	// alone: the host does not share connections; guarded by mu.
	alone bool

	sessionMu sync.Mutex   // held while a session begins; not together with mu
	session   *sftp.Client // nil without one; guarded by sessionMu
}

// Command is the ssh command line, without the host, that uses the shared
// connection if there is one, and makes its own otherwise.
func (c *Connection) Command() []string {
	args := append([]string{"ssh"}, Options(c.host)...)
	return append(args, "-o", "ControlMaster=no", "-S", c.socket)
}

// Host is the host's name for ssh.
func (c *Connection) Host() string { return c.host.Name }

// Acquire waits until one more command may run, and returns the function that says
// that it has ended.
func (c *Connection) Acquire(ctx context.Context) (release func(), err error) {
	select {
	case c.sessions <- struct{}{}:
		return func() { <-c.sessions }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// AcquireSpare is Acquire for what may take long, and must keep nothing that is sent
// waiting: one such command runs at a time.
func (c *Connection) AcquireSpare(ctx context.Context) (release func(), err error) {
	select {
	case c.spare <- struct{}{}:
		return func() { <-c.spare }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// loginTime is how long a login may take, and the begin of a session. ssh itself
// gives up only while it connects, and when it is through; in between it would
// wait for ever for a host that falls silent.
const loginTime = 30 * time.Second

// ConnectError is that ssh could not connect, in its own words.
type ConnectError struct{ Stderr string }

func (e *ConnectError) Error() string { return strings.TrimSpace(e.Stderr) }

// Ensure makes the shared connection unless it is there. It returns a
// *ConnectError when ssh gave up. Where connections cannot be shared it returns
// nil, and each command makes a connection of its own.
func (c *Connection) Ensure(ctx context.Context, env []string) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alone || c.up() {
		return nil
	}
	over, err := turn(ctx, c.logins, c.host)
	if err != nil {
		return err
	}
	defer func() { over(err == nil) }()
	os.Remove(c.socket)
	// The master lives as long as the monitor, not as this call.
	life, cancel := context.WithCancel(context.Background())
	args := append(Options(c.host), "-o", "ControlMaster=yes", "-o", "ControlPersist=no", "-S", c.socket, "-N", "-T", "--", c.host.Name)
	cmd := exec.CommandContext(life, "ssh", args...)
	cmd.Env = env
	child.Prepare(cmd)
	var stderr child.Tail
	cmd.Stderr = &stderr
	if err := child.Start(cmd); err != nil {
		cancel()
		return fmt.Errorf("cannot run ssh: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait()
		close(exited)
	}()
	c.cancel, c.exited = cancel, exited
	ticker := time.NewTicker(3 * time.Millisecond)
	defer ticker.Stop()
	tooLong := time.NewTimer(loginTime)
	defer tooLong.Stop()
	for {
		select {
		case <-ctx.Done():
			c.end()
			return ctx.Err()
		case <-tooLong.C:
			c.end()
			return &ConnectError{Stderr: fmt.Sprintf("the login takes more than %v", loginTime)}
		case <-exited:
			cancel()
			c.cancel = nil
			said := stderr.String()
			if strings.Contains(said, "ControlSocket") || strings.Contains(said, "ControlPath") || strings.Contains(said, "unix_listener") {
				// The connection was fine, sharing it was not.
				c.alone = true
				return nil
			}
			if strings.TrimSpace(said) == "" {
				said = "ssh ended without a word"
			}
			return &ConnectError{Stderr: said}
		case <-ticker.C:
			if _, err := os.Lstat(c.socket); err == nil {
				return nil
			} else if !errors.Is(err, os.ErrNotExist) {
				c.end()
				return fmt.Errorf("cannot find ssh's socket: %w", err)
			}
		}
	}
}

// up reports whether the master runs. The caller holds mu.
func (c *Connection) up() bool {
	if c.cancel == nil {
		return false
	}
	select {
	case <-c.exited:
		c.cancel()
		c.cancel = nil
		return false
	default:
		return true
	}
}

// Reset ends the shared connection: the next Ensure makes a new one. It is
// called when the connection is suspected to be dead, or details changed.
func (c *Connection) Reset() {
	c.EndSFTP()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alone = false
	c.end()
}

// end ends the master, and with it all that goes through it, and waits for it.
// The caller holds mu.
func (c *Connection) end() {
	if c.cancel != nil {
		c.cancel()
		<-c.exited
		c.cancel = nil
	}
}

func (c *Connection) close() {
	c.EndSFTP()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
}
