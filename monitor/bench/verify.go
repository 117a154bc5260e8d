//go:build linux

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"wsync/monitor/remotetest"
)

// diffPatience is how long a tool that cannot say whether it is done may take
// to make the trees equal.
const diffPatience = 20 * time.Second

// diff compares names, types and bytes, until they are equal or patience is
// over: what is the least that a mirror has to mirror.
func diff(source, remote string) []string {
	for deadline := time.Now().Add(diffPatience); ; {
		out, err := exec.Command("diff", "-rq", "--no-dereference", "-x", remotetest.OwnDirectory, source, remote).CombinedOutput()
		var exit *exec.ExitError
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &exit):
			return []string{err.Error()}
		case time.Now().After(deadline):
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			return lines
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// verify compares all remotes of a contestant with its source, and returns a
// sentence about what differs.
func (c *contestant) verify() string {
	if err := c.mirror.settle(); err != nil {
		return err.Error()
	}
	for _, remote := range c.remotes {
		if differences := c.mirror.differences(c.source, remote); len(differences) > 0 {
			return fmt.Sprintf("%d differences at the end, such as %s", len(differences), differences[0])
		}
	}
	return ""
}
