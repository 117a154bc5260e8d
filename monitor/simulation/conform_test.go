//go:build linux

package simulation

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/dirty"
	"wsync/monitor/relpath"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/sftp"
	"wsync/monitor/watch"
	"wsync/monitor/watch/inotify"
)

var conformFlag = flag.Int("simulate.conform", 3, "TestConform: how many histories")

// TestConform has the same small histories happen in a model and on the disk: what rsync and
// sftp-server make of the same lists and plans is what the models of a place make of them,
// and inotify tells at least what the model of the watcher does.
func TestConform(t *testing.T) {
	server := sftpServer(t)
	began := time.Now()
	for seed := range uint64(*conformFlag) {
		seed := *firstFlag + seed
		// A test of its own ends what it has started.
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { conform(t, server, seed) }) {
			t.Fatalf("go test ./monitor/simulation -run Conform -simulate.conform=1 -simulate.first=%d", seed)
		}
	}
	fmt.Printf("%d histories are the same in the models and on the disk, %.1f/s\n", *conformFlag, float64(*conformFlag)/time.Since(began).Seconds())
}

// sftpServer starts a server.
func sftpServer(t *testing.T) *sftp.Client {
	for _, program := range []string{"/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server"} {
		cmd := exec.Command(program)
		in, err := cmd.StdinPipe()
		out, err2 := cmd.StdoutPipe()
		if errors.Join(err, err2) != nil || cmd.Start() != nil {
			continue
		}
		t.Cleanup(func() {
			in.Close()
			_ = cmd.Wait() // it ends with its input
		})
		client, err := sftp.NewClient(out, in, in)
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	remotetest.Skip(t, "there is no sftp-server")
	return nil
}

// twin is a workspace and two places, in the model and on the disk.
type twin struct {
	*world
	t             *testing.T
	src           string
	rsynced, sent *place
	rsyncDir, dir string
	lane          *direct.Lane
	told          *recorder
	mark          uint64 // of the last change
}

func conform(t *testing.T, server *sftp.Client, seed uint64) {
	top := t.TempDir()
	w := &world{now: start}
	w.state = seed
	w.ws = newWorkspace(w)
	w.events = &watcher{f: w.ws, watched: make(map[uint64]bool), armed: true}
	w.daemon = &daemon{w: w, orders: make(map[string]report.Orders)}
	b := &twin{world: w, t: t, src: filepath.Join(top, "src"), rsyncDir: filepath.Join(top, "rsynced"), dir: filepath.Join(top, "sent")}
	for _, dir := range []string{b.src, b.rsyncDir, b.dir} {
		b.check(os.Mkdir(dir, 0o755))
	}
	b.rsynced = &place{w: w, name: "rsync", fine: true, names: make(map[string]there), vanished: make(map[string]bool)}
	b.sent = &place{w: w, name: "sftp", direct: true, names: make(map[string]there), vanished: make(map[string]bool)}
	b.check(os.MkdirAll(filepath.Join(b.dir, direct.TempDir), 0o700))
	witness := direct.TempDir + "/witness"
	b.check(os.WriteFile(filepath.Join(b.dir, witness), nil, 0o600))
	target, ok := direct.NewSFTP(server, b.dir, witness)
	if !ok {
		t.Fatal("it is not OpenSSH's server")
	}
	var err error
	b.lane, err = direct.NewLane(b.src, target, direct.NewFiles(b.src, func() uint64 { return b.mark }))
	b.check(err)
	b.check(b.lane.SetRemote(config.Remote{Name: "r", RemotePath: b.dir}, witness))
	defer b.lane.Close()
	b.told = watchTree(t, b.src)
	for range 4 {
		for range 3 + w.below(5) {
			w.now = w.now.Add(time.Duration(w.below(900)) * time.Millisecond)
			before := maps.Clone(w.ws.names)
			w.change()
			b.follow(before)
			b.mark++
		}
		b.watched()
		set := b.deliver()
		b.send(set)
		if !b.fly(set) || t.Failed() {
			return // what was refused is for rsync, and comes before all else there
		}
	}
}

func (b *twin) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *twin) at(path string) string { return filepath.Join(b.src, path) }

// text is what is in a file of some contents.
func text(content uint64, size int64) []byte {
	return []byte(strings.Repeat(fmt.Sprintf("%08d", content), int(size)))
}

