package transfer

import (
	"os"
	"strings"
	"testing"

	"wsync/config"
	"wsync/monitor/remotetest"
)

// TestTry: a name is known, or may be given to, where a real rsync says so, and nothing at
// the destination tells of the question.
func TestTry(t *testing.T) {
	remotetest.Long(t, testing.Short())
	daemon := func(lines ...string) func(t *testing.T) (*Lane, config.Remote) {
		return func(t *testing.T) (*Lane, config.Remote) {
			b := newDaemonBench(t, lines...)
			check(t, os.Chmod(b.dst, 0o755)) // for whoever the daemon becomes
			return b.lane, b.remote
		}
	}
	const unknown, bound = "the remote does not know the", "may not give files to others"
	for name, test := range map[string]struct {
		lane  func(t *testing.T) (*Lane, config.Remote)
		root  bool // it needs root here
		set   string
		group bool
		want  string
	}{
		"local, nobody has it":    {lane: func(t *testing.T) (*Lane, config.Remote) { return localLane(t) }, set: "no-such-user", want: unknown + " user"},
		"local, a map":            {lane: func(t *testing.T) (*Lane, config.Remote) { return localLane(t) }, set: "0-99:no-such-group,*:0", group: true, want: unknown + " group"},
		"local, somebody":         {lane: func(t *testing.T) (*Lane, config.Remote) { return localLane(t) }, root: true, set: "nobody"},
		"ssh, nobody has it":      {lane: func(t *testing.T) (*Lane, config.Remote) { return sshLane(t) }, set: "no-such-user", want: unknown + " user"},
		"ssh, somebody":           {lane: func(t *testing.T) (*Lane, config.Remote) { return sshLane(t) }, root: true, set: "nobody"},
		"a daemon, nobody has it": {lane: daemon(), set: "no-such-user", want: unknown + " user"},
		"a daemon, somebody":      {lane: daemon(), root: true, set: "nobody"},
		"a daemon without root":   {lane: daemon("uid = nobody", "gid = "), root: true, set: "nobody", want: bound},
		"a daemon in its chroot":  {lane: daemon("use chroot = yes"), root: true, set: "nobody", want: unknown + " user"},
		"a number in a chroot":    {lane: daemon("use chroot = yes"), root: true, set: "1234"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.root {
				remotetest.NeedRoot(t, "root can give files away")
			}
			l, r := test.lane(t)
			whose := &r.Owner
			if test.group {
				whose = &r.Group
			}
			*whose = config.Whose(test.set)
			got := l.Try(t.Context(), r)
			if got.Unknown != "" || (got.Refused == "") != (test.want == "") || !strings.Contains(got.Refused, test.want) {
				t.Errorf("%+v, want %q", got, test.want)
			}
		})
	}
}

// TestTryNobody: of a remote that is away nobody knows what it can do.
func TestTryNobody(t *testing.T) {
	b := newDaemonBench(t)
	b.Stop()
	b.remote.Owner = "nobody"
	if got := b.lane.Try(t.Context(), b.remote); got.Refused != "" || !strings.Contains(got.Unknown, "Connection refused") {
		t.Errorf("%+v", got)
	}
}
