package daemon

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"wsync/daemon/metrics"
)

// processOf tells what a process has used; ok is false if that is not known.
func processOf(pid int) (p metrics.Process, ok bool) {
	if pid <= 0 {
		return p, false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, false
	}
	return parseStat(text, os.Getpagesize())
}

// parseStat reads what proc(5) says of /proc/PID/stat.
func parseStat(text []byte, pageSize int) (p metrics.Process, ok bool) {
	// The name, in parentheses, may have any characters.
	i := bytes.LastIndexByte(text, ')')
	if i < 0 {
		return p, false
	}
	fields := strings.Fields(string(text[i+1:]))
	const utime, stime, cutime, cstime, rss = 11, 12, 13, 14, 21 // behind the name
	if len(fields) <= rss {
		return p, false
	}
	number := func(field int) int64 {
		n, err := strconv.ParseInt(fields[field], 10, 64)
		ok = ok && err == nil
		return n
	}
	ok = true
	const tick = time.Second / 100 // USER_HZ, the same everywhere
	p.CPU = time.Duration(number(utime)+number(stime)) * tick
	p.Children = time.Duration(number(cutime)+number(cstime)) * tick
	p.Resident = number(rss) * int64(pageSize)
	return p, ok
}

// watchLimit is how many directories the user may watch, 0 if that is not known.
func watchLimit() int {
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_user_watches")
	if err != nil {
		return 0
	}
	limit, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return limit
}
