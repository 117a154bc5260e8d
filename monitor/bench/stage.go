//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// stage is where something runs that has to be cleared away again. It is the
// remotetest.T of the servers.
type stage struct {
	ctx      context.Context
	cleanups []func()
}

// failure is what Fatalf ends a stage with.
type failure struct{ error }

// onStage calls f with a stage and clears it away. Fatalf ends f.
func onStage(ctx context.Context, f func(s *stage)) error {
	s := &stage{ctx: ctx}
	defer s.clear()
	return try(func() { f(s) })
}

// try returns what f was ended with by Fatalf.
func try(f func()) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			failed, ok := reason.(failure)
			if !ok {
				panic(reason)
			}
			err = failed.error
		}
	}()
	f()
	return nil
}

// inner makes a stage that is cleared with s, or before.
func (s *stage) inner() *stage {
	in := &stage{ctx: s.ctx}
	s.Cleanup(in.clear)
	return in
}

// clear does the cleanups, the last first, also when one of them fails.
func (s *stage) clear() {
	if len(s.cleanups) == 0 {
		return
	}
	last := s.cleanups[len(s.cleanups)-1]
	s.cleanups = s.cleanups[:len(s.cleanups)-1]
	defer s.clear()
	last()
}

func (s *stage) Helper() {}

func (s *stage) Fatalf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

func (s *stage) Logf(format string, args ...any) { say(format, args...) }

func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// TempDir makes a directory with a short path: that of a socket must fit into
// 107 bytes.
func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp("", "wb")
	s.check(err)
	s.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			say("warning: %v", err)
		}
	})
	return dir
}

// check ends the stage if there is an error.
func (s *stage) check(err error) {
	if err != nil {
		s.Fatalf("%w", err)
	}
}

// output runs a command that must succeed.
func (s *stage) output(env []string, name string, args ...string) string {
	out, err := s.command(env, name, args...)
	s.check(err)
	return out
}

// command runs a command to its end, and returns what it printed.
func (s *stage) command(env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(s.ctx, name, args...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return string(out), err
}
