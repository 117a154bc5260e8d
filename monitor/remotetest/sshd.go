package remotetest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// SSHD is an sshd on loopback that lets one key in, as the user who runs the
// test.
type SSHD struct {
	server
	// User is whom the key lets in, Port where the sshd listens on 127.0.0.1,
	// and Identity the file of the private key.
	User     string
	Port     int
	Identity string

	hostKey     string // "TYPE KEY" of the public key that is expected
	hostKeyFile string
	changed     bool // it has another one
}

// SSHDOptions are the settings of an sshd.
type SSHDOptions struct {
	// Config are further lines for its configuration, such as "MaxSessions 1",
	// "ForceCommand ..." or "SetEnv PATH=..." (which puts a program of the
	// test's first on the remote's PATH). They outrank the lines that this
	// package writes.
	Config []string
}

// StartSSHD starts an sshd and returns when it answers. The test is skipped where sshd
// runs nothing for the user who runs it.
func StartSSHD(t T, options SSHDOptions) *SSHD {
	t.Helper()
	sshd := program(t, "sshd")
	current, err := user.Current()
	if err != nil {
		t.Fatalf("cannot find out who runs the test: %v", err)
	}
	if shell := shellOf(current.Username); slices.Contains([]string{"nologin", "false"}, filepath.Base(shell)) {
		reason := fmt.Sprintf("sshd runs nothing for %s, whose shell is %s", current.Username, shell)
		if t, ok := t.(Skipper); ok {
			Skip(t, reason)
		}
		t.Fatalf("%s", reason)
	}
	if os.Geteuid() == 0 {
		// Where its privileges go to die; the system's service would make it.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatalf("cannot make sshd's directory: %v", err)
		}
	}
	dir := t.TempDir()
	hostKey, identity := filepath.Join(dir, "host_key"), filepath.Join(dir, "identity")
	keys := keyPairs(t)
	keys.host.write(t, hostKey)
	keys.identity.write(t, identity)

	config := filepath.Join(dir, "sshd_config")
	s := &SSHD{
		server: server{
			t: t, name: "sshd", listening: "Server listening on " + loopback + " port ",
			// sshd insists on being called by an absolute path.
			argv:    []string{sshd, "-D", "-e", "-f", config},
			logFile: filepath.Join(dir, "sshd.log"),
		},
		User:     current.Username,
		Identity: identity,
		hostKey:  strings.Join(strings.Fields(string(keys.host.public))[:2], " "),

		hostKeyFile: hostKey,
	}
	s.launch(func(port int) {
		s.Port = port
		// The first value of a keyword counts, hence the options on top.
		lines := append(withHome(options.Config, dir),
			"ListenAddress "+loopback,
			fmt.Sprintf("Port %d", port),
			"HostKey "+quote(hostKey),
			"AuthorizedKeysFile "+quote(identity+".pub"),
			"PidFile none",
			"UsePAM no",
			"KexAlgorithms -sntrup761*", // it takes longer than the rest of a login
			"StrictModes no",            // temporary directories are often open to all
			"PasswordAuthentication no",
			"KbdInteractiveAuthentication no",
			"PermitRootLogin prohibit-password",
			"MaxStartups 200",
			"MaxSessions 100",
			"LogLevel VERBOSE",
		)
		// This one must not be there twice.
		if !slices.ContainsFunc(options.Config, func(line string) bool { return strings.HasPrefix(line, "Subsystem sftp ") }) {
			lines = append(lines, "Subsystem sftp internal-sftp")
		}
		if hasPenalties() {
			lines = append(lines, noPenalties)
		}
		writeFile(t, config, strings.Join(append(lines, ""), "\n"), 0o600)
	})
	return s
}

// ChangeHostKey starts the server anew with another host key than ssh expects or, when it
// has that, with the expected one.
func (s *SSHD) ChangeHostKey() {
	s.t.Helper()
	s.Stop()
	keys := keyPairs(s.t)
	key := keys.identity
	if s.changed {
		key = keys.host
	}
	s.changed = !s.changed
	key.write(s.t, s.hostKeyFile)
	s.Restart()
}

// noPenalties lets sshd bear with addresses whose connections end badly, which from 9.8
// on it locks out: that is what tests of outages are about.
const noPenalties = "PerSourcePenalties no"

