//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"wsync/monitor/remotetest"
)

// wsync is a build of wsync.
type wsync struct{ title, binary string }

func (w *wsync) name() string { return w.title }

func (w *wsync) version(s *stage) string {
	return strings.TrimPrefix(firstLine(s.output(environment(), w.binary, "version")), "wsync ")
}

// wsyncMirror is a workspace of a daemon of its own.
type wsyncMirror struct {
	s      *stage
	binary string
	home   string
	env    []string
	wait   []string
}

func (w *wsync) start(s *stage, p *place, _ bool) mirror {
	m := &wsyncMirror{s: s, binary: w.binary, home: s.TempDir(), wait: []string{"wait", "--timeout", "5m"}}
	m.env = p.env("HOME=" + m.home)
	// Builds from before there was anything to confirm do without.
	if help, err := m.run("wait", "--help"); err == nil && strings.Contains(help, "--confirmed") {
		m.wait = append(m.wait, "--confirmed")
	}
	cmd := exec.Command(w.binary, "daemon", "run")
	cmd.Env = m.env
	daemon := s.spawn(cmd)
	s.await("wsync's daemon", 20*time.Second, func() bool {
		if daemon.gone() {
			s.Fatalf("cannot start wsync's daemon: %s", daemon.log())
		}
		_, err := m.run("daemon", "status")
		return err == nil
	})
	steps := [][]string{{"add", "bench", p.source}}
	for i, target := range p.targets {
		steps = append(steps, []string{"attach", "bench", fmt.Sprintf("remote%d", i), target})
	}
	for _, args := range append(steps, m.wait) {
		_, err := m.run(args...)
		s.check(err)
	}
	return m
}

func (m *wsyncMirror) run(args ...string) (string, error) {
	return m.s.command(m.env, m.binary, args...)
}

func (m *wsyncMirror) push([]string) error { return nil }

func (m *wsyncMirror) settle() error {
	_, err := m.run(m.wait...)
	return err
}

// differences holds wsync to what it says: after a wait that succeeded, nothing
// may differ.
func (m *wsyncMirror) differences(source, remote string) []string {
	return remotetest.CompareTrees(source, remote)
}

// log returns the end of what the workspace's monitor has logged.
func (m *wsyncMirror) log() string {
	content, err := os.ReadFile(filepath.Join(m.home, ".wsync", "log", "workspaces", "bench.log"))
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-8000):])
}
