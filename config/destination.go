package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
)

const expectedDestination = "expected host:/path, rsync://host/module or an absolute local path"

// schemePattern matches the beginning of a URL.
var schemePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// passwordPattern matches a password in a URL, to keep it out of errors and so
// out of logs.
var passwordPattern = regexp.MustCompile(`(//[^/:@\[]*:).*@`)

// portPattern is the path of a destination that has a port where there is none:
// host:2222:/path.
var portPattern = regexp.MustCompile(`^(\d+):(.*)$`)

// ParseDestination understands a destination as a user writes it, and returns
// a Remote without a name. It accepts
//
//	[user@]host:/path                      ssh
//	[user@]host:path                       ssh, relative to the login directory; also host:~/path
//	ssh://[user@]host[:port]/path          ssh; /~/path is relative to the login directory
//	rsync://[user@]host[:port]/module[/path]
//	[user@]host::module[/path]             an rsync daemon, too
//	/path                                  a directory of this machine
//
// where host may be an IPv6 address in brackets. Nothing is percent-decoded:
// rsync does not do so either. Trailing and doubled slashes and "." are removed
// from the path; otherwise it stays as it is. A host without user and port
// becomes a HostAlias, about which ssh decides everything.
//
// The remote is valid but for its name. An error is one line that says what
// was expected.
func ParseDestination(dest string) (Remote, error) {
	r, err := parseDestination(dest)
	if err == nil {
		err = r.validateAllButName()
	}
	if err != nil {
		shown := passwordPattern.ReplaceAllString(dest, "${1}***@")
		return Remote{}, fmt.Errorf("cannot understand destination %q: %w", shown, err)
	}
	return r, nil
}

func parseDestination(dest string) (Remote, error) {
	if strings.HasPrefix(dest, "/") {
		return withPath(Connection{Local: &Local{}}, dest), nil
	}
	if scheme := schemePattern.FindString(dest); scheme != "" {
		return parseURL(strings.ToLower(scheme), dest[len(scheme):])
	}
	machine, path, ok := cutOutsideBrackets(dest)
	if !ok || strings.Contains(machine, "/") {
		if dest == "" || !strings.ContainsAny(dest, "/~.") {
			return Remote{}, errors.New(expectedDestination)
		}
		return Remote{}, errors.New("a local destination must be written as an absolute path: " + expectedDestination)
	}
	user, host, err := splitUser(machine)
	if err != nil {
		return Remote{}, err
	}
	if host, err = unbracket(host); err != nil {
		return Remote{}, err
	}
	if m := portPattern.FindStringSubmatch(path); m != nil {
		meant := strings.TrimLeft(m[2], "/")
		if meant == m[2] && meant != "" && meant != "~" && !strings.HasPrefix(meant, "~/") {
			meant = "~/" + meant // relative to the login directory, as it is here
		}
		return Remote{}, fmt.Errorf("%s after the host is no port here: write ssh://%s/%s, or give --port %s; for a directory called %s: write ./ before it",
			strconv.Quote(m[1]), withUser(user, net.JoinHostPort(host, m[1])), meant, m[1], strconv.Quote(m[1]+":"))
	}
	if module, ok := strings.CutPrefix(path, ":"); ok {
		return withPath(Connection{RsyncDaemon: &RsyncDaemon{Host: host, Username: user}}, module), nil
	}
	return withPath(sshConnection(user, host, 0), path), nil
}

