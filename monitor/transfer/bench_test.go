package transfer

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"math/rand/v2"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/links"
	"wsync/monitor/remote"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/walk"
	"wsync/monitor/watch"
)

// bench is a lane with the machine of its remote, which a test drives by hand, batch
// by batch.
type bench struct {
	records []remote.Record // of the transfers
	*remote.Machine
	t        *testing.T
	lane     *Lane
	src, dst string
	now      time.Time
	seq      uint64

	// What the machine is defined with, before anything happens and with each
	// transfer.
	remote config.Remote
	limits guard.Limits
	orders report.Orders
	// guard is asked about the root, and afterEvents for what the watcher has to
	// tell.
	guard       func() string
	afterEvents func(do func())
}

// localRemote is a remote on this machine.
func localRemote(name, path string) config.Remote {
	return config.Remote{Name: name, RemotePath: path, Connection: config.Connection{Local: &config.Local{}}}
}

var (
	beNobody, scriptedRsync = remotetest.BeNobody, remotetest.ScriptedRsync
	give, numbered          = remotetest.Give, remotetest.Numbered
)

// nobody is the user of the tests about permissions when root runs them.
const nobody = remotetest.Nobody

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, src: newDir(t), dst: newDir(t), now: time.Now(), limits: guard.Limits{Share: 0.5, Count: 100},
		guard: func() string { return "" }, afterEvents: func(do func()) { do() },
	}
	tools := guard.NewTools(b.src)
	rules := exclude.NewLive(b.src, config.Workspace{NoDefaultIgnores: true})
	index := links.New(walk.Tree{Root: b.src, Opens: rules.Opens}, func(string) bool { return false }, func(found []links.Marks, _ links.Answer) {
		for _, f := range found {
			b.MarkNames(f.Names, f.Seq, f.Since, b.now)
		}
	})
	index.Seen = tools.Look
	b.lane = New(Options{
		Log: zap.NewNop(), Root: b.src, Local: localVersion(t), Environment: func() []string { return rsync.Environment("") }, Scratch: newDir(t),
		Files: direct.NewFiles(b.src, func() uint64 { return b.seq }), Links: index, Tools: tools, Exclude: rules,
	})
	b.remote = localRemote("r", b.dst)
	b.Machine = remote.NewMachine(remote.Options{Random: rand.New(rand.NewPCG(1, 2)), Words: rsync.PathWords}, b.now)
	b.Arm()
	return b
}

// define has the machine take in what it is to be defined with.
func (b *bench) define() {
	b.seq++
	settings := report.Settings{FullPassInterval: 10000 * time.Hour, HoldDeletionsShare: b.limits.Share, HoldDeletionsCount: b.limits.Count}
	e := b.Define(remote.Definition{Remote: b.remote, Settings: settings, Orders: b.orders}, b.seq, b.now)
	if e.Reset {
		b.lane.Reset(e.ResetConnection)
	}
}

// change marks paths, long enough ago that they are ripe and settled.
func (b *bench) change(change watch.Change, paths ...string) {
	for _, p := range paths {
		b.seq++
		b.Mark(p, change, b.seq, b.now)
		others, _ := b.lane.links.Notice(p, b.seq, b.now)
		for _, other := range others {
			b.Mark(other, watch.Content, b.seq, b.now)
		}
	}
}

// moved renames a path, which is not repeated on the remote.
func (b *bench) moved(from, to string, change watch.Change) {
	b.seq++
	b.Moved(from, to, change, false, b.seq, b.now)
}

// held is what the user sees of the hold when no wait is waited for, nil for nothing.
func (b *bench) held() *report.Held {
	for range 3 { // what is back is found first
		b.lookAtHold(b.now.Add(time.Hour))
	}
	return b.Status(b.now).Held
}

// lookAtHold answers what the machine asks about what is held.
func (b *bench) lookAtHold(now time.Time) {
	look, ok := b.LookAtHold(now)
	switch {
	case !ok:
	case len(look.Back) == 0:
		b.Judged(look, look.Judge(b.lane.Workspace()), now)
	default:
		there := make(map[string]bool)
		for p := range look.Back {
			_ = filepath.WalkDir(filepath.Join(b.src, p), func(path string, e fs.DirEntry, _ error) error {
				if name, err := filepath.Rel(b.src, path); e != nil && err == nil {
					there[name] = e.IsDir()
				}
				return nil
			})
		}
		b.Returned(look, there, now)
	}
}

