//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// byHand is somebody who calls rsync after each change, for the paths that were
// changed or, to have something removed, for the whole tree. Its ssh connection
// stays open.
type byHand struct{ binary string }

func (h *byHand) name() string { return "rsync by hand" }

func (h *byHand) version(s *stage) string {
	return strings.TrimPrefix(firstLine(s.output(environment(), h.binary, "--version")), "rsync ")
}

type byHandMirror struct {
	place   *place
	command []string
	env     []string
	running []*exec.Cmd
}

func (h *byHand) start(s *stage, p *place, wanted bool) mirror {
	if !wanted {
		return nil
	}
	p.share(s)
	m := &byHandMirror{place: p, command: []string{h.binary, "-a"}, env: p.env()}
	if p.sshConfig != "" {
		m.command = append(m.command, "-e", strings.Join(realSSH(s, p), " "))
	}
	for _, target := range p.targets {
		s.output(m.env, m.command[0], append(slices.Clone(m.command[1:]), p.source+"/", target+"/")...)
	}
	s.Cleanup(func() { _ = m.settle() })
	return m
}

// push does not wait for rsync's end: what it brings is visible long before.
func (m *byHandMirror) push(paths []string) error {
	for _, target := range m.place.targets {
		args := slices.Clone(m.command[1:])
		if len(paths) == 0 {
			// Something is gone, which rsync finds out by comparing all.
			args = append(args, "--delete", "./", target+"/")
		} else {
			// Relative, so that a path means the same on the other side.
			args = append(args, "-R")
			for _, path := range paths {
				args = append(args, "./"+path)
			}
			args = append(args, target+"/")
		}
		cmd := exec.Command(m.command[0], args...)
		cmd.Dir, cmd.Env = m.place.source, m.env
		if err := cmd.Start(); err != nil {
			return err
		}
		m.running = append(m.running, cmd)
	}
	return nil
}

func (m *byHandMirror) settle() error {
	var failed error
	for _, cmd := range m.running {
		if err := cmd.Wait(); err != nil {
			failed = fmt.Errorf("rsync: %w", err)
		}
	}
	m.running = nil
	return failed
}

func (m *byHandMirror) differences(source, remote string) []string { return diff(source, remote) }