// parseURL parses what follows the scheme ("ssh://") of a destination.
func parseURL(scheme, rest string) (Remote, error) {
	if scheme != "ssh://" && scheme != "rsync://" {
		return Remote{}, fmt.Errorf("%s is not supported: expected ssh://host/path or rsync://host/module", scheme)
	}
	authority, path, _ := strings.Cut(rest, "/")
	user, machine, err := splitUser(authority)
	if err != nil {
		return Remote{}, err
	}
	if strings.Contains(user, ":") {
		return Remote{}, errors.New("a password must not stand in a destination: use an ssh key, or --password-file for an rsync daemon")
	}
	host, portText, hasPort := cutOutsideBrackets(machine)
	if host, err = unbracket(host); err != nil {
		return Remote{}, err
	}
	port := 0
	if hasPort {
		if port, err = parsePort(portText); err != nil {
			return Remote{}, err
		}
	}
	if scheme == "rsync://" {
		return withPath(Connection{RsyncDaemon: &RsyncDaemon{Host: host, Port: port, Username: user}}, path), nil
	}
	if path == "" {
		return Remote{}, errors.New("the path is missing: expected ssh://host/path")
	}
	if path != "~" && !strings.HasPrefix(path, "~/") {
		path = "/" + path
	}
	return withPath(sshConnection(user, host, port), path), nil
}

// sshConnection is a HostAlias where ssh is to decide everything.
func sshConnection(user, host string, port int) Connection {
	if user == "" && port == 0 {
		return Connection{HostAlias: &HostAlias{HostAlias: host}}
	}
	return Connection{SSH: &SSH{Host: host, Port: port, Username: user}}
}

func withPath(c Connection, path string) Remote {
	return Remote{RemotePath: cleanRemotePath(c.Kind(), path), Connection: c}
}

// cutOutsideBrackets cuts s around the first colon that is in no brackets.
func cutOutsideBrackets(s string) (before, after string, found bool) {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '[':
			depth++
		case ']':
			depth--
		case ':':
			if depth <= 0 {
				return s[:i], s[i+1:], true
			}
		}
	}
	return s, "", false
}

// splitUser splits "user@host" at the last "@", as ssh does: names of users may
// have one in them.
func splitUser(s string) (user, host string, err error) {
	i := strings.LastIndexByte(s, '@')
	if i == 0 {
		return "", "", errors.New("the user name before \"@\" is empty: expected user@host or host")
	}
	if i > 0 {
		user = s[:i]
	}
	return user, s[i+1:], nil
}

// unbracket removes the brackets of an IPv6 address. A host without brackets
// stays as it is.
func unbracket(host string) (string, error) {
	inner, ok := strings.CutPrefix(host, "[")
	if !ok {
		return host, nil
	}
	inner, ok = strings.CutSuffix(inner, "]")
	if !ok || !isIPv6(inner) {
		return "", fmt.Errorf("%q is not an IPv6 address in brackets: expected a form like [2001:db8::1]", host)
	}
	return inner, nil
}

func parsePort(text string) (int, error) {
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("the port is %q: expected a number from 1 to 65535", text)
	}
	return port, nil
}

// cleanRemotePath gives a path the form that is kept: no trailing or doubled
// slashes and no "." in it. "~/" of a path on an ssh host goes, since a relative
// path is the same and needs no expansion; so does the leading slash of a
// module. ".." stays, for Validate to refuse: where it leads depends on symbolic links.
func cleanRemotePath(kind Kind, path string) string {
	if path == "" {
		return ""
	}
	absolute := path[0] == '/' && kind != KindRsyncDaemon
	parts := strings.Split(path, "/")
	kept := parts[:0]
	for _, part := range parts {
		if part != "" && part != "." {
			kept = append(kept, part)
		}
	}
	if kind == KindSSH && !absolute && len(kept) > 0 && kept[0] == "~" {
		kept = kept[1:]
	}
	path = strings.Join(kept, "/")
	switch {
	case absolute:
		return "/" + path
	case path == "" && kind != KindRsyncDaemon:
		return "." // the login directory; Validate says what is wrong with it
	}
	return path
}

