package rsync

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wsync/config"
	"wsync/monitor/remotetest"
)

func TestMain(m *testing.M) {
	remotetest.Prepare()
	os.Exit(m.Run())
}

// modern is what the rsync of this machine does.
var modern = Strategy{Nanoseconds: true, DeleteMissing: true, Mkpath: true}

// oddNames are names that some part of rsync could take for something else.
var oddNames = []string{
	"a*b", "a?b", "a[b]c", `a\b`, `a\*b`, "[x", "x]", "*", "**", "?", `\`, `\\`, `t\`, "a**b",
	"nl\nx", "cr\rx", "tab\tx", " lead", "trail ", "#hash", ";semi", "- minus", "+ plus", "-dash", "--delete", "!",
	`quo"te`, "apo'strophe", `"`, `a" failed: b`, `a" -> "b`, "par)en", "un(link", `\#012`, "$HOME", "`id`", "a&b", "a|b", "~", "~x", "...", ".x",
	"colon:x", "host:path", "comma,", "utf8-\u00e4\u20ac", "bad\xff\xfeutf8", "\x01\x7f", ".x.AbCdEf", strings.Repeat("l", 255),
}

// dir makes an empty directory that everybody can reach, and that is owned by
// whom uid says.
func dir(t *testing.T, uid int) string {
	t.Helper()
	d, err := os.MkdirTemp("", "wsync-rsync-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		filepath.WalkDir(d, func(p string, e fs.DirEntry, err error) error {
			if e != nil && e.IsDir() {
				os.Chmod(p, 0o700)
			}
			return nil
		})
		if err := os.RemoveAll(d); err != nil {
			t.Error(err)
		}
	})
	check(t, os.Chmod(d, 0o755))
	if os.Geteuid() == 0 {
		check(t, os.Chown(d, uid, uid))
	}
	return d
}

var check, poll = remotetest.Check, remotetest.Poll

// tree writes files below root, from their paths to their contents: a path
// with a trailing slash is a directory, "-> X" a symbolic link to X.
func tree(t *testing.T, root string, entries map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		content, path := entries[name], filepath.Join(root, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		target, link := strings.CutPrefix(content, "-> ")
		switch {
		case strings.HasSuffix(name, "/"):
			check(t, os.MkdirAll(path, 0o755))
		case link:
			check(t, os.Symlink(target, path))
		default:
			check(t, os.WriteFile(path, []byte(content), 0o644))
		}
	}
}

// age gives everything below root the same old time, so that a comparison can
// only be about what a test means.
func age(t *testing.T, root string) {
	t.Helper()
	stamp := time.Unix(1_500_000_000, 123456789)
	var all []string
	check(t, filepath.WalkDir(root, func(p string, _ fs.DirEntry, err error) error {
		all = append(all, p)
		return err
	}))
	times := []unix.Timespec{unix.NsecToTimespec(stamp.UnixNano()), unix.NsecToTimespec(stamp.UnixNano())}
	for _, p := range slices.Backward(all) {
		check(t, unix.UtimesNanoAt(unix.AT_FDCWD, p, times, unix.AT_SYMLINK_NOFOLLOW))
	}
}

// list returns what is below root, sorted; directories end with a slash.
func listing(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	check(t, filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		name, err := filepath.Rel(root, p)
		if e.IsDir() {
			name += "/"
		}
		all = append(all, name)
		return err
	}))
	return all
}

// local is an endpoint on this machine.
func local(dst string, s Strategy) Endpoint {
	return Endpoint{Strategy: s, Remote: config.Remote{Name: "r", RemotePath: dst, Connection: config.Connection{Local: &config.Local{}}}}
}

// remote is an endpoint behind a remote shell, which finds its programs in path
// first.
func remote(t *testing.T, dst, path string, s Strategy) Endpoint {
	t.Helper()
	shell := filepath.Join(dir(t, 0), "remote shell")
	if path != "" {
		path += ":"
	}
	remotetest.WriteScript(t, shell, "shift\nPATH='"+path+"'$PATH\nexec sh -c \"$*\"")
	return Endpoint{Strategy: s, SSH: []string{shell}, Remote: config.Remote{
		Name: "r", RemotePath: dst, Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "host"}},
	}}
}

// stub makes a directory with an rsync that refuses options, as an older or
// different one would, and that otherwise is the real one. The short form of
// --modify-window is "-@".
func stub(t *testing.T, code string, refused ...string) string {
	t.Helper()
	real, err := exec.LookPath("rsync")
	check(t, err)
	d := dir(t, 0)
	script := "for a; do case $a in " + strings.Join(refused, "*|") + "*) " +
		"echo \"rsync: $a: unknown option\" >&2; echo 'rsync error: syntax or usage error (code " + code + ") at main.c(1)' >&2; exit " + code + ";; esac; done\n" +
		"exec '" + real + "' \"$@\""
	remotetest.WriteScript(t, filepath.Join(d, "rsync"), script)
	return d
}

// run runs a job, which must end with one of codes (0 if there are none).
func run(t *testing.T, src string, job Job, codes ...int) Result {
	t.Helper()
	r, err := Run(context.Background(), src, Environment(""), job, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(codes) == 0 {
		codes = []int{0}
	}
	if !slices.Contains(codes, r.Code) {
		t.Fatalf("rsync %q ended with %d, expected %v:\n%s", job.Args, r.Code, codes, r.Stderr)
	}
	return r
}

func same(t *testing.T, a, b string) {
	t.Helper()
	for _, difference := range remotetest.CompareTrees(a, b) {
		t.Error(difference)
	}
}

// nobody is a user who is not root, or whoever runs the test.
const nobody = 65534

// runAsNobody runs rsync as somebody to whom permissions matter, and returns
// the exit code and both outputs.
func runAsNobody(t *testing.T, cwd string, job Job) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "rsync", job.Args...)
	cmd.Dir, cmd.Env = cwd, Environment("")
	if job.Input != nil {
		cmd.Stdin = strings.NewReader(string(job.Input))
	}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// daemonEndpoint is an endpoint at an rsync daemon with a user "u".
func daemonEndpoint(d *remotetest.RsyncDaemon, path, password string) Endpoint {
	return Endpoint{Strategy: modern, Remote: config.Remote{Name: "r", RemotePath: path, Connection: config.Connection{
		RsyncDaemon: &config.RsyncDaemon{Host: "127.0.0.1", Port: d.Port, Username: "u", PasswordFile: password},
	}}}
}

// fullPass is one run that does all: it compares the whole tree, sends what differs, and
// deletes at most maxDelete entries. It is for tests about what rsync says meanwhile.
func fullPass(e Endpoint, except []string, maxDelete int) Job {
	args := append([]string{"--recursive", "--stats"}, e.delay()...)
	if !e.Strategy.Basic {
		args = append(args, "--delete", "--max-delete="+strconv.Itoa(maxDelete))
	} else if maxDelete > 0 {
		args = append(args, "--delete")
	}
	if maxDelete > 0 {
		args = append(args, e.force()...)
	}
	return e.job(append(append(args, e.mkpath()...), excludes(except)...), nil)
}

// compareTrees is fullPass for the listed directories, by their contents, and without a
// limit.
func compareTrees(e Endpoint, paths, except []string) Job {
	job := LookInto(e, paths, except).Contents(e)
	job.Args = slices.DeleteFunc(job.Args, func(a string) bool { return a == "--dry-run" })
	for _, force := range e.force() {
		job = job.with(force)
	}
	return job
}
