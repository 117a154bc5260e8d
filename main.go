// Wsync mirrors local directories to other places in real time. The same
// binary is the command line, the daemon and the daemon's monitors.
package main

import (
	"os"
	"runtime/debug"

	"wsync/client/cli"
	"wsync/daemon"
	"wsync/monitor"
	"wsync/monitor/doctor"
)

func main() {
	os.Exit(cli.Main(cli.Deps{
		Args:       os.Args,
		Stdin:      os.Stdin,
		Stdout:     os.Stdout,
		Stderr:     os.Stderr,
		Env:        os.Getenv,
		Version:    buildVersion(),
		RunDaemon:  daemon.Run,
		RunMonitor: monitor.Run,
		Examine:    doctor.Examine,
	}))
}

// version is set by release builds: -ldflags "-X main.version=v1.2.3".
var version string

// buildVersion is the version, or else what the go command knows about the
// sources of this build.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
