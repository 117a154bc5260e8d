package marks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/remotetest"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
)

// Where sftp sees what rsync does, marks are read by it, and the own one is renewed only
// when it is old, or not as it should be: a look costs no run of rsync then.
func TestLooksWithoutRsync(t *testing.T) {
	sshd := remotetest.StartSSHD(t, remotetest.SSHDOptions{})
	bin, runs := t.TempDir(), filepath.Join(t.TempDir(), "runs")
	sshd.Wrapper(bin, "backup")
	remotetest.WriteScript(t, filepath.Join(bin, "rsync"), `PATH=`+os.Getenv("PATH")+`
echo run >>`+runs+`
PATH=`+bin+`/ssh-only:$PATH exec rsync "$@"`)
	check(t, os.Mkdir(filepath.Join(bin, "ssh-only"), 0o700))
	check(t, os.Symlink(filepath.Join(bin, "ssh"), filepath.Join(bin, "ssh-only", "ssh")))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	run, err := os.MkdirTemp("", "ws") // the path of a socket is short
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(run) })
	pool, err := ssh.NewPool(run)
	check(t, err)
	t.Cleanup(pool.Close)
	above := t.TempDir()
	r := config.Remote{Name: "r", ID: "0a", RemotePath: filepath.Join(above, "dst"), Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "backup"}}}
	connection := pool.Connection(ssh.HostOf(r))
	name := "w"
	m := New(Options{Log: zap.NewNop(), Scratch: t.TempDir(), Connection: connection, Workspace: func() string { return name },
		Environment: func() []string { return rsync.Environment("") }})
	check(t, connection.Ensure(t.Context(), rsync.Environment("")))
	endpoint := rsync.Endpoint{Remote: r, SSH: connection.Command(), Strategy: rsync.Strategy{Mkpath: true}}
	count := func() int {
		data, err := os.ReadFile(runs)
		check(t, err)
		return strings.Count(string(data), "run")
	}

	for range 3 {
		if met := m.Look(t.Context(), endpoint, true, nil); met != nil {
			t.Fatalf("%+v", met)
		}
	}
	if n := count(); n != 1 {
		t.Errorf("%d runs of rsync for three looks, expected the one that left the mark", n)
	}
	before := count()
	name = "renamed"
	m.Look(t.Context(), endpoint, true, nil)
	data, err := os.ReadFile(filepath.Join(r.RemotePath, config.MarkPrefix+r.ID))
	check(t, err)
	if !strings.Contains(string(data), "renamed") || count() != before+1 {
		t.Errorf("%d runs, and %s", count()-before, data)
	}

	// Another mirror comes, above this one.
	other := New(Options{Log: zap.NewNop(), Scratch: t.TempDir(), Directory: "/elsewhere", Environment: func() []string { return rsync.Environment("") }})
	otherRemote := config.Remote{Name: "o", ID: "0b", RemotePath: above, Connection: config.Connection{Local: &config.Local{}}}
	other.Look(t.Context(), rsync.Endpoint{Remote: otherRemote}, true, nil)
	met := m.Look(t.Context(), endpoint, true, nil)
	if met == nil || len(met.IDs) != 1 || met.IDs[0] != "0b" || met.Place != above {
		t.Fatalf("%+v", met)
	}
	if m.Look(t.Context(), endpoint, true, met.IDs) != nil || m.Look(t.Context(), endpoint, true, nil) != nil {
		t.Error("it is met again")
	}

	// Somebody has taken the own mark away.
	check(t, os.Remove(filepath.Join(r.RemotePath, config.MarkPrefix+r.ID)))
	m.Look(t.Context(), endpoint, true, nil)
	if _, err := os.Stat(filepath.Join(r.RemotePath, config.MarkPrefix+r.ID)); err != nil {
		t.Error(err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	remotetest.Check(t, err)
}