// follow does on the disk what has happened in the model since.
func (b *twin) follow(before map[string]*node) {
	f := b.ws
	for _, from := range slices.Sorted(maps.Keys(before)) {
		if to := f.movedTo[from]; f.renamed[from] == f.tick && f.names[from] == nil && f.names[to] != nil {
			b.check(os.Rename(b.at(from), b.at(to)))
			return
		}
	}
	for _, p := range slices.Sorted(maps.Keys(before)) {
		if n := f.names[p]; n == nil || n.stat.Ino != before[p].stat.Ino {
			b.check(os.RemoveAll(b.at(p)))
		}
	}
	for _, p := range f.all() {
		n, was := f.names[p], before[p]
		if n == was {
			continue
		}
		switch {
		case was != nil && was.stat.Ino == n.stat.Ino:
			if n.content != was.content {
				b.check(os.WriteFile(b.at(p), text(n.content, n.size), 0o644))
			}
			b.check(os.Chmod(b.at(p), n.mode.Perm()))
		case n.IsDir():
			b.check(os.Mkdir(b.at(p), n.mode.Perm()))
		case n.mode&fs.ModeSymlink != 0:
			b.check(os.Symlink(fmt.Sprint("/nonexistent/", n.content), b.at(p)))
		case n.stat.Nlink > 1:
			for q, o := range before {
				if o.stat.Ino == n.stat.Ino {
					b.check(os.Link(b.at(q), b.at(p)))
					break
				}
			}
		default:
			b.check(os.WriteFile(b.at(p), text(n.content, n.size), n.mode.Perm()))
			b.check(os.Chmod(b.at(p), n.mode.Perm()))
		}
		if n.mode.IsRegular() {
			b.check(os.Chtimes(b.at(p), n.mtime, n.mtime))
		}
	}
}

// deliver has the model tell of what has happened, and returns what may differ.
func (b *twin) deliver() []*dirty.Entry {
	set := dirty.NewSet()
	seq := uint64(0)
	mark := func(path string, change watch.Change) {
		seq++
		set.Mark(path, change&^watch.Open, seq, b.now)
	}
	for _, e := range b.events.queue {
		mark(e.path, e.change)
		if e.to != "" {
			mark(e.to, e.change)
			b.events.watch(e.to)
		}
		if e.change&watch.Tree != 0 {
			b.events.watch(e.path)
		}
	}
	b.events.queue = nil
	entries := set.Take(b.now.Add(time.Hour)).Entries
	slices.SortFunc(entries, byPath)
	return entries
}

