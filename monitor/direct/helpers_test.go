package direct

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/remotetest"
	"wsync/monitor/sftp"
	"wsync/monitor/watch"
)

const (
	newEntry = watch.Entry | watch.Content
	newTree  = watch.Entry | watch.Tree
)

// limits are those of the tests that are not about limits.
var limits = Limits{Paths: 1000, Bytes: 8 << 20, FileSize: 1 << 20, Deletions: 100}

// fixture is a workspace, a destination and a lane between them.
type fixture struct {
	testing.TB
	src, dst string
	target   Target
	lane     *Lane
	server   *remotetest.Child // nil for a local target
	marks    atomic.Uint64
}

// targets begin with a local target and with OpenSSH's sftp-server.
var targets = map[string]func(t testing.TB, src, dst string) *fixture{"local": onLocal, "sftp": onSFTP}

// onTargets runs a test with each of them.
func onTargets(t *testing.T, test func(f *fixture)) {
	for name, start := range targets {
		t.Run(name, func(t *testing.T) { test(start(t, t.TempDir(), t.TempDir())) })
	}
}

func onLocal(t testing.TB, src, dst string) *fixture {
	t.Helper()
	f := &fixture{TB: t, src: src, dst: dst}
	f.target = NewLocal(dst)
	f.start()
	return f
}

func onSFTP(t testing.TB, src, dst string) *fixture {
	t.Helper()
	f := &fixture{TB: t, src: src, dst: dst}
	f.server = remotetest.StartChild(t, remotetest.SFTPServer(t))
	f.connect()
	f.start()
	return f
}

// connect begins a session with the server.
func (f *fixture) connect() {
	f.Helper()
	f.connectThrough(f.server.Out, f.server.In, f.server)
}

// connectThrough begins a session by another way to the server.
func (f *fixture) connectThrough(r io.Reader, w io.Writer, conn io.Closer) {
	f.Helper()
	client, err := sftp.NewClient(r, w, conn)
	f.check(err)
	f.Cleanup(func() { client.Close() })
	witness := filepath.Join(f.dst, "witness")
	f.check(os.WriteFile(witness, nil, 0o600))
	var ok bool
	if f.target, ok = NewSFTP(client, f.dst, "witness"); !ok {
		f.Fatal("OpenSSH's own server is refused")
	}
	f.check(os.Remove(witness))
}

// start makes the lane, with a cache of its own.
func (f *fixture) start() {
	f.Helper()
	lane, err := NewLane(f.src, f.target, NewFiles(f.src, f.marks.Load))
	f.check(err)
	f.lane = lane
}

func (f *fixture) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// at is a path of the workspace, there one of the destination.
func (f *fixture) at(path string) string    { return filepath.Join(f.src, path) }
func (f *fixture) there(path string) string { return filepath.Join(f.dst, path) }

// write makes a file with what leads to it.
func (f *fixture) write(path, content string) {
	f.Helper()
	f.check(os.MkdirAll(filepath.Dir(path), 0o755))
	f.check(os.WriteFile(path, []byte(content), 0o644))
}

// both makes a file on both sides, with the same times.
func (f *fixture) both(path, content string) {
	f.Helper()
	modified := time.Unix(1_600_000_000, 0)
	for _, dir := range []string{f.src, f.dst} {
		name := filepath.Join(dir, path)
		f.write(name, content)
		f.check(os.Chtimes(name, modified, modified))
		for up := filepath.Dir(name); len(up) >= len(dir); up = filepath.Dir(up) {
			f.check(os.Chtimes(up, modified, modified))
		}
	}
}

// source is a workspace for a plan.
type source string

func (s source) Lstat(path string) (fs.FileInfo, error) {
	return os.Lstat(filepath.Join(string(s), path))
}

func (s source) Carries(string, fs.FileInfo, watch.Change) bool { return true }

func (s source) ReadDir(path string) ([]fs.DirEntry, error) {
	return os.ReadDir(filepath.Join(string(s), path))
}

// entry is a dirty path.
func entry(path string, change watch.Change) *dirty.Entry {
	return &dirty.Entry{Path: path, Change: change, Seq: 1}
}

// plan plans for entries as they are now.
func (f *fixture) plan(moves []dirty.Move, entries ...*dirty.Entry) Plan {
	return MakePlan(moves, entries, source(f.src), f.lane.Owns, limits)
}

// fly carries out a plan, with the contents that the files have now.
func (f *fixture) fly(moves []dirty.Move, plan Plan) Result {
	f.Helper()
	result, err := f.lane.Do(moves, plan.Steps, limits.FileSize, f.marks.Add(1))
	f.check(err)
	return result
}

// send plans and carries out.
func (f *fixture) send(moves []dirty.Move, entries ...*dirty.Entry) (Plan, Result) {
	f.Helper()
	plan := f.plan(moves, entries...)
	return plan, f.fly(moves, plan)
}

// sendAll is send when nothing may be left or fail.
func (f *fixture) sendAll(moves []dirty.Move, entries ...*dirty.Entry) Result {
	f.Helper()
	plan, result := f.send(moves, entries...)
	if len(plan.Rest) > 0 || len(result.Failed) > 0 || len(result.MovesFailed) > 0 {
		f.Fatalf("left %q, failed %q and %v", pathsOf(plan.Rest), pathsOf(result.Failed), result.MovesFailed)
	}
	return result
}

func pathsOf(entries []*dirty.Entry) []string {
	all := []string{}
	for _, e := range entries {
		all = append(all, e.Path)
	}
	slices.Sort(all)
	return all
}

// wantSame compares both sides.
func (f *fixture) wantSame() {
	f.Helper()
	compare := remotetest.CompareTrees
	if f.server != nil {
		compare = remotetest.CompareSent
	}
	if d := compare(f.src, f.dst); len(d) > 0 {
		f.Errorf("differences:\n%s", strings.Join(d, "\n"))
	}
}

// wantFailed compares the paths of what failed.
func (f *fixture) wantFailed(r Result, paths ...string) {
	f.Helper()
	if got := pathsOf(r.Failed); !slices.Equal(got, paths) {
		f.Errorf("failed %q, expected %q", got, paths)
	}
}

// wantContent compares a file's content.
func (f *fixture) wantContent(path, want string) {
	f.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		f.Errorf("%q has %.40q, %v; expected %.40q", path, got, err, want)
	}
}

// wantNothing wants that there is nothing at path.
func (f *fixture) wantNothing(path string) {
	f.Helper()
	if info, err := os.Lstat(path); err == nil {
		f.Errorf("%q is there: %v", path, info.Mode())
	}
}

// settle returns when all requests are carried out.
func (f *fixture) settle() {
	f.Helper()
	_, err := f.target.Type("").Wait()
	f.check(err)
}

// wantNoLeftovers wants that nothing of the lane's own is in the destination
// but TempDir, with files made ahead of time.
func (f *fixture) wantNoLeftovers() {
	f.Helper()
	f.settle()
	f.check(filepath.WalkDir(f.dst, func(path string, e fs.DirEntry, err error) error {
		if strings.HasPrefix(e.Name(), TempDir+"-") {
			f.Errorf("%q is left", path)
		}
		return err
	}))
	if made, err := os.ReadDir(f.there(f.lane.dir())); err == nil && len(made) > ahead {
		f.Errorf("%d files are in %s", len(made), f.lane.dir())
	}
}

// roomyTarget says that there is room.
type roomyTarget struct{ Target }

func (roomyTarget) Room() RoomReply { return roomReply{bytes: 1 << 40} }
