package monitor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/links"
	"wsync/monitor/remote"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
	"wsync/monitor/watch"
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

// sshLane is a lane to an empty directory behind a real sshd, that knows its
// remote.
func sshLane(t testing.TB) (*lane, config.Remote) {
	t.Helper()
	return laneTo(t, remotetest.StartSSHD(t, remotetest.SSHDOptions{}))
}

// laneTo is sshLane to an sshd that is there.
func laneTo(t testing.TB, sshd *remotetest.SSHD) (*lane, config.Remote) {
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
	version, err := rsync.LocalVersion(context.Background())
	check(t, err)
	remote := config.Remote{Name: "r", RemotePath: t.TempDir(), Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "backup"}}}
	l := &lane{
		log: zap.NewNop(), root: t.TempDir(), local: version, scratch: run,
		environment: func() []string { return rsync.Environment("") },
		connection:  pool.Connection(ssh.HostOf(remote.Connection)),
		files:       direct.NewFiles(func() uint64 { return 1 }),
	}
	l.links = links.New(l.root, exclude.Rules{}, func([]links.Marks, links.Answer) {})
	l.tools = guard.NewTools(l.root)
	t.Cleanup(l.close)
	req := request{batch: dirty.Batch{Everything: &dirty.Entry{Change: watch.Tree}}, remote: remote, limits: guard.Limits{Share: 0.5, Count: 100}}
	check(t, l.transfer(context.Background(), req, func(rsync.Progress) {}).err)
	if l.directly() == nil {
		t.Fatal("no direct lane: ", l.known.Load().notes)
	}
	return l, remote
}

// changesOf asks a lane for what a worker would ask it for, for these entries.
func changesOf(remote config.Remote, entries ...*dirty.Entry) request {
	return request{
		batch: dirty.Batch{Entries: entries}, remote: remote, bounds: small,
		limits: guard.Limits{Share: 0.5, Count: 100}, settled: func() calm { return calm{true, true} }, root: func() string { return "" },
	}
}

// bench is a lane with a worker that a test drives by hand, batch by batch.
type bench struct {
	*worker
	t        *testing.T
	src, dst string
	now      time.Time
	seq      uint64
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, src: newDir(t), dst: newDir(t), now: time.Now()}
	version, err := rsync.LocalVersion(t.Context())
	check(t, err)
	l := &lane{log: zap.NewNop(), root: b.src, local: version, environment: func() []string { return rsync.Environment("") }, scratch: newDir(t), files: direct.NewFiles(func() uint64 { return b.seq }), tools: guard.NewTools(b.src)}
	b.worker = &worker{
		gitLocks: make(gitLocks),
		log:      zap.NewNop(), lane: l, stamp: filepath.Join(newDir(t), "stamp"), guard: func(uint64) string { return "" }, nextSeq: func() uint64 { return 1 }, lastSeq: func() uint64 { return b.seq }, afterEvents: func(do func()) { do() }, changed: func(bool) {},
		wake: make(chan struct{}, 1), remote: localRemote("r", b.dst), set: dirty.NewSet(), confirmations: remote.NewConfirmations(), passes: remote.Passes{Interval: time.Hour},
		limits: guard.Limits{Share: 0.5, Count: 100}, adopted: true, everArmed: true,
	}
	l.links = links.New(b.src, exclude.Rules{}, func(found []links.Marks, _ links.Answer) {
		for _, f := range found {
			b.markNames(f, b.now)
		}
	})
	l.links.Seen = l.tools.Look
	return b
}

// change marks paths, long enough ago that they are ripe and settled.
func (b *bench) change(change watch.Change, paths ...string) {
	for _, p := range paths {
		b.seq++
		b.mark(p, change, b.seq, b.now)
		others, _ := b.lane.links.Notice(p, b.seq, b.now)
		for _, other := range others {
			b.mark(other, watch.Content, b.seq, b.now)
		}
	}
}

// moved renames a path, which is not repeated on the remote.
func (b *bench) moved(from, to string, change watch.Change) {
	b.seq++
	b.markMoved(from, to, change, false, b.seq, b.now)
}

// settings are those that the worker has.
func (b *bench) settings() report.Settings {
	return report.Settings{FullPassInterval: b.passes.Interval, HoldDeletionsShare: b.limits.Share, HoldDeletionsCount: b.limits.Count}
}

// held is what the user sees of the hold when no wait is waited for, nil for nothing.
func (b *bench) held() *report.Held {
	for range 3 { // what is back is found first
		b.lookAtHold(b.now.Add(time.Hour))
	}
	return b.status(b.now).Held
}

// approve lets go what is held, as the user does.
func (b *bench) approve() {
	orders := b.orders
	orders.Approve = b.held().ID
	b.seq++
	b.define(b.remote, false, b.settings(), orders, 0, b.seq, b.now)
}

// search answers the questions about names that nobody knows.
func (b *bench) search() {
	b.lane.links.Recheck()
	if _, _, open := b.lane.links.Oldest(); open > 0 {
		b.lane.links.Scan(b.t.Context())
	}
}

// transfer transfers what is ripe in an hour, so that no wait is waited for.
func (b *bench) transfer() {
	b.t.Helper()
	b.now = b.now.Add(time.Hour)
	b.mu.Lock()
	b.begin(context.Background(), b.now) // unlocks
}

// pass makes a full pass.
func (b *bench) pass() {
	b.t.Helper()
	b.seq++
	b.markEverything(remote.PassVerify, b.seq, b.now, b.now)
	b.transfer()
}

// drain transfers until nothing is dirty, or what is dirty does not get less.
func (b *bench) drain() {
	b.t.Helper()
	for range 5 {
		b.search()
		if b.set.Len() == 0 && !b.set.Everything() {
			return
		}
		b.transfer()
	}
}

// proven checks that what is not dirty is equal.
func (b *bench) proven() {
	b.t.Helper()
	if b.set.Len() > 0 || b.set.Everything() || b.hold != nil {
		b.t.Errorf("%d paths are dirty, everything %v, hold %+v, failure %v", b.set.Len(), b.set.Everything(), b.hold, b.failure.err)
		for _, e := range b.set.Failing() {
			b.t.Logf("%+v", *e)
		}
	}
	for _, difference := range remotetest.CompareTrees(b.src, b.dst) {
		b.t.Error(difference)
	}
}

func failing(b *bench) string {
	var all []string
	for _, e := range b.set.Failing() {
		all = append(all, e.Path)
	}
	return strings.Join(all, " ")
}