// send has rsync send what there is of the entries, and the model do the same.
func (b *twin) send(entries []*dirty.Entry) {
	var names []string
	for _, e := range entries {
		if b.ws.find(e.Path) != nil {
			b.ws.below(e.Path, func(p string, _ *node) { names = append(names, p) })
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return
	}
	e := rsync.Endpoint{Remote: config.Remote{Name: "r", RemotePath: b.rsyncDir, Connection: config.Connection{Local: &config.Local{}}}, Strategy: rsync.Strategy{Nanoseconds: true}}
	job, alike := rsync.Paths(e, names, true), never
	switch b.below(3) {
	case 0:
		job, alike = rsync.Paths(e, names, false), b.rsynced.quick
	case 1:
		job, alike = rsync.Paths(e, names, false).Checksum(), b.rsynced.checksum
	}
	_, err := rsync.Run(context.Background(), b.src, os.Environ(), job.Limit(e, 0), nil)
	b.check(err)
	for _, p := range names {
		_ = b.rsynced.sync(p, b.ws, alike)
	}
	b.same("rsync", b.rsynced, b.rsyncDir)
}

// onDisk is the workspace for a plan of the direct lane.
type onDisk struct{ root string }

func (d onDisk) Lstat(path string) (fs.FileInfo, error) { return os.Lstat(filepath.Join(d.root, path)) }
func (d onDisk) ReadDir(path string) ([]fs.DirEntry, error) {
	return os.ReadDir(filepath.Join(d.root, path))
}
func (d onDisk) Carries(string, fs.FileInfo, watch.Change) bool { return true }

// fly has the direct lane carry out a plan, and the model do the same. It reports whether all
// went that way.
func (b *twin) fly(entries []*dirty.Entry) bool {
	limits := direct.Limits{Paths: 100, Bytes: 1 << 20, FileSize: 1 << 10, Beside: 50, Deletions: math.MaxInt32}
	trip := &trip{carrier: &carrier{w: b.world, m: &monitor{w: b.world}, place: b.sent}}
	modelled := direct.MakePlan(nil, entries, plain{trip}, owns, limits)
	real := direct.MakePlan(nil, entries, onDisk{b.src}, owns, limits)
	result, err := b.lane.Do(nil, real.Steps, 1<<10, b.mark)
	b.check(err)
	failed := make(map[string]bool)
	obstacles := b.sent.obstacles(modelled.Steps)
	for _, s := range modelled.Steps {
		if err := errInWay; isWithin(s.Path, obstacles) || func() bool { err = b.sent.step(s, b.ws); return err != nil }() {
			if !(s.Parent && errors.Is(err, fs.ErrNotExist)) {
				failed[s.Entry.Path] = true
			}
		}
	}
	var refused []string
	for _, e := range result.Failed {
		refused = append(refused, e.Path)
	}
	slices.Sort(refused)
	if want := slices.Sorted(maps.Keys(failed)); !slices.Equal(slices.Compact(refused), want) {
		b.t.Errorf("sftp: %q failed, and %q in the model", refused, want)
	}
	b.same("sftp", b.sent, b.dir)
	return len(failed)+len(real.Rest) == 0
}

// plain is the workspace of the model without rules.
type plain struct{ *trip }

func (s plain) ReadDir(name string) (entries []fs.DirEntry, err error) {
	s.w.ws.below(name, func(p string, n *node) {
		if p != name && relpath.Parent(p) == name {
			entries = append(entries, dirEntry{p[len(name)+1:], n})
		}
	})
	return entries, nil
}

func (s plain) Carries(string, fs.FileInfo, watch.Change) bool { return true }

// same checks that a directory is what a place is.
func (b *twin) same(what string, p *place, dir string) {
	b.t.Helper()
	seen := 0
	b.check(filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, at)
		switch {
		case err != nil || name == ".":
			return err
		case name == direct.TempDir:
			return fs.SkipDir
		}
		seen++
		info, err := e.Info()
		if err != nil {
			return err
		}
		is, ok := p.names[name]
		var content []byte
		if info.Mode().IsRegular() {
			content, err = os.ReadFile(at)
		} else if info.Mode()&fs.ModeSymlink != 0 {
			var to string
			to, err = os.Readlink(at)
			content = []byte(to)
		}
		want := text(is.content, is.size)
		if is.mode&fs.ModeSymlink != 0 {
			want = []byte(fmt.Sprint("/nonexistent/", is.content))
		}
		switch {
		case !ok:
			b.t.Errorf("%s: there is %q", what, name)
		case info.Mode() != is.mode:
			b.t.Errorf("%s: %q is %v, and %v in the model", what, name, info.Mode(), is.mode)
		case !info.IsDir() && string(content) != string(want):
			b.t.Errorf("%s: %q has %q, and %q in the model", what, name, content, want)
		case info.Mode().IsRegular() && !info.ModTime().Equal(is.mtime):
			b.t.Errorf("%s: %q is of %v, and of %v in the model", what, name, info.ModTime(), is.mtime)
		}
		return err
	}))
	if seen != len(p.names) {
		b.t.Errorf("%s: there are %d entries, and in the model %q", what, seen, p.all())
	}
}

// recorder is told by inotify.
type recorder struct {
	w       watch.Watcher
	mu      sync.Mutex
	changed map[string]watch.Change // guarded by mu
	all     bool                    // guarded by mu
	n       uint64
	reached chan uint64
}

func (r *recorder) Changed(path string, change watch.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed[path] |= change
}

func (r *recorder) Moved(from, to string, dir bool) {
	change := watch.Entry | watch.Content
	if dir {
		change |= watch.Tree
	}
	r.Changed(from, change)
	r.Changed(to, change)
}

func (r *recorder) Lost(string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = true
}

func (r *recorder) RootGone(string)  {}
func (r *recorder) Barrier(n uint64) { r.reached <- n }

// watchTree watches a directory until the test ends.
func watchTree(t *testing.T, root string) *recorder {
	r := &recorder{changed: make(map[string]watch.Change), reached: make(chan uint64, 1)}
	r.w = inotify.New(root, watch.Options{}, r)
	ctx, cancel := context.WithCancel(t.Context())
	armed, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- r.w.Run(ctx, func() { close(armed) }) }()
	select {
	case <-armed:
	case err := <-ended:
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

// watched checks that all that the model has to tell is told by inotify as well: of each
// path, or of a directory above it with all that is in it.
func (b *twin) watched() {
	r := b.told
	r.n++
	r.w.Barrier(r.n)
	for n := range r.reached {
		if n == r.n {
			break
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range b.events.queue {
		for _, path := range []string{e.path, e.to} {
			if path == "" || r.all || r.changed[path]&e.change&^watch.Open != 0 {
				continue
			}
			covered := false
			for dir := relpath.Parent(path); dir != ""; dir = relpath.Parent(dir) {
				covered = covered || r.changed[dir]&watch.Tree != 0
			}
			if !covered {
				b.t.Errorf("inotify: nothing is told of %q (%b), but of %v", path, e.change, r.changed)
			}
		}
	}
	clear(r.changed)
	r.all = false
}
