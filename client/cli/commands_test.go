package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

func TestCommands(t *testing.T) {
	notFound := &api.Error{Kind: api.NotFound, Message: `there is no workspace "w"`, Hint: "there is: docs"}
	attached := func(remote report.RemoteStatus) map[string]any {
		remote.Name = "r"
		return map[string]any{"POST /v1/workspaces/w/remotes": api.WorkspaceStatus{
			Workspace: config.Workspace{Name: "w"}, Remotes: []report.RemoteStatus{remote},
		}}
	}
	directory, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args     string
		status   api.Status
		answers  map[string]any
		code     int
		stdout   string
		stderr   string
		requests []string // those that change something
	}{
		{
			args:    "add w some/place --on-empty allow --skip-git",
			answers: map[string]any{"POST /v1/workspaces": api.WorkspaceStatus{Workspace: config.Workspace{LocalPath: "/real"}}},
			stdout:  "added w: /real\n",
			requests: []string{
				`POST /v1/workspaces {"name":"w","local_path":"` + directory + `/some/place","on_empty":"allow","skip_git":true}`,
			},
		},
		{
			args:    "add w /p --gitignore --ignore *.o,x --ignore !a --no-default-ignores --ignore-tagged CACHEDIR.TAG --ignore-tagged b",
			answers: map[string]any{"POST /v1/workspaces": api.WorkspaceStatus{Workspace: config.Workspace{LocalPath: "/p"}}},
			stdout:  "added w: /p\n",
			requests: []string{
				`POST /v1/workspaces {"name":"w","local_path":"/p","gitignore":true,"ignore":["*.o,x","!a"],"no_default_ignores":true,"ignore_tagged":["CACHEDIR.TAG","b"]}`,
			},
		},
		{
			args: "add w /p --ignore a\xe9", code: 2,
			stderr: "wsync: cannot add w: the pattern \"a\\xe9\" is not UTF-8: the workspace file cannot hold it, a rule file in the tree can\n",
		},
		{
			args: "add w /p --ignore-tagged a/b", code: 2,
			stderr: "wsync: cannot add w: \"a/b\" is no name of a tag file: expected one without slashes, such as CACHEDIR.TAG\n",
		},
		{
			args: "add w /p --on-empty maybe", code: 2,
			stderr: "wsync: cannot add w: --on-empty is \"maybe\": expected halt or allow\n",
		},
		{
			args: "add w /p", code: 2,
			answers:  map[string]any{"POST /v1/workspaces": &api.Error{Kind: api.Invalid, Message: "the directory /p does not exist"}},
			stderr:   "wsync: cannot add w: the directory /p does not exist\n",
			requests: []string{`POST /v1/workspaces {"name":"w","local_path":"/p"}`},
		},
		{args: "remove w", stdout: "removed w\n", requests: []string{"DELETE /v1/workspaces/w"}},
		{
			args: "remove w", code: 1,
			answers:  map[string]any{"DELETE /v1/workspaces/w": notFound},
			stderr:   "wsync: cannot remove w: there is no workspace \"w\"\nhint: there is: docs\n",
			requests: []string{"DELETE /v1/workspaces/w"},
		},
		{args: "rename w v", stdout: "renamed w to v\n", requests: []string{`POST /v1/workspaces/w/rename {"new":"v"}`}},
		{args: "rename w r s", stdout: "renamed w/r to s\n", requests: []string{`POST /v1/workspaces/w/rename {"remote":"r","new":"s"}`}},
		{
			args: "rename w v", code: 1,
			answers:  map[string]any{"POST /v1/workspaces/w/rename": &api.Error{Kind: api.Exists, Message: "there is already a workspace v (/v)", Hint: "choose another name"}},
			stderr:   "wsync: cannot rename w to v: there is already a workspace v (/v)\nhint: choose another name\n",
			requests: []string{`POST /v1/workspaces/w/rename {"new":"v"}`},
		},
		{args: "detach w r", stdout: "detached w/r\n", requests: []string{"DELETE /v1/workspaces/w/remotes/r"}},
		{args: "pause w", stdout: "paused w\n", requests: []string{"POST /v1/workspaces/w/pause"}},
		{args: "resume w r", stdout: "resumed w/r\n", requests: []string{"POST /v1/workspaces/w/resume?remote=r"}},
		{args: "resync w r", stdout: "resyncing w/r\n", requests: []string{"POST /v1/workspaces/w/resync?remote=r"}},
		{args: "approve w", stdout: "approved w\n", requests: []string{"POST /v1/workspaces/w/approve"}},
		{
			args: "approve w", answers: map[string]any{"POST /v1/workspaces/w/approve": api.WorkspaceStatus{Approved: []api.Approved{
				{Remote: "r", Held: &report.Held{Count: 120, Reason: "more than half"}}, {Directory: "/p"},
			}}},
			stdout:   "approved w/r: 120 deletions: more than half\napproved w: the directory /p that is there now\n",
			requests: []string{"POST /v1/workspaces/w/approve"},
		},
		{
			args: "pause", answers: map[string]any{"POST /v1/actions/pause": api.Acted{Done: []api.WorkspaceStatus{
				{Workspace: config.Workspace{Name: "v"}}, {Workspace: config.Workspace{Name: "w"}},
			}}},
			stdout: "paused v\npaused w\n", requests: []string{"POST /v1/actions/pause"},
		},
		{args: "resume", stderr: "wsync: there is nothing to resume\n", requests: []string{"POST /v1/actions/resume"}},
		{
			args: "resync", code: 1, answers: map[string]any{"POST /v1/actions/resync": api.Acted{
				Done:    []api.WorkspaceStatus{{Workspace: config.Workspace{Name: "v"}}},
				Refused: []api.Refused{{Workspace: "w", Error: &api.Error{Kind: api.Conflict, Message: "it is paused", Hint: "wsync resume w"}}},
			}},
			stdout: "resyncing v\n", stderr: "wsync: cannot resync w: it is paused\nhint: wsync resume w\n", requests: []string{"POST /v1/actions/resync"},
		},
		{
			args: "approve", code: 5, answers: map[string]any{"POST /v1/actions/approve": api.Acted{
				Done:    []api.WorkspaceStatus{{Workspace: config.Workspace{Name: "v"}, Approved: []api.Approved{{Remote: "r", Held: &report.Held{Count: 1}}}}},
				Refused: []api.Refused{{Workspace: "w", Error: &api.Error{Kind: api.Held, Message: "gone", Hint: "bring it back"}}},
			}},
			stdout: "approved v/r: 1 deletion\n", stderr: "wsync: cannot approve w: gone\nhint: bring it back\n", requests: []string{"POST /v1/actions/approve"},
		},
		{args: "restart", code: 2, stderr: "wsync: cannot run wsync restart: NAME is missing\nusage: wsync restart NAME\n"},
		{args: "restart w", stdout: "restarted w\n", requests: []string{"POST /v1/workspaces/w/restart"}},
		{args: "restart w r", code: 2, stderr: "wsync: cannot run wsync restart: unexpected argument \"r\"\nusage: wsync restart NAME\n"},
		{args: "list --json", stdout: "[]\n"},
		{args: "list", stderr: "hint: there is no workspace yet: wsync add NAME PATH\n"},
		{args: "info w", code: 1, answers: map[string]any{"GET /v1/status": notFound}, stderr: "wsync: cannot describe w: there is no workspace \"w\"\nhint: there is: docs\n"},
		{
			args: "wait w --timeout 2s", answers: map[string]any{"POST /v1/wait": api.WaitResult{Version: api.JSONVersion, InSync: true}},
			requests: []string{`POST /v1/wait {"workspace":"w","timeout":2000000000}`},
		},
		{
			args: "wait w --timeout 90", answers: map[string]any{"POST /v1/wait": api.WaitResult{Version: api.JSONVersion, InSync: true}},
			requests: []string{`POST /v1/wait {"workspace":"w","timeout":90000000000}`},
		},
		{
			args: "wait --timeout 1d", answers: map[string]any{"POST /v1/wait": api.WaitResult{Version: api.JSONVersion, InSync: true}},
			requests: []string{`POST /v1/wait {"timeout":86400000000000}`},
		},
		{
			args: "wait --timeout 0 --json", answers: map[string]any{"POST /v1/wait": api.WaitResult{Version: api.JSONVersion, InSync: true}},
			stdout:   "{\n  \"version\": 1,\n  \"in_sync\": true,\n  \"timed_out\": false\n}\n",
			requests: []string{`POST /v1/wait {"timeout":0}`},
		},
		{
			args: "wait", code: 4,
			answers: map[string]any{"POST /v1/wait": api.WaitResult{TimedOut: true, Behind: []api.BehindRemote{
				{Workspace: "w", Remote: report.RemoteStatus{Name: "r", State: report.Offline, Error: "Connection refused"}},
				{Workspace: "w", Remote: report.RemoteStatus{Name: "s", State: report.Paused}},
				{Workspace: "w", Remote: report.RemoteStatus{Name: "t", State: report.InSync}},
			}}},
			stderr:   "wsync: w/r is not in sync: offline, retrying now: Connection refused\nwsync: w/s is not in sync: paused\nhint: wsync resume w s\nwsync: w/t is not in sync: no answer yet\n",
			requests: []string{`POST /v1/wait {"timeout":300000000000}`},
		},
		{
			args: "wait", code: 5,
			answers: map[string]any{"POST /v1/wait": api.WaitResult{Behind: []api.BehindRemote{
				{Workspace: "w", Remote: report.RemoteStatus{Name: "r", State: report.Halted, Held: &report.Held{Count: 9, Reason: "so many"}, Hint: "decide"}},
				{Workspace: "w", Remote: report.RemoteStatus{Name: "s", State: report.Halted}},
			}}},
			stderr:   "wsync: w/r is not in sync: halted: 9 deletions: so many\nhint: decide\nwsync: w/s is not in sync: halted\n",
			requests: []string{`POST /v1/wait {"timeout":300000000000}`},
		},
		{
			args: "wait w --confirmed", code: 4,
			answers: map[string]any{"POST /v1/wait": api.WaitResult{TimedOut: true, Behind: []api.BehindRemote{
				{Workspace: "w", Remote: report.RemoteStatus{Name: "t", State: report.Confirming}},
			}}},
			stderr:   "wsync: w/t is not in sync: not confirmed yet\n",
			requests: []string{`POST /v1/wait {"workspace":"w","timeout":300000000000,"confirmed":true}`},
		},
		{args: "wait --timeout -1s", code: 2, stderr: "wsync: cannot wait: --timeout is -1s: expected 0 or more\n"},
		{
			args: "wait --timeout soon", code: 2,
			stderr: "wsync: cannot run wsync wait: invalid value \"soon\" for option --timeout: expected a duration, such as 30s, 10m, 1h30m or 7d\nusage: wsync wait [NAME [REMOTE]] [--timeout DURATION] [--confirmed] [--json]\n",
		},
		{
			args: "logs -n many", code: 2,
			stderr: "wsync: cannot run wsync logs: invalid value \"many\" for option -n\nusage: wsync logs [NAME] [--follow] [--lines LINES] [--since TIME] [--grep PATTERN] [--level LEVEL] [--daemon] [--json]\n",
		},
		{
			args: "logs -n 99999999999999999999", code: 2,
			stderr: "wsync: cannot run wsync logs: invalid value \"99999999999999999999\" for option -n: value out of range\nusage: wsync logs [NAME] [--follow] [--lines LINES] [--since TIME] [--grep PATTERN] [--level LEVEL] [--daemon] [--json]\n",
		},
		{
			args: "add w /p --skip-git=maybe", code: 2,
			stderr: "wsync: cannot run wsync add: invalid boolean value \"maybe\" for option --skip-git\nusage: wsync add NAME PATH [--on-empty halt|allow] [--skip-git] [--gitignore] [--ignore PATTERN] [--no-default-ignores] [--ignore-tagged FILE]\n",
		},
		{
			args: "attach w r /dest", answers: attached(report.RemoteStatus{State: report.InSync, Adopted: true}),
			stdout:   "attached w/r to /dest: in sync\n",
			requests: []string{`POST /v1/workspaces/w/remotes {"remote":{"name":"r","remote_path":"/dest","connection_info":{"Local":{}}},"settle":3000000000}`},
		},
		{
			args:    "attach w r me@host:/dest --port 22 --delete-existing --delay-updates --skip-unsupported",
			answers: attached(report.RemoteStatus{State: report.Offline, Error: "ssh: no route to host", Hint: "is it on?"}),
			stdout:  "attached w/r to ssh://me@host:22/dest: offline, retrying now\n",
			stderr:  "wsync: w/r: ssh: no route to host\nhint: is it on?\n",
			requests: []string{
				`POST /v1/workspaces/w/remotes {"remote":{"name":"r","remote_path":"/dest","connection_info":{"Ssh":{"host":"host","port":22,"username":"me","identity_file":null}},"delay_updates":true,"skip_unsupported":true},"delete_existing":true,"settle":3000000000}`,
			},
		},
		{
			// The error is about a path, which is named as the status names it.
			args:     "attach w r /dest",
			answers:  attached(report.RemoteStatus{State: report.Retrying, Error: "it cannot be there", ErrorPath: "docs/a:b"}),
			stdout:   "attached w/r to /dest: retrying now\n",
			stderr:   "wsync: w/r: docs/a:b: it cannot be there\n",
			requests: []string{`POST /v1/workspaces/w/remotes {"remote":{"name":"r","remote_path":"/dest","connection_info":{"Local":{}}},"settle":3000000000}`},
		},
		{
			args: "attach w r /dest", code: 5,
			answers: map[string]any{"POST /v1/workspaces/w/remotes": &api.Error{
				Kind: api.Held, Message: "/dest is in use", Hint: "do this",
				Held: &report.Held{Count: 3, Sample: []string{"a", "b"}, Reason: "the destination is not empty"},
			}},
			stderr: "wsync: 3 deletions: the destination is not empty\n  a\n  b\n  and 1 more\n" +
				"wsync: cannot attach w/r: /dest is in use\nhint: do this\n",
			requests: []string{
				`POST /v1/workspaces/w/remotes {"remote":{"name":"r","remote_path":"/dest","connection_info":{"Local":{}}},"settle":3000000000}`,
			},
		},
		{
			args: "attach w r /dest", code: 1, answers: map[string]any{"GET /v1/workspaces/w": notFound},
			stderr: "wsync: cannot attach w/r: there is no workspace \"w\"\nhint: there is: docs\n",
		},
		{
			args: "attach w r /dest --port 3", code: 2,
			stderr: "wsync: cannot attach w/r: /dest is a directory of this machine: expected no --port, --user, --identity-file or --password-file\n",
		},
		{args: "attach w r h:/d --port 0", code: 2, stderr: "wsync: cannot attach w/r: --port is 0: expected a number from 1 to 65535\n"},
		{
			args: "attach w r h:/d --identity-file nowhere", code: 1,
			stderr: "wsync: cannot attach w/r: --identity-file: " + directory + "/nowhere does not exist\n",
		},
		{args: "logs", code: 1, stderr: "wsync: cannot show a log: there is none yet at HOME/.wsync/log/daemon.log\nhint: wsync daemon start\n"},
		{args: "logs w -n -1", code: 2, stderr: "wsync: cannot show a log: --lines is -1: expected 0 or more\n"},
		{args: "--version", stdout: "wsync test\n"},
		{args: "-v", stdout: "wsync test\n"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			home := home(t)
			daemon := &fakeDaemon{status: test.status, answers: test.answers}
			daemon.status.Daemon.Version = "test"
			serve(t, home, daemon)
			code, stdout, stderr := wsync(t, home, strings.Fields(test.args)...)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if stdout != test.stdout {
				t.Errorf("stdout:\n%s\nwant:\n%s", stdout, test.stdout)
			}
			if stderr := strings.ReplaceAll(stderr, home, "HOME"); stderr != test.stderr {
				t.Errorf("stderr:\n%s\nwant:\n%s", stderr, test.stderr)
			}
			changes := slices.DeleteFunc(daemon.requests, func(r string) bool { return strings.HasPrefix(r, "GET ") })
			if !slices.Equal(changes, test.requests) {
				t.Errorf("requests:\n%s\nwant:\n%s", strings.Join(changes, "\n"), strings.Join(test.requests, "\n"))
			}
		})
	}
}

