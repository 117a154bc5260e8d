package monitor

import (
	"os"
	"syscall"
)

// runAsNobody becomes nobody and then argv.
func runAsNobody(argv []string) {
	for _, step := range []func() error{
		func() error { return syscall.Setgroups(nil) },
		func() error { return syscall.Setgid(nobody) },
		func() error { return syscall.Setuid(nobody) },
		func() error { return syscall.Exec(argv[0], argv, os.Environ()) },
	} {
		if err := step(); err != nil {
			println(err.Error())
			os.Exit(1)
		}
	}
}
