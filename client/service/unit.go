package service

import (
	"fmt"
	"strings"
)

// Unit is the daemon as a unit of systemd: a user's own, or the system's that runs as
// Options.User, which is "%i" in a template for any user.
//
// It has none of systemd's directives that show the daemon another file system than there
// is, such as ProtectHome, PrivateTmp, ProtectKernelModules or PrivateDevices: what they
// hide would look as if it were gone, and be deleted from the remotes; and what is mounted
// later could stay unseen. RestrictSUIDSGID would refuse modes that are to be mirrored.
// NoNewPrivileges, and for others than root all filters of system calls, which imply it,
// would break NotifyCommand's mail and ssh-keysign.
func Unit(o Options) string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	edit := "systemctl --user edit " + unitName
	if o.System {
		edit = "systemctl edit wsync@" + o.User + ".service"
	}
	line("# wsync's daemon. `wsync service install` writes this file anew; what is to be otherwise")
	line("# belongs into a file beside it: %s", edit)
	line("[Unit]")
	line("Description=wsync, which mirrors local directories to other places")
	if o.System {
		line("Wants=network-online.target")
		line("After=network-online.target nss-user-lookup.target remote-fs.target")
	}
	line("# However often it fails, it is started again.")
	line("StartLimitIntervalSec=0")
	line("")
	line("[Service]")
	line("Type=notify")
	line("NotifyAccess=main")
	line("ExecStart=%s daemon run", quoted(o.Executable))
	line("ExecReload=%s daemon reload", quoted(o.Executable))
	if o.System {
		line("User=%s", o.User)
	}
	line("WorkingDirectory=/")
	line("SyslogIdentifier=%s", journalName)
	for _, variable := range o.Environment {
		line("Environment=%s", quoted(variable))
	}
	line("Restart=on-failure")
	line("RestartSec=2s")
	// Not 2, as of a wrong command line: Go ends with that after a panic, and when the
	// watchdog aborts it.
	line("# A file of wsync's makes no sense, or another daemon runs.")
	line("RestartPreventExitStatus=6")
	line("# The daemon tells that it is well while its state is free and its socket answers. By itself")
	line("# it gives up after StateLockLimit, 30 seconds, and says why.")
	line("WatchdogSec=60s")
	line("# The daemon ends its monitors in order. What is left 30 seconds later is killed.")
	line("KillMode=mixed")
	line("TimeoutStopSec=30s")
	line("# When memory is short and rsync has to go, the daemon stays and tries again.")
	line("OOMPolicy=continue")
	line("TasksMax=infinity")
	if o.System {
		line("# Nothing that hides a part of the file system: it would look as if it were deleted.")
		line("CapabilityBoundingSet=~%s", strings.Join(droppedCapabilities, " "))
	}
	if o.System && o.User == "root" {
		line("LockPersonality=yes")
		line("RestrictRealtime=yes")
		line("SystemCallFilter=~%s", strings.Join(deniedCalls, " "))
		line("SystemCallErrorNumber=EPERM")
	}
	line("")
	line("[Install]")
	if o.System {
		line("WantedBy=multi-user.target")
	} else {
		line("WantedBy=default.target")
	}
	return b.String()
}

// droppedCapabilities are what neither wsync nor rsync, ssh or a program that mails needs,
// also as root.
var droppedCapabilities = []string{
	"CAP_AUDIT_CONTROL", "CAP_MAC_OVERRIDE", "CAP_NET_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_MODULE", "CAP_SYS_PACCT",
	"CAP_SYS_PTRACE", "CAP_SYS_RAWIO", "CAP_SYS_TIME", "CAP_SYSLOG", "CAP_WAKE_ALARM",
}

// deniedCalls are groups of system calls that none of them needs.
var deniedCalls = []string{"@clock", "@cpu-emulation", "@debug", "@module", "@obsolete", "@raw-io", "@reboot", "@swap"}

// quoted is a word of a unit that is not expanded.
func quoted(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "%", "%%").Replace(word) + `"`
}
