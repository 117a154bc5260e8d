//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"wsync/monitor/remotetest"
)

// kind is what stands between a source and its remotes.
type kind string

const (
	bySSH    kind = "ssh"
	slowSSH  kind = "ssh, delayed"
	byDaemon kind = "rsync daemon"
	byPath   kind = "local path"
)

// oneWay is how long a byte takes each way of slowSSH.
const oneWay = 20 * time.Millisecond

// sshAlias is the name of the sshd in the configurations of ssh.
const sshAlias = "bench-host"

// place is a source with its remotes, for one tool.
type place struct {
	kind    kind
	source  string
	remotes []string // directories of this machine, whatever the kind
	targets []string // the same as rsync calls them

	bin       string // a directory with an ssh that knows sshAlias
	sshConfig string // what that ssh is configured by
}

// server is what the places of a scenario share.
type server struct {
	kind kind
	sshd *remotetest.SSHD
}

// startServer starts what a kind of place needs; r is told how slow slowSSH is.
func startServer(s *stage, k kind, r *report) *server {
	sv := &server{kind: k}
	if k == bySSH || k == slowSSH {
		sv.sshd = remotetest.StartSSHD(s, remotetest.SSHDOptions{})
		checkLogin(s, sv.sshd)
	}
	if k == slowSSH {
		proxy := remotetest.StartProxy(s, net.JoinHostPort("127.0.0.1", strconv.Itoa(sv.sshd.Port)))
		proxy.SetDelay(oneWay)
		// The configurations of ssh are written for this port.
		sv.sshd.Port = proxy.Port
		r.remark(fmt.Sprintf("delayed: a round trip takes %.1f ms", milliseconds(roundTrip(s))))
	}
	return sv
}

// checkLogin makes sure that the user may log in at all, which accounts that are
// locked or without a shell may not, rather than have every tool find out.
func checkLogin(s *stage, sshd *remotetest.SSHD) {
	bin := s.TempDir()
	sshd.Wrapper(bin, sshAlias)
	if _, err := s.command(environment(), filepath.Join(bin, "ssh"), "-o", "BatchMode=yes", sshAlias, "true"); err != nil {
		s.Fatalf("sshd does not let %s in: %w", sshd.User, err)
	}
}

// roundTrip measures what a delay of oneWay comes to, with an echo in the
// server's place.
func roundTrip(s *stage) time.Duration {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	s.check(err)
	s.Cleanup(func() { echo.Close() })
	go func() {
		for conn, err := echo.Accept(); err == nil; conn, err = echo.Accept() {
			_, _ = io.Copy(conn, conn) // until the other side closes
			conn.Close()
		}
	}()
	proxy := remotetest.StartProxy(s, echo.Addr().String())
	proxy.SetDelay(oneWay)
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(proxy.Port)))
	s.check(err)
	defer conn.Close()
	s.check(conn.SetDeadline(time.Now().Add(20 * time.Second)))
	var times []time.Duration
	for range 10 {
		began := time.Now()
		_, err := conn.Write([]byte{1})
		s.check(err)
		_, err = conn.Read(make([]byte, 1))
		s.check(err)
		times = append(times, time.Since(began))
	}
	return percentile(times, 50)
}

// newPlace makes a place with an empty source and so many remotes.
func (sv *server) newPlace(s *stage, remotes int) *place {
	dir := s.TempDir()
	p := &place{kind: sv.kind, source: filepath.Join(dir, "source"), bin: filepath.Join(dir, "bin")}
	s.check(os.Mkdir(p.source, 0o755))
	s.check(os.Mkdir(p.bin, 0o755))
	modules := make(map[string]string)
	for i := range remotes {
		remote := filepath.Join(dir, fmt.Sprintf("remote%d", i))
		s.check(os.Mkdir(remote, 0o755))
		p.remotes = append(p.remotes, remote)
		modules[fmt.Sprintf("remote%d", i)] = remote
	}
	switch sv.kind {
	case bySSH, slowSSH:
		sv.sshd.Wrapper(p.bin, sshAlias)
		p.sshConfig = filepath.Join(p.bin, "ssh_config")
		for _, remote := range p.remotes {
			p.targets = append(p.targets, sshAlias+":"+remote)
		}
	case byDaemon:
		d := remotetest.StartRsyncDaemon(s, modules, remotetest.RsyncDaemonOptions{Config: []string{"munge symlinks = no"}})
		for i := range remotes {
			p.targets = append(p.targets, fmt.Sprintf("rsync://127.0.0.1:%d/remote%d", d.Port, i))
		}
	case byPath:
		p.targets = p.remotes
	}
	return p
}

// env is the environment of a tool at a place.
func (p *place) env(set ...string) []string {
	return environment(append(set, "PATH="+p.bin+string(filepath.ListSeparator)+os.Getenv("PATH"))...)
}

// share makes every ssh of a place use one connection, as ControlMaster does
// for users who have configured it, and opens it.
func (p *place) share(s *stage) {
	if p.sshConfig == "" {
		return
	}
	config, err := os.OpenFile(p.sshConfig, os.O_APPEND|os.O_WRONLY, 0)
	s.check(err)
	socket := filepath.Join(s.TempDir(), "master")
	// The last section of the file is for all hosts.
	_, err = fmt.Fprintf(config, "ControlPath %q\n", socket)
	s.check(err)
	s.check(config.Close())
	ssh := realSSH(s, p)
	master := s.spawn(exec.Command(ssh[0], append(ssh[1:], "-M", "-N", sshAlias)...))
	s.await("the shared ssh connection", 20*time.Second, func() bool {
		if master.gone() {
			s.Fatalf("cannot open a shared ssh connection: %s", master.log())
		}
		_, err := os.Lstat(socket)
		return err == nil
	})
}

// realSSH is the command that the wrapper of a place stands for, for tools
// that would otherwise pay for a shell each time.
func realSSH(s *stage, p *place) []string {
	for dir := range strings.SplitSeq(os.Getenv("PATH"), string(filepath.ListSeparator)) {
		if ssh := filepath.Join(dir, "ssh"); dir != p.bin && isExecutable(ssh) {
			return []string{ssh, "-F", p.sshConfig}
		}
	}
	s.Fatalf("there is no ssh in PATH")
	return nil
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// await waits for what has to happen before anything is measured.
func (s *stage) await(what string, patience time.Duration, done func() bool) {
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			s.Fatalf("waited %v for %s", patience, what)
		}
		select {
		case <-s.ctx.Done():
			s.Fatalf("interrupted")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
