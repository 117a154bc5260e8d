package remotetest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// process is what the system knows of a process.
type process struct {
	pid, parent int
	zombie      bool
}

// leash kills a process as soon as this one is gone, until it is released:
// nothing cleans up after a test that is killed or runs out of time.
func leash(pid int) (release func(), err error) {
	// The end of its input is the end of this process.
	cmd := exec.Command("/bin/sh", "-c", `read -r _; kill -KILL "$0"`, strconv.Itoa(pid))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = cmd.Process.Kill() // and so it never reads the end
		_ = cmd.Wait()
		input.Close()
	}, nil
}

// descendants returns the living processes below pid, children before
// grandchildren.
func descendants(pid int) []int {
	children := make(map[int][]process)
	for _, p := range processes() {
		children[p.parent] = append(children[p.parent], p)
	}
	var living []int
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		for _, p := range children[queue[0]] {
			queue = append(queue, p.pid)
			if !p.zombie {
				living = append(living, p.pid)
			}
		}
	}
	return living
}

// processes lists all processes: from /proc where there is one, because ps is
// not on every Linux machine, and from ps elsewhere.
func processes() []process {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return processesOfPS()
	}
	var all []process
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it ended
		}
		// "PID (NAME) STATE PARENT ...": only the last parenthesis is certain
		// to be the one after the name.
		end := bytes.LastIndexByte(stat, ')')
		if end < 0 {
			continue
		}
		fields := strings.Fields(string(stat[end+1:]))
		if len(fields) < 2 {
			continue
		}
		all = appendProcess(all, filepath.Base(filepath.Dir(file)), fields[1], fields[0])
	}
	return all
}

func processesOfPS() []process {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,state=").Output()
	if err != nil {
		return nil
	}
	var all []process
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) == 3 {
			all = appendProcess(all, fields[0], fields[1], fields[2])
		}
	}
	return all
}

func appendProcess(all []process, pid, parent, state string) []process {
	id, err := strconv.Atoi(pid)
	if err != nil {
		return all
	}
	parentID, err := strconv.Atoi(parent)
	if err != nil {
		return all
	}
	return append(all, process{pid: id, parent: parentID, zombie: strings.HasPrefix(state, "Z")})
}