func TestWithoutDaemon(t *testing.T) {
	home := home(t)
	for _, args := range []string{
		"add w /p", "remove w", "attach w r /p", "detach w r", "list", "list w r", "info", "info w", "status", "status w r", "pause", "resume", "resync", "approve", "status --watch", "wait",
		"pause w", "resume w", "restart w", "resync w", "approve w", "daemon status",
		"ignore w", "ignore w a", "ignore w --check a",
	} {
		code, stdout, stderr := wsync(t, home, strings.Fields(args)...)
		if code != 3 || stdout != "" || !strings.HasSuffix(stderr, ": the daemon is not running\nhint: wsync daemon start\n") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	if code, stdout, _ := wsync(t, home, "daemon", "stop"); code != 0 || stdout != "the daemon is not running\n" {
		t.Errorf("daemon stop: exit code %d, stdout %q", code, stdout)
	}
}

func TestPasswordFile(t *testing.T) {
	home := home(t)
	serve(t, home, &fakeDaemon{})
	file := filepath.Join(home, "secret")
	if err := os.WriteFile(file, []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := wsync(t, home, "attach", "w", "r", "rsync://h/m", "--password-file", file)
	want := "wsync: cannot attach w/r: others may read or write the password file " + file + "\nhint: chmod 600 " + file + "\n"
	if code != 1 || stderr != want {
		t.Errorf("exit code %d, stderr %q, want %q", code, stderr, want)
	}
}

func TestOtherVersion(t *testing.T) {
	home := home(t)
	serve(t, home, &fakeDaemon{status: api.Status{Daemon: api.DaemonStatus{Version: "old"}}})
	code, _, stderr := wsync(t, home, "status")
	if want := "wsync: the daemon is version old, this is test\nhint: wsync daemon restart\n"; code != 0 || !strings.HasSuffix(stderr, want) {
		t.Errorf("exit code %d, stderr %q, want %q", code, stderr, want)
	}
}

func TestProblemsOfTheDaemon(t *testing.T) {
	home := home(t)
	serve(t, home, &fakeDaemon{status: api.Status{Daemon: api.DaemonStatus{Version: "test", PID: 7, LogProblem: "full", NotifyProblem: "none"}}})
	const notes = "wsync: the daemon cannot log: full\nwsync: the daemon cannot run NotifyCommand, and nobody is told of trouble: none\n"
	for _, args := range []string{"status", "daemon start"} {
		if code, _, stderr := wsync(t, home, strings.Fields(args)...); code != 0 || !strings.HasSuffix(stderr, notes) {
			t.Errorf("%s: exit code %d, stderr %q, want %q", args, code, stderr, notes)
		}
	}
	if _, stdout, _ := wsync(t, home, "daemon", "status"); !strings.Contains(stdout, "cannot log: full\nnotices        cannot run NotifyCommand: none\n") {
		t.Errorf("daemon status: stdout %q", stdout)
	}
}

// What is watched is told in lines, and in JSON, until it is not there any more.
func TestWatchEndsWithTheWorkspace(t *testing.T) {
	home := home(t)
	daemon := &fakeDaemon{status: api.Status{Revision: 1, Workspaces: somePlaces()[1:2]}}
	daemon.answers = map[string]any{"GET /v1/status": daemon.status}
	// The second request, the one that waits, is refused.
	daemon.later = map[string]any{"GET /v1/status": &api.Error{Kind: api.NotFound, Message: "there is no workspace new"}}
	serve(t, home, daemon)
	code, stdout, stderr := wsync(t, home, "status", "new", "--watch")
	if code != 1 || !strings.HasSuffix(stdout, "  new  no remotes yet\n") || strings.Count(stdout, "\n") != 1 || stderr != "wsync: cannot get the status of new: there is no workspace new\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if want := "GET /v1/status?after=1&workspace=new"; len(daemon.requests) != 2 || daemon.requests[1] != want {
		t.Errorf("requests %q, want %q at the end", daemon.requests, want)
	}
}

func TestSSHArguments(t *testing.T) {
	const common = "-T -o ConnectTimeout=10 -o ControlPath=none -o ClearAllForwardings=yes -o RemoteCommand=none "
	for connection, want := range map[config.Connection]string{
		{HostAlias: &config.HostAlias{HostAlias: "nas"}}:                           common + "-- nas true",
		{SSH: &config.SSH{Host: "h"}}:                                              common + "-- h true",
		{SSH: &config.SSH{Host: "h", Port: 22, Username: "u", IdentityFile: "/k"}}: common + "-p 22 -l u -i /k -- h true",
	} {
		if got := strings.Join(sshArguments(config.Remote{Connection: connection}), " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
