package remotetest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// RsyncDaemon is an rsync daemon on loopback.
type RsyncDaemon struct {
	server
	// Port is where it listens on 127.0.0.1.
	Port int
}

// RsyncDaemonOptions are the settings of an rsync daemon.
type RsyncDaemonOptions struct {
	// Users are the users that are let in, with their passwords. Without any,
	// everybody is.
	Users map[string]string
	// Config are further lines for all modules, such as "refuse options =
	// delete". They outrank the lines that this package writes.
	Config []string
}

// StartRsyncDaemon starts an rsync daemon with writable modules, from their
// names to their directories, and returns when it answers. A directory that
// does not exist is made.
func StartRsyncDaemon(t T, modules map[string]string, options RsyncDaemonOptions) *RsyncDaemon {
	t.Helper()
	rsync := program(t, "rsync")
	dir := t.TempDir()
	config, secrets := filepath.Join(dir, "rsyncd.conf"), filepath.Join(dir, "secrets")
	d := &RsyncDaemon{server: server{
		t: t, name: "rsync daemon", greeting: "@RSYNCD: ",
		argv:    []string{rsync, "--daemon", "--no-detach", "--config=" + config, "--log-file=/dev/stderr"},
		logFile: filepath.Join(dir, "rsyncd.log"),
	}}

	global := []string{"use chroot = no", "read only = no", "numeric ids = yes"}
	if os.Geteuid() == 0 {
		// Without these it becomes nobody, who may write nothing.
		global = append(global, "uid = 0", "gid = 0")
	}
	if len(options.Users) > 0 {
		var lines []string
		for _, name := range slices.Sorted(maps.Keys(options.Users)) {
			lines = append(lines, name+":"+options.Users[name]+"\n")
		}
		writeFile(t, secrets, strings.Join(lines, ""), 0o600)
		global = append(global,
			"auth users = "+strings.Join(slices.Sorted(maps.Keys(options.Users)), ", "),
			"secrets file = "+secrets)
	}
	// The last value of a parameter counts.
	global = append(global, options.Config...)
	var sections []string
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		if err := os.MkdirAll(modules[name], 0o755); err != nil {
			t.Fatalf("cannot make the directory of a module: %v", err)
		}
		sections = append(sections, fmt.Sprintf("[%s]\npath = %s\n", name, modules[name]))
	}
	d.launch(func(port int) {
		d.Port = port
		writeFile(t, config, fmt.Sprintf("address = %s\nport = %d\n%s\n%s",
			loopback, port, strings.Join(global, "\n"), strings.Join(sections, "")), 0o600)
	})
	return d
}
