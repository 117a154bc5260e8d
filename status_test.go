package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"wsync/client"
)

// Who asks right after a change is not told that all is in sync unless the
// change is there.
func TestStatusKnowsTheLastChange(t *testing.T) {
	u := startUser(t)
	source, remote := filepath.Join(u.home, "source"), filepath.Join(u.home, "remote")
	if err := os.Mkdir(source, 0o755); err != nil {
		t.Fatal(err)
	}
	u.wsync("add", "docs", source)
	u.wsync(append([]string{"attach", "docs", "remote"}, u.destination("ssh", remote)...)...)
	u.wsync("wait", "docs")
	daemon := client.Client{Socket: filepath.Join(u.home, ".wsync", "daemon.sock")}
	behind := 0
	for i := range 100 {
		content := strconv.Itoa(i)
		if err := os.WriteFile(filepath.Join(source, "f"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		status, err := daemon.Status(t.Context(), "docs", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(filepath.Join(remote, "f"))
		switch state := status.Workspaces[0].Remotes[0].State; {
		case !state.InSync():
			behind++
		case string(got) != content:
			t.Errorf("change %d: %s, and the remote has %q", i, state, got)
		}
	}
	t.Logf("%d of 100 were seen on their way", behind)
}
