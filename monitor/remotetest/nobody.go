package remotetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// Nobody is the user, and the group, of tests about permissions when root runs
// them.
const Nobody = 65534

// becomeNobody is the argument with which a test program runs the rest of its
// arguments as a user to whom permissions matter.
const becomeNobody = "become-nobody"

// Prepare is called first by the TestMain of a package that uses BeNobody, or
// servers. It ends the process if this is not a run of the tests, or if something
// is missing. Without -parallel, more tests run at once than there are processors.
func Prepare() {
	if len(os.Args) > 1 && os.Args[1] == becomeNobody {
		runAsNobody(os.Args[2:]) // does not return
	}
	WaitTogether()
	if missing := Missing(); missing != "" {
		fmt.Fprintln(os.Stderr, missing)
		os.Exit(1)
	}
}

// runAsNobody becomes nobody and then argv.
func runAsNobody(argv []string) {
	for _, step := range []func() error{
		func() error { return syscall.Setgroups(nil) },
		func() error { return syscall.Setgid(Nobody) },
		func() error { return syscall.Setuid(Nobody) },
		func() error { return syscall.Exec(argv[0], argv, os.Environ()) },
	} {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// BeNobody makes every rsync of the test run as Nobody, if root runs the test.
func BeNobody(t EnvT) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	real, err := exec.LookPath("rsync")
	Check(t, err)
	putRsync(t, fmt.Sprintf("exec %s %s \"$@\"", asNobody(t), shellQuote(real)))
}

// asNobody is the command line for sh, without what it runs, that runs a command as
// Nobody.
func asNobody(t T) string {
	t.Helper()
	if becomes := setpriv(); becomes != "" {
		return becomes
	}
	// go test makes the program in a directory that only its owner may enter; root starts
	// it, and it changes its user itself. It takes longer to start.
	self, err := os.Executable()
	Check(t, err)
	return shellQuote(self) + " " + becomeNobody
}

// setpriv is asNobody with the program of that name, "" where there is none, or one that
// cannot do it.
var setpriv = sync.OnceValue(func() string {
	becomes := fmt.Sprintf("setpriv --reuid=%d --regid=%d --clear-groups", Nobody, Nobody)
	if exec.Command("/bin/sh", "-c", becomes+" true").Run() != nil {
		return ""
	}
	return becomes
})

// ScriptedRsync puts a shell script in the place of rsync, which it may call by
// that name.
func ScriptedRsync(t EnvT, script string) {
	t.Helper()
	putRsync(t, "PATH="+shellQuote(os.Getenv("PATH"))+"\n"+script)
}

// putRsync puts a shell script first in PATH as rsync.
func putRsync(t EnvT, script string) {
	t.Helper()
	d := NewDir(t)
	WriteScript(t, filepath.Join(d, "rsync"), script)
	t.Setenv("PATH", d+":"+os.Getenv("PATH"))
}
