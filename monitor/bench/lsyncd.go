//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// lsyncd mirrors in one of lsyncd's ways: "rsync", "rsyncssh", "direct", or ""
// for the fastest one for the kind of remote.
type lsyncd struct {
	binary, mode string
	shared       bool // all its ssh use one connection
}

func (l *lsyncd) name() string {
	name := "lsyncd"
	if l.mode != "" {
		name += ", " + l.mode
	}
	if !l.shared {
		name += ", unshared"
	}
	return name
}

func (l *lsyncd) version(s *stage) string {
	version := "version " + strings.TrimPrefix(firstLine(s.output(environment(), l.binary, "-version")), "Version: ")
	if l.mode != "" {
		return version
	}
	return fmt.Sprintf("%s (default.%s; to a local path default.%s, to an rsync daemon default.%s)",
		version, l.fastest(bySSH), l.fastest(byPath), l.fastest(byDaemon))
}

// fastest is the way that was found to be the fastest: by ssh, the two are alike
// but for a rename, of which rsyncssh makes a rename.
func (l *lsyncd) fastest(k kind) string {
	switch {
	case l.mode != "":
		return l.mode
	case k == byDaemon:
		return "rsync"
	case k == byPath:
		return "direct"
	}
	return "rsyncssh"
}

// possible reports whether lsyncd can mirror to this kind of remote this way.
func (l *lsyncd) possible(k kind) bool {
	switch l.fastest(k) {
	case "rsyncssh":
		return k == bySSH || k == slowSSH
	case "direct":
		return k == byPath
	}
	return true
}

type lsyncdMirror struct {
	s       *stage
	process *child
}

// lsyncdQuiet is how long lsyncd must have had no child to be called quiet: it
// does not say whether it has events left.
const lsyncdQuiet = 400 * time.Millisecond

func (l *lsyncd) start(s *stage, p *place, _ bool) mirror {
	if !l.possible(p.kind) {
		return nil
	}
	if l.shared {
		p.share(s)
	}
	config := filepath.Join(s.TempDir(), "lsyncd.conf")
	s.check(os.WriteFile(config, []byte(l.config(s, p)), 0o600))
	cmd := exec.Command(l.binary, "-nodaemon", config)
	cmd.Env = p.env()
	m := &lsyncdMirror{s: s, process: s.spawn(cmd)}
	s.await("lsyncd's start", 10*time.Minute, func() bool {
		log, err := os.ReadFile(m.process.logFile)
		s.check(err)
		if m.process.gone() {
			s.Fatalf("lsyncd ended: %s", m.process.log())
		}
		return strings.Count(string(log), "finished") >= len(p.targets)
	})
	s.check(m.settle())
	return m
}

// config is as its manual has it for those who want changes at once.
func (l *lsyncd) config(s *stage, p *place) string {
	var b strings.Builder
	fmt.Fprintf(&b, "settings { nodaemon = true, insist = true }\n")
	for i, target := range p.targets {
		fmt.Fprintf(&b, "sync { default.%s, source = %q, delay = 0,\n", l.fastest(p.kind), p.source)
		switch l.fastest(p.kind) {
		case "rsyncssh":
			ssh := realSSH(s, p)
			fmt.Fprintf(&b, "  host = %q, targetdir = %q,\n", sshAlias, p.remotes[i])
			fmt.Fprintf(&b, "  ssh = { binary = %q, _extra = { %q, %q } },\n", ssh[0], ssh[1], ssh[2])
			fmt.Fprintf(&b, "  rsync = { archive = true, rsh = %q } }\n", strings.Join(ssh, " "))
		case "rsync":
			fmt.Fprintf(&b, "  target = %q,\n  rsync = { archive = true", target)
			if p.sshConfig != "" {
				fmt.Fprintf(&b, ", rsh = %q", strings.Join(realSSH(s, p), " "))
			}
			fmt.Fprintf(&b, " } }\n")
		default:
			fmt.Fprintf(&b, "  target = %q }\n", target)
		}
	}
	return b.String()
}

func (m *lsyncdMirror) push([]string) error { return nil }

func (m *lsyncdMirror) settle() error {
	idleSince := time.Now()
	m.s.await("lsyncd", 5*time.Minute, func() bool {
		if m.process.busy() {
			idleSince = time.Now()
		}
		return m.process.gone() || time.Since(idleSince) > lsyncdQuiet
	})
	if m.process.gone() {
		return fmt.Errorf("lsyncd ended: %s", m.process.log())
	}
	return nil
}

func (m *lsyncdMirror) differences(source, remote string) []string { return diff(source, remote) }
