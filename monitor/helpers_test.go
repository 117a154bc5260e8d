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

// nobody is the user of the tests about permissions when root runs them.
const nobody = remotetest.Nobody

var (
	check, poll             = remotetest.Check, remotetest.Poll
	beNobody, scriptedRsync = remotetest.BeNobody, remotetest.ScriptedRsync
	newDir, give, write     = remotetest.NewDir, remotetest.Give, remotetest.Write
	numbered, exists        = remotetest.Numbered, remotetest.Exists
)

// localRemote is a remote on this machine.
func localRemote(name, path string) config.Remote {
	return config.Remote{Name: name, RemotePath: path, Connection: config.Connection{Local: &config.Local{}}}
}