// approve lets go what is held, as the user does.
func (b *bench) approve() {
	b.orders.Approve = b.held().ID
	b.define()
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
	b.begin(b.now)
}

// begin transfers what is ripe at a time.
func (b *bench) begin(now time.Time) {
	b.define()
	s := b.Send(noRepositories{}, b.seq, b.lane.Beside(), now)
	if s == nil {
		return
	}
	out, began := remote.Outcome{Failure: &remote.Failure{Kind: remote.Canceled}}, time.Now()
	if b.guard() == "" {
		b.acquaint()
		out = b.lane.Transfer(b.t.Context(), s.Order, benchAsker{b, s, now, began})
	}
	b.records = append(b.records, out.Record)
	b.afterEvents(b.End(s, out, nil, now.Add(time.Since(began))).Marked)
}

// acquaint tells the lane what a probe finds out about a destination as newBench makes
// it, if the rsync is this machine's own: the probe has tests of its own.
func (b *bench) acquaint() {
	if b.lane.known.Load() != nil || b.remote.RemotePath != b.dst || !exists(b.dst) || !ownRsync() {
		return
	}
	known := probed(b.t)
	known.direct, _ = b.lane.openDirect(b.t.Context(), b.remote, "")
	if known.direct != nil {
		known.direct.SetCapabilities(known.strategy.Capabilities)
	}
	b.lane.known.Store(known)
}

// noRepositories are those of a workspace without any.
type noRepositories struct{}

func (noRepositories) IsRepository(string) bool { return false }
func (noRepositories) Locked(string) bool       { return false }

// benchAsker answers for the machine; it implements remote.Asker.
type benchAsker struct {
	b            *bench
	s            *remote.Sending
	taken, began time.Time
}

func (a benchAsker) Root() string { return a.b.guard() }
func (a benchAsker) Adopted()     { a.b.Adopted() }
func (a benchAsker) Told(context.Context) bool {
	told := false
	a.b.afterEvents(func() { told = true })
	return told
}
func (a benchAsker) Announced(_ context.Context, p string) bool {
	a.b.afterEvents(func() {})
	return a.b.Announces(p)
}
func (a benchAsker) Calm() remote.Calm        { return a.b.Calm(a.s.Since, a.taken.Add(time.Since(a.began))) }
func (a benchAsker) OnlyRsync(direct bool)    { a.b.OnlyRsync(a.s, direct, a.b.now) }
func (a benchAsker) Progress(remote.Progress) {}

// pass makes a full pass.
func (b *bench) pass() {
	b.t.Helper()
	b.define()
	b.Everything(remote.PassVerify, b.seq, b.now, b.now)
	b.transfer()
}

// drain transfers until nothing is dirty, or what is dirty does not get less.
func (b *bench) drain() {
	b.t.Helper()
	for range 5 {
		b.search()
		if a := b.Account(); len(a.Dirty) == 0 && !a.Everything {
			return
		}
		b.transfer()
	}
}

// equal checks that nothing is dirty, and that the remote equals the workspace.
func (b *bench) equal() {
	b.t.Helper()
	if a := b.Account(); len(a.Dirty) > 0 || a.Everything || a.Hold != nil {
		b.t.Errorf("%d paths are dirty, everything %v, hold %+v, failure %v", len(a.Dirty), a.Everything, a.Hold, a.Failure)
		b.t.Logf("failing: %+v", a.Failing())
	}
	for _, difference := range remotetest.CompareTrees(b.src, b.dst) {
		b.t.Error(difference)
	}
}

// isDirty is how many paths are.
func (b *bench) isDirty() int { return len(b.Account().Dirty) }

// failing are the paths that fail.
func failing(b *bench) string {
	var all []string
	for _, e := range b.Account().Failing() {
		all = append(all, e.Path)
	}
	return strings.Join(all, " ")
}
