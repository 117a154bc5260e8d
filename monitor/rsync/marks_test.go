package rsync

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/config"
	"wsync/monitor/remotetest"
)

func TestLevels(t *testing.T) {
	t.Parallel()
	daemon := config.Connection{RsyncDaemon: &config.RsyncDaemon{Host: "h"}}
	ssh := config.Connection{HostAlias: &config.HostAlias{HostAlias: "h"}}
	for _, test := range []struct {
		c    config.Connection
		path string
		want string
	}{
		{ssh, "/srv/www/site", "/srv/www/site /srv/www /srv /"},
		{ssh, "a/b", "a/b a ."},
		{ssh, "a", "a ."},
		{daemon, "module", "module"},
		{daemon, "module/a/b", "module/a/b module/a module"},
	} {
		if got := Levels(config.Remote{RemotePath: test.path, Connection: test.c}); strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q", test.path, got)
		}
	}
	if deep := Levels(config.Remote{RemotePath: "/" + strings.Repeat("d/", 1000) + "d", Connection: ssh}); len(deep) != maxLevels {
		t.Errorf("%d levels", len(deep))
	}
}

func TestPullMarks(t *testing.T) {
	t.Parallel()
	e := Endpoint{Remote: config.Remote{RemotePath: "/a [b]", Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "h"}}}, Strategy: modern, SSH: []string{"ssh"}}
	args := PullMarks(e, []string{"/a [b]", "/"}, "/scratch").Args
	end := args[slices.Index(args, "--"):]
	if want := []string{"--", `h:/a \[b]/.wsync-tmp/`, "h:/.wsync-tmp/", "/scratch/"}; !slices.Equal(end, want) {
		t.Errorf("%q", end)
	}
}

// What is done at the end makes no destination that somebody has removed, and spares
// what the directory around it holds.
func TestRemoveMarkMakesNothing(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	everywhere(t, func(t *testing.T, endpoint func(string) Endpoint) {
		around, name := dir(t, 0), config.MarkPrefix+"0a"
		dst := filepath.Join(around, "dst")
		e := endpoint(dst)
		run := func(job Job) {
			t.Helper()
			r, err := Run(t.Context(), dir(t, 0), Environment(""), job, nil)
			if check(t, err); r.Code != 0 {
				t.Errorf("rsync %q: exit code %d: %s", job.Args, r.Code, r.Stderr)
			}
		}
		both := func() { run(RemoveMark(e, dst, name)); run(Root(e).IfThere()) }
		tree(t, around, map[string]string{"kept": "x", name: "another's", "dst/kept": "x", "dst/" + name: "x"})
		both()
		exists(t, dst, map[string]bool{"kept": true, config.TempDirectory: false})
		check(t, os.RemoveAll(dst))
		both()
		exists(t, around, map[string]bool{"kept": true, name: true, "dst": false})
	})
}

func exists(t *testing.T, dir string, want map[string]bool) {
	t.Helper()
	for name, want := range want {
		if _, err := os.Lstat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s is there: %v, %v", name, !want, err)
		}
	}
}

// A listing of deletions tells of mirrors inside, and of probes, which are nobody's.
func TestReadDeletedMarks(t *testing.T) {
	t.Parallel()
	var r Result
	for _, name := range []string{
		"q/.wsync-tmp/mark-0a", "q/r/.wsync-tmp/mark-0b", "q/.wsync-tmp/", "q/f",
		".wsync-probe-123/kept", ".wsync-probe-123/", "x/.wsync-tmp/mark-", "mark-0c", "y/.wsync-tmp/mark-d/e",
	} {
		r.readLine("*deleting   0 " + name)
	}
	if r.Deleted != 9 || r.Probes != 2 || len(r.Inside) != 2 || r.Inside["q"] != "0a" || r.Inside["q/r"] != "0b" {
		t.Errorf("%+v", r)
	}
	if slices.ContainsFunc(r.DeletedSample, IsProbe) {
		t.Errorf("a probe is shown: %q", r.DeletedSample)
	}
}