// hasPenalties is whether sshd knows the keyword of noPenalties.
var hasPenalties = sync.OnceValue(func() bool {
	out, _ := exec.Command(programs()["sshd"], "-t", "-f", os.DevNull, "-o", noPenalties).CombinedOutput() // there may be no host keys
	return !strings.Contains(string(out), "PerSourcePenalties")
})

// shellOf is the login shell of a user of this machine, "" where it is not known.
func shellOf(name string) string {
	users, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(users)) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) == 7 && fields[0] == name {
			return fields[6]
		}
	}
	return ""
}

// withHome adds a home directory to the lines of a configuration that name none:
// the start-up files of whoever runs the test are none of its business, and may
// take longer than the rest. All variables stand in one line, because sshd takes
// the first SetEnv alone.
func withHome(config []string, home string) []string {
	variables, lines := "", []string{}
	for _, line := range config {
		if rest, ok := strings.CutPrefix(line, "SetEnv"); ok {
			variables += rest
		} else {
			lines = append(lines, line)
		}
	}
	if !strings.Contains(variables, " HOME=") {
		variables += " HOME=" + quote(home)
	}
	return append(lines, "SetEnv"+variables)
}

// Wrapper makes dir a directory to be put first in PATH: it gets a program
// `ssh` that knows the server's key and lets itself in with Identity, and by
// which aliases, "backup" for example, stand for the server. It is a wrapper
// with a configuration of its own because ssh takes the home directory from
// the system's list of users and not from $HOME.
func (s *SSHD) Wrapper(dir string, aliases ...string) {
	s.t.Helper()
	hosts := make(map[string]*SSHD)
	for _, alias := range aliases {
		hosts[alias] = s
	}
	writeWrapper(s.t, dir, hosts, []*SSHD{s}, "IdentityFile "+quote(s.Identity))
}

// WriteWrapper is Wrapper for several servers. A server let its alias in
// without further words; one that is called by its address wants its Identity,
// as it would from any user.
func WriteWrapper(t T, dir string, hosts map[string]*SSHD) {
	t.Helper()
	writeWrapper(t, dir, hosts, slices.Collect(maps.Values(hosts)))
}

// writeWrapper writes the program and its configuration; forAll are lines for
// all hosts.
func writeWrapper(t T, dir string, hosts map[string]*SSHD, known []*SSHD, forAll ...string) {
	t.Helper()
	config, knownHosts := filepath.Join(dir, "ssh_config"), filepath.Join(dir, "known_hosts")
	var lines []string
	for _, alias := range slices.Sorted(maps.Keys(hosts)) {
		s := hosts[alias]
		lines = append(lines,
			"Host "+alias,
			"HostName "+loopback,
			fmt.Sprintf("Port %d", s.Port),
			"User "+s.User,
			"IdentityFile "+quote(s.Identity),
		)
	}
	lines = append(lines, "Host *",
		"UserKnownHostsFile "+quote(knownHosts),
		"GlobalKnownHostsFile /dev/null",
		"StrictHostKeyChecking yes",
		"IdentitiesOnly yes",
		"IdentityAgent none",
	)
	lines = append(lines, forAll...)

	var keys []string
	for _, s := range known {
		keys = append(keys, fmt.Sprintf("[%s]:%d %s\n", loopback, s.Port, s.hostKey))
	}
	slices.Sort(keys)
	script := fmt.Sprintf("exec %s -F %s \"$@\"", shellQuote(program(t, "ssh")), shellQuote(config))

	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("cannot make the directory of the ssh wrapper: %v", err)
	}
	writeFile(t, knownHosts, strings.Join(keys, ""), 0o600)
	writeFile(t, config, strings.Join(lines, "\n")+"\n", 0o600)
	// Written anew and renamed: a file that is just being run cannot be written.
	WriteScript(t, filepath.Join(dir, "ssh.new"), script)
	if err := os.Rename(filepath.Join(dir, "ssh.new"), filepath.Join(dir, "ssh")); err != nil {
		t.Fatalf("cannot write the ssh wrapper: %v", err)
	}
}

// quote makes one word of a path for the configurations of ssh and sshd.
func quote(path string) string { return `"` + path + `"` }

// shellQuote makes one word of a path for sh.
func shellQuote(path string) string {
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
