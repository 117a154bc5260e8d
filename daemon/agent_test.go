package daemon

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestFirstAgent: a daemon that is started again finds the agent that a client brought along.
func TestFirstAgent(t *testing.T) {
	d := startDaemon(t)
	if got := firstAgent(d.settings); got != "" {
		t.Errorf("the agent is %q before there is one", got)
	}
	path := filepath.Join(d.home, "agent")
	socket, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	d.rememberAgent(agentPath(d.settings), path)
	if got := firstAgent(d.settings); got != path {
		t.Errorf("the agent is %q", got)
	}
	t.Setenv("SSH_AUTH_SOCK", "/own")
	if got := firstAgent(d.settings); got != "/own" {
		t.Errorf("the agent is %q instead of that of the environment", got)
	}
	t.Setenv("SSH_AUTH_SOCK", "")
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if got := firstAgent(d.settings); got != "" {
			t.Errorf("somebody else's socket is taken for the agent: %q", got)
		}
		if err := os.Chown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	socket.Close()
	if got := firstAgent(d.settings); got != "" {
		t.Errorf("the agent is %q though it is gone", got)
	}
}
