// Package remotetest gives tests real remotes on loopback: an sshd, an rsync
// daemon, and a proxy that delays or cuts the line to either. It also makes
// and compares trees of files. Only tests and benchmarks may import it.
//
// Each server has its own configuration and port, is run by the user who runs the
// test, and is killed with all its connections when the test ends. All sshds of a test
// program have the same keys.
package remotetest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// T is the part of testing.TB that this package needs. It is an interface of
// its own so that commands of a test script can stand in for a test.
type T interface {
	Helper()
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(func())
	TempDir() string
}

// EnvT is T for what changes the environment.
type EnvT interface {
	T
	Setenv(key, value string)
}

// loopback is the only address that anything of this package listens on.
const loopback = "127.0.0.1"

// patience is how long a server may take to come up or to go away.
const patience = 20 * time.Second

// programs are found once, by the PATH that the test process started with: a
// test that puts a wrapper of ours first in PATH must not have it wrapped again.
var programs = sync.OnceValue(func() map[string]string {
	found := make(map[string]string)
	for _, name := range []string{"rsync", "ssh", "sshd", "ssh-keygen"} {
		// sshd is often not in the PATH of a plain user.
		for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
			if path, err := exec.LookPath(candidate); err == nil {
				found[name] = path
				break
			}
		}
	}
	return found
})

// Missing returns a sentence that names the programs which the servers need
// and this machine lacks, with what to do about it, or "" if it has them all.
// Tests fail with it rather than skip: a skipped test proves nothing.
func Missing() string {
	var missing []string
	for _, name := range []string{"rsync", "ssh", "sshd", "ssh-keygen"} {
		if programs()[name] == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("cannot find %s: run `sh testdata/setup.sh` at the top of the checkout", strings.Join(missing, ", "))
}

// program returns the absolute path of one of programs.
func program(t T, name string) string {
	t.Helper()
	if missing := Missing(); missing != "" {
		t.Fatalf("%s", missing)
	}
	return programs()[name]
}

// freePort returns a port of loopback that nothing listens on. It stays below
// the range from which systems take the ports of outgoing connections: while a
// server is stopped, its port would otherwise sooner or later be taken.
func freePort(t T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", address(port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatalf("cannot find a free port on %s", loopback)
	return 0
}

func address(port int) string {
	return net.JoinHostPort(loopback, strconv.Itoa(port))
}

// atOnce is how many tests run at once for each processor. What they do most is to wait
// for other processes.
const atOnce = 3

// WaitTogether makes more tests run in parallel than there are processors, unless
// -parallel says how many. A TestMain calls it, before the flags are read.
func WaitTogether() {
	if f := flag.Lookup("test.parallel"); f != nil {
		_ = f.Value.Set(strconv.Itoa(atOnce * runtime.GOMAXPROCS(0))) // it is a number
	}
}

// WriteScript writes a shell script that can be run. Until it is closed no process is
// started: a child of another goroutine would have it open for a moment, and what is
// open for writing cannot be run.
func WriteScript(t T, path, script string) {
	t.Helper()
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatalf("cannot write a script: %v", err)
	}
}

func writeFile(t T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatalf("cannot write a file of the test server: %v", err)
	}
}

// poll is pollFor with the patience for servers.
func poll(done func() bool) bool { return pollFor(patience, done) }

// pollFor calls done until it returns true or the time is over, and returns what
// it returned last.
func pollFor(limit time.Duration, done func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if done() {
			return true
		}
		select {
		case <-deadline.C:
			return done()
		case <-tick.C:
		}
	}
}
