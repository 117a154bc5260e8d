package marks

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/remotetest"
	"wsync/monitor/rsync"
)

// A mark that is on its way when nobody wants it any more is removed like the others:
// it may have arrived.
func TestLeaveWhatWasOnItsWay(t *testing.T) {
	bin, dst := t.TempDir(), t.TempDir()
	daemon := remotetest.StartRsyncDaemon(t, map[string]string{"mod": dst}, remotetest.RsyncDaemonOptions{})
	sent, end := filepath.Join(bin, "sent"), filepath.Join(bin, "end")
	remotetest.WriteScript(t, filepath.Join(bin, "rsync"), `PATH=`+os.Getenv("PATH")+`
rsync "$@"
code=$?
: >`+sent+`
until test -e `+end+`; do sleep 0.01; done
exit $code`)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))

	m := New(Options{Log: zap.NewNop(), Scratch: t.TempDir(), Environment: func() []string { return rsync.Environment("") }})
	r := config.Remote{Name: "r", ID: "0a", RemotePath: "mod", Connection: config.Connection{RsyncDaemon: &config.RsyncDaemon{Host: "127.0.0.1", Port: daemon.Port}}}
	endpoint := rsync.Endpoint{Remote: r}
	ctx, cancel := context.WithCancel(t.Context())
	looked := make(chan struct{})
	go func() {
		m.Look(ctx, endpoint, true, nil)
		close(looked)
	}()
	isThere := func(path string) bool { _, err := os.Lstat(path); return err == nil }
	remotetest.Poll(t, "the mark to arrive", func() bool { return isThere(sent) })
	mark := filepath.Join(dst, config.MarkPrefix+r.ID)
	if !isThere(mark) {
		t.Fatal("it has not")
	}
	cancel()
	if err := os.WriteFile(end, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	<-looked
	m.Remove(t.Context(), endpoint, m.Take())
	if isThere(mark) {
		t.Error("it stays")
	}
}
