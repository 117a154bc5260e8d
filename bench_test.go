package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wsync/daemon/api"
	"wsync/monitor/remotetest"
)

// wsyncBinary is the program that the benchmarks run, so that two versions can
// be compared: WSYNC_BENCH_BINARY=/path/to/another go test -bench Visible .
const wsyncBinary = "WSYNC_BENCH_BINARY"

// BenchmarkVisible measures the time from the write of a small file to its
// content being visible on a remote, one change at a time on a quiet system:
// the median and the 95th percentile over b.N changes.
//
//	go test -run '^$' -bench Visible -benchtime 50x .
//
// What ends with "trash" is on a remote that keeps what is overwritten.
func BenchmarkVisible(b *testing.B) {
	for _, name := range []string{"local", "local-trash", "ssh", "ssh-trash", "rsync-daemon", "rsync-daemon-trash"} {
		b.Run(name, func(b *testing.B) {
			kind, trash := strings.CutSuffix(name, "-trash")
			u := startUser(b)
			source, remote := filepath.Join(u.home, "source"), filepath.Join(u.home, "remote")
			if _, err := remotetest.GoTree(source); err != nil {
				b.Fatal(err)
			}
			if err := os.MkdirAll(remote, 0o755); err != nil {
				b.Fatal(err)
			}
			u.wsync("add", "bench", source)
			u.wsync(append([]string{"attach", "bench", "remote"}, u.destination(kind, remote)...)...)
			if trash {
				u.wsync("set", "bench", "remote", "trash=7d")
			}
			u.wsync("wait", "bench")
			var times []time.Duration
			file := filepath.Join(source, "file")
			for i := range b.N {
				// Quiet first: what one change costs, not what two share.
				u.wsync("wait", "bench")
				content := fmt.Sprintf("change %d\n", i)
				began := time.Now()
				if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
					b.Fatal(err)
				}
				await(b, func() bool {
					got, _ := os.ReadFile(filepath.Join(remote, "file"))
					return string(got) == content
				})
				times = append(times, time.Since(began))
			}
			slices.Sort(times)
			b.ReportMetric(milliseconds(times[len(times)/2]), "p50-ms")
			b.ReportMetric(milliseconds(times[len(times)*95/100]), "p95-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkBeside measures the same while a large file is on its way to the remote,
// and before that on a quiet one: 1 GB, or 80 MB where the line carries 4 MB/s.
//
//	go test -run '^$' -bench Beside -benchtime 20x .
func BenchmarkBeside(b *testing.B) {
	for _, test := range []struct {
		kind  string
		large int64
	}{{"local", 1 << 30}, {"ssh", 1 << 30}, {"ssh-4MB", 80 << 20}} {
		b.Run(test.kind, func(b *testing.B) {
			u := startUser(b)
			source, remote := filepath.Join(u.home, "source"), filepath.Join(u.home, "remote")
			for _, dir := range []string{filepath.Join(source, "small"), filepath.Join(source, "large"), remote} {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					b.Fatal(err)
				}
			}
			u.wsync("add", "bench", source)
			u.wsync(append([]string{"attach", "bench", "remote"}, u.destination(test.kind, remote)...)...)
			u.wsync("wait", "bench")
			change := func(i int) time.Duration {
				content, name := fmt.Sprintf("change %d\n", i), filepath.Join("small", "file")
				began := time.Now()
				if err := os.WriteFile(filepath.Join(source, name), []byte(content), 0o644); err != nil {
					b.Fatal(err)
				}
				await(b, func() bool {
					got, _ := os.ReadFile(filepath.Join(remote, name))
					return string(got) == content
				})
				return time.Since(began)
			}
			var quiet, beside []time.Duration
			for i := range b.N {
				u.wsync("wait", "bench")
				quiet = append(quiet, change(i))
			}
			u.wsync("wait", "--confirmed", "bench")
			writeRandom(b, filepath.Join(source, "large", "file"), test.large)
			sending := func() bool {
				t := u.status().Workspaces[0].Remotes[0].Transfer
				return t != nil && t.Bytes > 0
			}
			await(b, sending)
			for i := range b.N {
				if !sending() {
					break
				}
				beside = append(beside, change(-i-1))
			}
			if len(beside) == 0 {
				b.Fatal("the large file was there before anything else could be sent")
			}
			slices.Sort(quiet)
			slices.Sort(beside)
			b.ReportMetric(milliseconds(quiet[len(quiet)/2]), "quiet-p50-ms")
			b.ReportMetric(milliseconds(beside[len(beside)/2]), "beside-p50-ms")
			b.ReportMetric(milliseconds(beside[len(beside)-1]), "beside-max-ms")
			b.ReportMetric(float64(len(beside)), "changes")
			b.ReportMetric(0, "ns/op")
			u.wsync("wait", "bench")
		})
	}
}

// writeRandom writes a file of so many bytes that nothing makes shorter.
func writeRandom(b *testing.B, name string, size int64) {
	b.Helper()
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{1}), size); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkScale reports what a workspace of 12,000 directories and 100,000
// files costs: the time until its monitor watches, its memory at rest and
// after 50,000 files were touched, the processor time of ten idle seconds, and
// the time of `wsync list`.
//
//	go test -run '^$' -bench Scale -benchtime 1x .
func BenchmarkScale(b *testing.B) {
	for range b.N {
		u := startUser(b)
		source := filepath.Join(u.home, "source")
		files := makeTree(b, source, 12000, 100000)
		u.wsync("add", "bench", source)
		u.wsync("attach", "bench", "remote", filepath.Join(u.home, "remote"))
		u.wsync("wait", "bench")
		// Once more, with nothing to send: the monitor's own start.
		u.wsync("daemon", "stop")
		u.wsync("daemon", "start")
		u.wsync("wait", "bench")
		pid := u.status().Workspaces[0].Monitor.PID
		b.ReportMetric(milliseconds(u.armingTime()), "watching-ms")
		b.ReportMetric(residentMB(b, pid, "VmRSS"), "rest-MB")

		before := processorTime(b, pid)
		quiet := time.NewTimer(10 * time.Second) // the thing that is measured
		<-quiet.C
		b.ReportMetric(milliseconds(processorTime(b, pid)-before), "idle-cpu-ms/10s")

		var list []time.Duration
		for range 20 {
			began := time.Now()
			u.wsync("list")
			list = append(list, time.Since(began))
		}
		slices.Sort(list)
		b.ReportMetric(milliseconds(list[len(list)/2]), "list-p50-ms")

		now := time.Now()
		for _, f := range files[:50000] {
			if err := os.Chtimes(f, now, now); err != nil {
				b.Fatal(err)
			}
		}
		u.wsync("wait", "bench")
		b.ReportMetric(residentMB(b, pid, "VmHWM"), "peak-MB")
		b.ReportMetric(0, "ns/op")
	}
}

// verifyFiles is how many files BenchmarkVerify compares.
var verifyFiles = flag.Int("verify.files", 100000, "BenchmarkVerify: how many files")

// BenchmarkVerify reports what it takes to compare a tree of files that are equal by their
// contents: the time, the processor time of the monitor and all that it runs (and, but for
// sshd's, what runs on the remote, which is this machine), and what crosses the line.
//
//	go test -run '^$' -bench Verify -benchtime 1x -verify.files 1000000 -timeout 1h .
func BenchmarkVerify(b *testing.B) {
	for _, kind := range []string{"local", "ssh"} {
		b.Run(kind, func(b *testing.B) {
			u := startUser(b)
			source, remote := filepath.Join(u.home, "source"), filepath.Join(u.home, "remote")
			makeTree(b, source, *verifyFiles/100, *verifyFiles)
			if out, err := exec.Command("cp", "-a", source, remote).CombinedOutput(); err != nil {
				b.Fatalf("cp: %v: %s", err, out)
			}
			var line *remotetest.Proxy
			destination := []string{remote}
			if kind == "ssh" {
				destination, line = u.sshThroughProxy(remote)
			}
			u.wsync("add", "bench", source)
			u.wsync(append([]string{"attach", "bench", "remote"}, destination...)...)
			u.wsync("wait", "bench", "--confirmed")
			pid := u.status().Workspaces[0].Monitor.PID
			var took, processor time.Duration
			var carried int64
			for range b.N {
				if line != nil {
					carried -= line.Carried()
				}
				processor -= processorTimeOfAll(b, pid)
				began := time.Now()
				u.wsync("verify", "bench")
				took += time.Since(began)
				processor += processorTimeOfAll(b, pid)
				if line != nil {
					carried += line.Carried()
				}
			}
			b.ReportMetric(took.Seconds()/float64(b.N), "s/verify")
			b.ReportMetric(processor.Seconds()/float64(b.N), "cpu-s/verify")
			if line != nil {
				b.ReportMetric(float64(carried)/float64(b.N)/1e6, "line-MB/verify")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// user is somebody with a home directory, a daemon and servers of their own.
type user struct {
	b      testing.TB
	home   string
	binary string
	env    []string
}

func startUser(b testing.TB) *user {
	b.Helper()
	if missing := remotetest.Missing(); missing != "" {
		b.Fatal(missing)
	}
	home, err := os.MkdirTemp("", "wb")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(home) })
	u := &user{b: b, home: home, binary: os.Getenv(wsyncBinary)}
	if u.binary == "" {
		if u.binary, err = exec.LookPath("wsync"); err != nil {
			b.Fatal(err)
		}
	}
	bin := filepath.Join(home, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		b.Fatal(err)
	}
	u.env = append(os.Environ(), "HOME="+home, "PATH="+bin+":"+os.Getenv("PATH"))
	u.wsync("daemon", "start")
	b.Cleanup(func() { u.wsync("daemon", "stop") })
	return u
}

// wsync runs a command that must succeed.
func (u *user) wsync(args ...string) []byte {
	u.b.Helper()
	cmd := exec.Command(u.binary, args...)
	cmd.Env = u.env
	out, err := cmd.Output()
	if err != nil {
		u.b.Fatalf("wsync %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (u *user) status() api.Status {
	u.b.Helper()
	var status api.Status
	if err := json.Unmarshal(u.wsync("status", "--json"), &status); err != nil {
		u.b.Fatal(err)
	}
	return status
}

// destination starts the server that a kind of remote needs, and returns the
// arguments of attach that reach dir.
func (u *user) destination(kind, dir string) []string {
	u.b.Helper()
	switch kind {
	case "ssh":
		return u.ssh(remotetest.StartSSHD(u.b, remotetest.SSHDOptions{}), dir)
	case "ssh-4MB":
		destination, line := u.sshThroughProxy(dir)
		line.SetRate(4 << 20)
		return destination
	case "rsync-daemon":
		d := remotetest.StartRsyncDaemon(u.b, map[string]string{"bench": dir}, remotetest.RsyncDaemonOptions{})
		return []string{"rsync://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(d.Port)) + "/bench"}
	}
	return []string{dir}
}

// ssh returns the arguments of attach that reach dir by an sshd.
func (u *user) ssh(sshd *remotetest.SSHD, dir string) []string {
	sshd.Wrapper(filepath.Join(u.home, "bin"), "bench-host")
	// The daemon looks for ssh in its PATH, which had none at its start.
	return []string{"bench-host:" + dir}
}

// sshThroughProxy starts an sshd behind a proxy, and returns the arguments of attach that
// reach dir there.
func (u *user) sshThroughProxy(dir string) ([]string, *remotetest.Proxy) {
	u.b.Helper()
	sshd := remotetest.StartSSHD(u.b, remotetest.SSHDOptions{})
	line := remotetest.StartProxy(u.b, net.JoinHostPort("127.0.0.1", strconv.Itoa(sshd.Port)))
	sshd.Port = line.Port
	return u.ssh(sshd, dir), line
}

// armingTime is the time from the last monitor's start to its watching the
// whole tree, by its log.
func (u *user) armingTime() time.Duration {
	u.b.Helper()
	log, err := os.ReadFile(filepath.Join(u.home, ".wsync", "log", "workspaces", "bench.log"))
	if err != nil {
		u.b.Fatal(err)
	}
	var started, watching time.Time
	for line := range strings.Lines(string(log)) {
		var entry struct {
			Time    time.Time `json:"ts"`
			Message string    `json:"msg"`
		}
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue
		}
		switch entry.Message {
		case "Monitor started":
			started = entry.Time
		case "Watching":
			watching = entry.Time
		}
	}
	return watching.Sub(started)
}

// makeTree makes a tree of so many directories and files, and returns the
// files.
func makeTree(b *testing.B, root string, directories, files int) []string {
	b.Helper()
	var paths []string
	for i := range directories {
		dir := filepath.Join(root, fmt.Sprintf("d%d", i/100), fmt.Sprintf("e%d", i%100))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		for len(paths) < files*(i+1)/directories {
			p := filepath.Join(dir, fmt.Sprintf("f%d", len(paths)))
			if err := os.WriteFile(p, []byte(p), 0o644); err != nil {
				b.Fatal(err)
			}
			paths = append(paths, p)
		}
	}
	return paths
}

// residentMB is a figure of /proc/PID/status in megabytes.
func residentMB(b *testing.B, pid int, name string) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kB, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				b.Fatal(err)
			}
			return float64(kB) / 1024
		}
	}
	b.Fatalf("no %s in the status of process %d", name, pid)
	return 0
}

// processorTime is the time that a process has used.
func processorTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	// utime and stime are the 14th and 15th field (proc_pid_stat(5)).
	return processorTimes(b, pid, 14, 15)
}

// processorTimeOfAll is the time that a process has used with all that it has run and
// that has ended.
func processorTimeOfAll(b *testing.B, pid int) time.Duration {
	b.Helper()
	return processorTimes(b, pid, 14, 17)
}

// processorTimes adds up fields of a process's stat, from first to last; the kernel
// counts in hundredths of a second.
func processorTimes(b *testing.B, pid, first, last int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	// The name in parentheses, which is the second field, may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks time.Duration
	for _, f := range fields[first-3 : last-2] {
		n, err := strconv.Atoi(f)
		if err != nil {
			b.Fatal(err)
		}
		ticks += time.Duration(n)
	}
	return ticks * 10 * time.Millisecond
}

// await polls often, because the time is measured.
func await(b *testing.B, done func() bool) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(100 * time.Microsecond)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			b.Fatal("the change never became visible")
		case <-ticker.C:
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
