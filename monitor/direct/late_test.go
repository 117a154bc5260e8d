package direct

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// outage is a line to a server: once it is down, what is written to it is on its
// way until it is up again, for whoever is there by then.
type outage struct {
	to io.Writer

	mu      sync.Mutex // guards everything below
	down    bool
	delayed bytes.Buffer
	// renamed is closed when a rename is on its way.
	renamed chan struct{}
}

func (o *outage) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		return o.to.Write(p)
	}
	before := o.hasRename()
	n, err := o.delayed.Write(p)
	if !before && o.hasRename() {
		close(o.renamed)
	}
	return n, err
}

func (o *outage) hasRename() bool {
	return bytes.Contains(o.delayed.Bytes(), []byte("posix-rename@openssh.com"))
}

// begin takes the line down.
func (o *outage) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = true
}

// end brings the line up, and returns when the server has carried out all that
// was on its way.
func (o *outage) end(f *fixture) {
	f.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	last := f.there("last")
	f.write(last, "")
	const remove = 13 // SSH_FXP_REMOVE
	packet := binary.BigEndian.AppendUint32([]byte{remove, 0, 0, 0, 0}, uint32(len(last)))
	packet = append(packet, last...)
	o.delayed.Write(binary.BigEndian.AppendUint32(nil, uint32(len(packet))))
	o.delayed.Write(packet)
	_, err := o.to.Write(o.delayed.Bytes())
	f.check(err)
	remotetest.Poll(f, "the last request to be carried out", func() bool { return !remotetest.Exists(last) })
}

// onOutage is onSFTP with a line that can be taken down.
func onOutage(t *testing.T, src, dst string) (*fixture, *outage) {
	t.Helper()
	f := &fixture{TB: t, src: src, dst: dst}
	f.server = remotetest.StartChild(t, remotetest.SFTPServer(t))
	o := &outage{to: f.server.In, renamed: make(chan struct{})}
	// What the client closes is its end of the line, and not the server's.
	replies, passed := io.Pipe()
	go io.Copy(passed, f.server.Out)
	f.connectThrough(replies, o, replies)
	f.start()
	f.settle()
	return f, o
}

// A session breaks with requests on their way, which arrive when the next one is
// at work and x has changed once more. Its place must get neither what it was nor
// what the new session has made ahead.
func TestLateRequests(t *testing.T) {
	for name, kind := range map[string]struct {
		make func(f *fixture, path, content string)
		read func(path string) (content string, err error)
	}{
		"file": {(*fixture).write, func(path string) (string, error) {
			content, err := os.ReadFile(path)
			return string(content), err
		}},
		"link": {func(f *fixture, path, content string) { f.check(os.Symlink(content, path)) }, os.Readlink},
	} {
		t.Run(name, func(t *testing.T) {
			src, dst := t.TempDir(), t.TempDir()
			before, line := onOutage(t, src, dst)
			kind.make(before, before.at("x"), "older")
			plan := before.plan(nil, entry("x", newEntry))
			line.begin()
			go func() {
				<-line.renamed
				before.target.(*remote).client.Close() // as when ssh finds the line dead
			}()
			before.within(func() {
				if _, err := before.lane.Do(nil, plan.Steps, limits.FileSize, before.marks.Add(1)); err == nil {
					t.Error("a flight that nobody has answered succeeds")
				}
			})

			after := onSFTP(t, src, dst)
			after.settle()
			kind.make(after, after.at("y"), "another")
			kind.make(after, after.there("x"), "newer")
			line.end(before)
			if got, err := kind.read(after.there("x")); got != "newer" || err != nil {
				t.Errorf("late requests made %q of it, %v", got, err)
			}
			after.sendAll(nil, entry("y", newEntry))
			for path, want := range map[string]string{"x": "newer", "y": "another"} {
				if got, err := kind.read(after.there(path)); got != want || err != nil {
					t.Errorf("%s has %q, %v", path, got, err)
				}
			}
			after.wantNoLeftovers()
			after.lane.Close()
			after.wantNothing(after.there(TempDir))
		})
	}
}

// What is made beside its place has a name that no other session uses either.
func TestNamesBesideOfSessions(t *testing.T) {
	var names []string
	for range 2 {
		f := onLocal(t, t.TempDir(), t.TempDir())
		names = append(names, f.lane.name("d/f", true))
	}
	for _, name := range names {
		if !strings.HasPrefix(name, "d/"+TempDir+"-") {
			t.Errorf("%q is not beside d/f", name)
		}
	}
	if names[0] == names[1] {
		t.Errorf("two sessions use %q", names[0])
	}
}

// The directory of a session whose requests still arrive is cleared nevertheless:
// between its listing and its removal there may be another file.
func TestClearWhileRequestsArrive(t *testing.T) {
	f := onSFTP(t, t.TempDir(), t.TempDir())
	f.lane.Close()
	old := TempDir + "/0123456789abcdef"
	f.write(f.there(old+"/1"), "")
	f.target = &lateTarget{Target: f.target, listed: func() { f.write(f.there(old+"/late"), "") }}
	f.start()
	f.wantNothing(f.there(old))
	f.write(f.at("f"), "new")
	f.sendAll(nil, entry("f", watch.Content))
}

// lateTarget does something after the directory of a session was listed for the
// first time.
type lateTarget struct {
	Target
	listed func()
}

func (l *lateTarget) Names(path string) ([]string, error) {
	names, err := l.Target.Names(path)
	if path != TempDir && l.listed != nil {
		l.listed()
		l.listed = nil
	}
	return names, err
}
