package doctor

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/exclude"
	"wsync/monitor/guard"
	"wsync/monitor/links"
	"wsync/monitor/report"
	"wsync/monitor/rsync"
	"wsync/monitor/ssh"
	"wsync/monitor/transfer"
	"wsync/monitor/walk"
)

// remote examines a remote of a workspace.
func (x *examiner) remote(w config.Workspace, r config.Remote) {
	a := about{x: x, workspace: w.Name, remote: r.Name}
	a.place(w)
	a.state(w, r)
	var connection *ssh.Connection
	if r.Connection.Kind() == config.KindSSH {
		connection = x.pool.Connection(ssh.HostOf(r))
	}
	environment := func() []string { return rsync.Environment(os.Getenv("SSH_AUTH_SOCK")) }
	live := exclude.NewLive(w.LocalPath, w)
	tree := walk.Tree{Root: w.LocalPath, Opens: live.Opens}
	lane := transfer.New(transfer.Options{
		Log: zap.NewNop(), Root: w.LocalPath, Local: x.local, Environment: environment, Connection: connection, Scratch: x.run,
		Files:   direct.NewFiles(w.LocalPath, func() uint64 { return 0 }),
		Links:   links.New(tree, func(string) bool { return false }, func([]links.Marks, links.Answer) {}),
		Tools:   guard.NewTools(w.LocalPath),
		Exclude: live,
	})
	defer lane.Close()
	began := time.Now()
	found, failure := lane.Examine(x.ctx, r)
	if failure != nil {
		a.fail("reachable", failure.Message, failure.Hint)
		return
	}
	a.ok("reachable", fmt.Sprintf("connected, and tried out in %s", time.Since(began).Round(10*time.Millisecond)))
	a.serves(r, found)
	a.names(r, found.Strategy.Capabilities)
	if connection != nil {
		a.host(r, connection, environment())
	} else if r.Connection.Kind() == config.KindLocal {
		a.space(roomAt(r.RemotePath))
		a.quota(localQuota(x.ctx))
	}
}

// place examines whether another workspace or remote is in the way.
func (a about) place(w config.Workspace) {
	var others []config.Workspace
	for _, other := range a.x.All {
		if other.Name != w.Name {
			others = append(others, other)
		}
	}
	if err := config.CheckPlace(w, others); err != nil {
		a.fail("destination", err.Error(), "detach one of the two")
	}
}

// state repeats what the daemon says of a remote that is in trouble.
func (a about) state(w config.Workspace, r config.Remote) {
	for _, s := range a.x.Known[w.Name].Remotes {
		if s.Name != r.Name {
			continue
		}
		switch {
		case s.State.Well() || s.State == report.Paused || s.State == report.Starting:
			a.ok("state", string(s.State))
		default:
			a.fail("state", string(s.State)+": "+cmp.Or(s.Error, "see wsync status"), cmp.Or(s.Hint, "wsync status "+w.Name+" "+r.Name))
		}
	}
}

// serves says what the remote is able to do, and what it is not.
func (a about) serves(r config.Remote, found transfer.Examination) {
	if r.Connection.Kind() != config.KindLocal { // that of this machine is examined already
		switch v := found.Version; {
		case v == (rsync.Version{}):
			a.ok("rsync there", "it does not say its version")
		default:
			status, text, remedy := judgeVersion(v)
			a.say(status, "rsync there", text, remedy)
		}
	}
	if found.Direct {
		a.ok("small changes", "they go without rsync")
	} else if r.Connection.Kind() == config.KindSSH {
		a.warn("small changes", found.Notes[len(found.Notes)-1], "allow sftp there (Subsystem sftp in sshd_config), so that they take a millisecond")
	}
	if s := found.Strategy; !s.Nanoseconds {
		a.warn("times", "fractions of a second are not kept: what was changed is compared by its contents", "")
	}
	for name, why := range found.Strategy.Cannot() {
		a.warn(name, why, "")
	}
	capabilities := found.Strategy.Capabilities
	for _, line := range capabilities.Describe() {
		a.warn("file system there", line, "")
	}
}

// slowShell is how long a command may take to begin on a remote: each run of rsync does.
const slowShell = time.Second

// shell says how long a command has taken that does next to nothing.
func (a about) shell(took time.Duration) {
	if took = took.Round(10 * time.Millisecond); took > slowShell {
		a.warn("login shell", fmt.Sprintf("a command takes %s there, and so does each run of rsync before it begins", took),
			"let the shell's startup files there (~/.bashrc) end early where it is not interactive")
		return
	}
	a.ok("login shell", fmt.Sprintf("a command takes %s", took))
}

// clockTolerance is how far the clock of a remote may be away before that is told: times
// of files are this machine's, but a person who compares them is misled.
const clockTolerance = 5 * time.Second

// host examines the machine behind a connection.
func (a about) host(r config.Remote, connection *ssh.Connection, env []string) {
	before := time.Now()
	output, _, err := connection.Output(a.x.ctx, env, "date +%s")
	a.shell(time.Since(before))
	if err == nil {
		if seconds, err := strconv.ParseInt(strings.TrimSpace(output), 10, 64); err == nil {
			a.clock(time.Unix(seconds, 0), before, time.Now())
		}
	}
	if session, err := connection.SFTP(a.x.ctx, env); err == nil && session.HasStatvfs() {
		if fs, err := session.Statvfs(r.RemotePath).Wait(); err == nil {
			a.space(room{bytes: fs.Available, files: fs.AvailableFiles, allFiles: fs.Files}, true)
		}
	}
	said, _, _ := connection.Output(a.x.ctx, env, quotaCommand)
	a.quota(said)
	connection.EndSFTP() // whose session counts
	if shared, wanted, err := connection.Sessions(a.x.ctx, env); err == nil {
		a.sessions(shared, wanted)
	}
}

// sessions says how many sessions of those that are wanted shared a connection.
func (a about) sessions(shared, wanted int) {
	if shared < wanted {
		a.warn("sessions", fmt.Sprintf("sshd there allows %d of the %d sessions that wsync may have at once on one connection: others log in anew each time, which takes longer", shared, wanted),
			"MaxSessions 10, which is the default, in sshd_config there")
		return
	}
	a.ok("sessions", fmt.Sprintf("sshd there allows all %d that wsync may have at once on one connection", wanted))
}

// clock compares the clock of a remote, which has whole seconds and was read between two
// times of this machine's.
func (a about) clock(there, before, after time.Time) {
	ahead := there.Sub(before)
	if !there.Before(before) && there.Before(after) {
		ahead = 0
	} else if there.After(after) {
		ahead = there.Sub(after)
	}
	if ahead.Abs() > clockTolerance {
		way := "ahead of"
		if ahead < 0 {
			way = "behind"
		}
		a.warn("clock", fmt.Sprintf("it is %s %s this machine's", ahead.Abs().Round(time.Second), way), "let both follow a time server")
		return
	}
	a.ok("clock", "it agrees with this machine's")
}
