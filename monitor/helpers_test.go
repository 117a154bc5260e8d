package monitor

import (
	"os"
	"testing"

	"wsync/config"
	"wsync/monitor/remotetest"
)

func TestMain(m *testing.M) {
	remotetest.Prepare()
	os.Exit(m.Run())
}

var (
	check, poll         = remotetest.Check, remotetest.Poll
	beNobody            = remotetest.BeNobody
	newDir, give, write = remotetest.NewDir, remotetest.Give, remotetest.Write
	numbered, exists    = remotetest.Numbered, remotetest.Exists
)

// localRemote is a remote on this machine.
func localRemote(name, path string) config.Remote {
	return config.Remote{Name: name, RemotePath: path, Connection: config.Connection{Local: &config.Local{}}}
}
