package sftp

import (
	"testing"

	"wsync/monitor/remotetest"
)

// start begins a session with a server that argv runs. When the test ends, so
// does the session, and the server must end by itself.
func start(t testing.TB, argv ...string) (*Client, *remotetest.Child) {
	t.Helper()
	server := remotetest.StartChild(t, argv...)
	client, err := NewClient(server.Out, server.In, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, server
}
