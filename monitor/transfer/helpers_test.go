package transfer

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/links"
	"wsync/monitor/relpath"
	"wsync/monitor/remote"
	"wsync/monitor/remotetest"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
	"wsync/monitor/walk"
	"wsync/monitor/watch"
)

func TestMain(m *testing.M) {
	remotetest.Prepare()
	os.Exit(m.Run())
}

var (
	check, poll   = remotetest.Check, remotetest.Poll
	newDir, write = remotetest.NewDir, remotetest.Write
	exists        = remotetest.Exists
)

const (
	made    = watch.Entry | watch.Content
	madeDir = watch.Entry | watch.Content | watch.Tree
)

// asker is asked by a transfer when nothing else happens.
type asker struct {
	root      func() string         // nil for a root that is there
	onlyRsync func()                // nil for nothing
	silent    bool                  // the watcher does not answer
	progress  func(remote.Progress) // nil for nothing
	announced string                // what has been marked since the batch was taken
	alone     bool                  // and not what is in it
}

func (a *asker) Root() string {
	if a.root != nil {
		return a.root()
	}
	return ""
}

func (a *asker) OnlyRsync(bool) {
	if a.onlyRsync != nil {
		a.onlyRsync()
	}
}

func (a *asker) Progress(p remote.Progress) {
	if a.progress != nil {
		a.progress(p)
	}
}
func (*asker) Adopted()                    {}
func (a *asker) Told(context.Context) bool { return !a.silent }
func (a *asker) Announced(_ context.Context, path string) bool {
	return a.announced != "" && (path == a.announced || !a.alone && relpath.Within(path, a.announced))
}
func (*asker) Calm() remote.Calm { return remote.Calm{Settled: true, Quiet: true} }

// localLane is a lane to an empty directory of this machine, that knows its remote.
func localLane(t testing.TB) (*Lane, config.Remote) {
	t.Helper()
	r := config.Remote{Name: "r", RemotePath: t.TempDir(), Connection: config.Connection{Local: &config.Local{}}}
	return firstPass(t, newLane(t, nil, t.TempDir()), r), r
}

// sshLane is a lane to an empty directory behind a real sshd, that knows its
// remote.
func sshLane(t testing.TB) (*Lane, config.Remote) {
	t.Helper()
	return laneTo(t, remotetest.StartSSHD(t, remotetest.SSHDOptions{}))
}

// laneTo is sshLane to an sshd that is there.
func laneTo(t testing.TB, sshd *remotetest.SSHD) (*Lane, config.Remote) {
	t.Helper()
	bin := t.TempDir()
	sshd.Wrapper(bin, "backup")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	run, err := os.MkdirTemp("", "ws") // the path of a socket is short
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(run) })
	pool, err := ssh.NewPool(run)
	check(t, err)
	t.Cleanup(pool.Close)
	r := config.Remote{Name: "r", RemotePath: t.TempDir(), Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "backup"}}}
	return firstPass(t, newLane(t, pool.Connection(ssh.HostOf(r)), run), r), r
}

// newLane is a lane of an empty workspace.
func newLane(t testing.TB, connection *ssh.Connection, scratch string) *Lane {
	t.Helper()
	root := t.TempDir()
	l := New(Options{
		Log: zap.NewNop(), Root: root, Local: localVersion(t), Connection: connection, Scratch: scratch,
		Environment: func() []string { return rsync.Environment("") },
		Files:       direct.NewFiles(root, lastMark.Load),
		Links:       links.New(walk.Tree{Root: root}, func(string) bool { return false }, func([]links.Marks, links.Answer) {}),
		Tools:       guard.NewTools(root),
		Exclude:     noRules(t, root),
	})
	t.Cleanup(l.Close)
	return l
}

// localVersion is LocalVersion of this machine's own rsync.
func localVersion(t testing.TB) rsync.Version {
	t.Helper()
	version, err := askVersion()
	check(t, err)
	return version
}

var askVersion = sync.OnceValues(func() (rsync.Version, error) { return rsync.LocalVersion(context.Background()) })

// machineRsync is the rsync that the tests started with.
var machineRsync, _ = exec.LookPath("rsync")

// ownRsync reports whether no test has put something in its place.
func ownRsync() bool {
	path, err := exec.LookPath("rsync")
	return err == nil && path == machineRsync
}

// probed is what a probe finds out about a directory that newDir makes, but for the
// direct lane.
func probed(t testing.TB) *knowledge {
	t.Helper()
	probeOnce.Do(func() {
		l := newLane(t, nil, newDir(t))
		endpoint := rsync.Endpoint{Remote: localRemote("probed", newDir(t))}
		probeFound, probeErr = l.probe(context.Background(), endpoint, l.guess(context.Background(), &endpoint))
	})
	check(t, probeErr)
	known := *probeFound
	known.direct = nil
	return &known
}

var (
	probeOnce  sync.Once
	probeFound *knowledge
	probeErr   error
)

// firstPass makes the lane know its remote.
func firstPass(t testing.TB, l *Lane, r config.Remote) *Lane {
	t.Helper()
	order := orderOf(r)
	order.Batch = dirty.Batch{Everything: &dirty.Entry{Change: watch.Tree}}
	succeed(t, l.Transfer(context.Background(), order, new(asker)))
	if !l.Direct() {
		t.Fatal("no direct lane: ", l.known.Load().notes)
	}
	return l
}

// lastMark numbers the marks of all workspaces.
var lastMark atomic.Uint64

// orderOf is what a worker would order for these entries, which have just changed.
func orderOf(r config.Remote, entries ...*dirty.Entry) remote.Order {
	return remote.Order{
		Batch: dirty.Batch{Entries: entries}, Remote: r, Room: 1 << 20, Mark: lastMark.Add(1),
		Limits: guard.Limits{Share: 0.5, Count: 100},
	}
}

// entryOf is a path that was made or changed.
func entryOf(path string) *dirty.Entry {
	return &dirty.Entry{Path: path, Change: made, Seq: 1}
}

// put makes files below root, with contents that name them, for whoever runs the
// test.
func put(t *testing.T, root string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(root, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte("content of "+name), 0o644))
	}
}

// succeed ends the test if a transfer has failed.
func succeed(t testing.TB, out remote.Outcome) {
	t.Helper()
	if out.Failure != nil {
		t.Fatalf("%+v", *out.Failure)
	}
}

// noRules are the rules of a workspace that has none.
func noRules(t testing.TB, root string) *exclude.Live {
	t.Helper()
	return exclude.NewLive(root, config.Workspace{NoDefaultIgnores: true})
}
