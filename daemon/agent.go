package daemon

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/daemon/api"
)

// useAuthSock takes over the client's ssh agent if it answers: with a command
// that changes something always, and with any other when the agent that is
// known is gone.
func (d *Daemon) useAuthSock(r *http.Request) {
	offered := r.Header.Get(api.AuthSockHeader)
	if offered == "" {
		return
	}
	var current string
	d.lock.Do(func() { current = d.authSock })
	asks := r.Method == http.MethodGet || r.URL.Path == api.WaitPath
	if current == offered || !answers(offered) || asks && answers(current) {
		return
	}
	var path string
	d.lock.Do(func() {
		path = agentPath(d.settings)
		d.authSock = offered
		for _, e := range d.entries {
			d.apply(e)
		}
	})
	d.rememberAgent(path, offered)
}

// answers reports whether somebody listens on the socket at path.
func answers(path string) bool {
	if path == "" {
		return false
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// agentPath is the file that has the socket of the ssh agent that a client brought along
// last: a daemon that is started again by a service manager has no other way to it.
func agentPath(s config.Settings) string { return filepath.Join(s.RunDirectory(), "ssh-agent") }

// rememberAgent writes it.
func (d *Daemon) rememberAgent(path, socket string) {
	if err := os.WriteFile(path, []byte(socket+"\n"), 0o600); err != nil {
		d.log.Warn("Cannot remember the ssh agent", zap.Error(err))
	}
}

// firstAgent is the socket of the ssh agent with which a daemon begins: that of its
// environment or, without one, that which was known before, if it still is this user's and
// answers.
func firstAgent(s config.Settings) string {
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" {
		return socket
	}
	content, err := os.ReadFile(agentPath(s))
	if err != nil {
		return ""
	}
	socket := strings.TrimSpace(string(content))
	// Where agents have their sockets, anybody may make one.
	info, err := os.Stat(socket)
	if err != nil {
		return ""
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Geteuid() || !answers(socket) {
		return ""
	}
	return socket
}