// Destination is the remote's place as a user would write it:
// "host:/path", "user@host:/path", "ssh://user@host:2222/path" when a port is
// set, "rsync://user@host:port/module/path", or "/path" on this machine.
// ParseDestination understands it.
func (r Remote) Destination() string {
	switch c := r.Connection; {
	case c.SSH != nil && c.SSH.Port != 0:
		path := r.RemotePath
		if !strings.HasPrefix(path, "/") {
			path = "/~/" + path
		} else if path == "/~" || strings.HasPrefix(path, "/~/") {
			path = "/" + path // a directory of that name, not the login directory
		}
		return "ssh://" + withUser(c.SSH.Username, net.JoinHostPort(c.SSH.Host, strconv.Itoa(c.SSH.Port))) + path
	case c.SSH != nil:
		return withUser(c.SSH.Username, bracket(c.SSH.Host)) + ":" + unmistakable(r.RemotePath)
	case c.HostAlias != nil:
		return bracket(c.HostAlias.HostAlias) + ":" + unmistakable(r.RemotePath)
	case c.RsyncDaemon != nil:
		machine := bracket(c.RsyncDaemon.Host)
		if c.RsyncDaemon.Port != 0 {
			machine += ":" + strconv.Itoa(c.RsyncDaemon.Port)
		}
		return "rsync://" + withUser(c.RsyncDaemon.Username, machine) + "/" + r.RemotePath
	}
	return r.RemotePath
}

// unmistakable is a path on an ssh host that is not taken for something else.
func unmistakable(path string) string {
	if portPattern.MatchString(path) {
		return "./" + path
	}
	return path
}

func withUser(user, machine string) string {
	if user == "" {
		return machine
	}
	return user + "@" + machine
}

// bracket puts the brackets around an IPv6 address that keep its colons apart
// from others.
func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// DestinationFlags are the details of a destination that are given beside it:
// --port, --user, --identity-file and --password-file. Zero values are unset.
// The files are absolute paths.
type DestinationFlags struct {
	Port         int
	User         string
	IdentityFile string
	PasswordFile string
}

// Apply adds details to the remote, and turns a HostAlias into SSH where it
// must. It is an error, and changes nothing, if they contradict the
// destination, make no sense for its kind, or are not valid.
func (r *Remote) Apply(f DestinationFlags) error {
	changed := r.Clone()
	if err := changed.apply(f); err != nil {
		return err
	}
	if err := changed.validateAllButName(); err != nil {
		return err
	}
	*r = changed
	return nil
}

func (r *Remote) apply(f DestinationFlags) error {
	if f == (DestinationFlags{}) {
		return nil
	}
	if f.Port < 0 || f.Port > 65535 {
		return fmt.Errorf("--port is %d: expected a number from 1 to 65535", f.Port)
	}
	switch c := &r.Connection; c.Kind() {
	case KindSSH:
		if f.PasswordFile != "" {
			return errors.New("--password-file is for rsync daemons (rsync://host/module): ssh logs in with a key, see --identity-file")
		}
		if c.HostAlias != nil {
			c.SSH = &SSH{Host: c.HostAlias.HostAlias, unknown: c.HostAlias.unknown}
			c.HostAlias = nil
		}
		return first(
			setOnce(&c.SSH.Port, f.Port, "port", "--port"),
			setOnce(&c.SSH.Username, f.User, "user", "--user"),
			setOnce(&c.SSH.IdentityFile, f.IdentityFile, "identity file", "--identity-file"),
		)
	case KindRsyncDaemon:
		if f.IdentityFile != "" {
			return errors.New("--identity-file is for ssh (host:/path): an rsync daemon takes a password, see --password-file")
		}
		return first(
			setOnce(&c.RsyncDaemon.Port, f.Port, "port", "--port"),
			setOnce(&c.RsyncDaemon.Username, f.User, "user", "--user"),
			setOnce(&c.RsyncDaemon.PasswordFile, f.PasswordFile, "password file", "--password-file"),
		)
	case KindLocal:
		return fmt.Errorf("%s is a directory of this machine: expected no --port, --user, --identity-file or --password-file", r.RemotePath)
	}
	return errNoConnection
}

// setOnce sets *have to want unless want is unset, and refuses to replace
// another value.
func setOnce[T comparable](have *T, want T, noun, flag string) error {
	var unset T
	if want == unset || want == *have {
		return nil
	}
	if *have != unset {
		return fmt.Errorf("the %s is given twice: %v in the destination, %v with %s", noun, *have, want, flag)
	}
	*have = want
	return nil
}

// first returns the first error that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
