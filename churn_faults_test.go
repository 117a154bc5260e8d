package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// churnFault is an accident: what happens, to which remote, when, and for how
// long.
type churnFault struct {
	kind     string
	remote   int
	delay    time.Duration // from the operation at which it is due
	duration time.Duration // of those that last
	pick     int           // which of several processes
}

// drawFault draws a fault that the remotes of this seed can have.
func (c *churn) drawFault(rng *rand.Rand) churnFault {
	kinds := []string{"kill monitor", "kill monitor", "kill daemon", "kill rsync", "kill rsync", "stop monitor"}
	f := churnFault{
		remote: rng.IntN(len(c.remotes)),
		delay:  time.Duration(rng.Int64N(int64(60 * time.Millisecond))),
		pick:   rng.IntN(1000),
	}
	f.duration = time.Duration(rng.Int64N(int64(300 * time.Millisecond)))
	if rng.IntN(4) == 0 {
		f.duration *= 5
	}
	if r := c.remotes[f.remote]; r.server != nil {
		kinds = append(kinds, "kill connections", "kill connections", "stop server", "dead link", "dead link")
		if r.kind != "rsyncd" {
			kinds = append(kinds, "kill ssh", "kill ssh")
		}
	}
	f.kind = kinds[rng.IntN(len(kinds))]
	return f
}

// start has a fault injected, after those that are under way.
func (c *churn) start(f churnFault) {
	c.idle.Add(1)
	c.faults <- f
}

// inject makes a fault happen and end; it runs in a goroutine of its own.
func (c *churn) inject(f churnFault) {
	churnPause(f.delay)
	r := c.remotes[f.remote]
	c.note(nil, "FAULT %s (%s %s, for %v)", f.kind, r.name, r.kind, f.duration)
	defer c.note(nil, "fault %s is over", f.kind)
	switch f.kind {
	case "kill monitor":
		c.signal(f, syscall.SIGKILL, "__monitor")
	case "stop monitor":
		if pid := c.signal(f, syscall.SIGSTOP, "__monitor"); pid != 0 {
			churnPause(f.duration)
			_ = syscall.Kill(pid, syscall.SIGCONT) // it may have been ended meanwhile
		}
	case "kill daemon":
		c.signal(f, syscall.SIGKILL, "daemon")
		churnPause(f.duration / 4)
		if out, code := c.exec("daemon", "start"); code != 0 {
			c.t.Errorf("seed %d: wsync daemon start after kill -9: exit code %d\n%s", c.seed, code, out)
		}
	case "kill rsync":
		c.signal(f, syscall.SIGKILL, "rsync")
	case "kill ssh":
		c.signal(f, syscall.SIGKILL, "ssh")
	case "kill connections":
		r.server.KillConnections()
	case "stop server":
		r.server.Stop()
		churnPause(f.duration)
		r.server.Restart()
	case "dead link":
		r.proxy.Cut()
		churnPause(f.duration)
		r.proxy.Heal()
	}
}

// signal sends a signal to one of the processes of a kind as soon as there is
// one, for which it waits a bounded time. It returns its id, 0 if there was
// none.
func (c *churn) signal(f churnFault, sig syscall.Signal, kind string) int {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for range 150 {
		if pids := c.processes(kind); len(pids) > 0 {
			pid := pids[f.pick%len(pids)]
			if syscall.Kill(pid, sig) == nil {
				c.note(nil, "signal %v for %s %d, one of %v", sig, kind, pid, pids)
				return pid
			}
		}
		<-ticker.C
	}
	c.note(nil, "no %s to signal", kind)
	return 0
}

// processes returns the processes of this home directory of a kind: rsync,
// ssh, daemon or __monitor. It needs Linux's /proc; elsewhere it finds none.
func (c *churn) processes(kind string) []int {
	var pids []int
	for _, pid := range processesAtHome(c.home) {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			continue // it ended
		}
		args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		switch {
		case args[0] == "wsync" && len(args) > 2 && (args[1] == kind && args[2] != "start" && args[2] != "stop"),
			filepath.Base(args[0]) == kind:
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}
