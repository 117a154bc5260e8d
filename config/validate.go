package config

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

var errNoConnection = errors.New("the connection is missing: expected one of Ssh, HostAlias, RsyncDaemon or Local")

// Validate checks everything about the workspace that can be told without a
// look at the file system; CheckLocalPath, Remote.CheckAgainst and CheckPlace look
// there. The error names the workspace.
func (w Workspace) Validate() error {
	if err := w.validate(); err != nil {
		return fmt.Errorf("workspace %q: %w", w.Name, err)
	}
	return nil
}

func (w Workspace) validate() error {
	if err := ValidateName(w.Name); err != nil {
		return err
	}
	if err := validateStateName(w.StateName); err != nil {
		return err
	}
	if err := validateLocalPath(w.LocalPath); err != nil {
		return err
	}
	if err := validateOptions(workspaceOptions, w); err != nil {
		return err
	}
	for _, pattern := range w.Ignore {
		if err := ValidateIgnore(pattern); err != nil {
			return err
		}
	}
	for _, name := range w.IgnoreTagged {
		if err := ValidateIgnoreTagged(name); err != nil {
			return err
		}
	}
	names := make(map[string]bool, len(w.Remotes))
	for i, r := range w.Remotes {
		if err := r.Validate(); err != nil {
			return err
		}
		if names[r.Name] {
			return fmt.Errorf("remote %q: there are two of that name", r.Name)
		}
		names[r.Name] = true
		if err := checkRemote(r, w, w.Remotes[:i], contains); err != nil {
			return err
		}
	}
	return nil
}

// checkRemote refuses a remote of w that is in the way of w itself or of others of
// its remotes, as holds(parent, path) tells of local paths.
func checkRemote(r Remote, w Workspace, others []Remote, holds holdsFunc) error {
	if r.Connection.Kind() == KindLocal {
		if err := checkApart(r.RemotePath, w.LocalPath, holds); err != nil {
			return fmt.Errorf("remote %q: %w", r.Name, err)
		}
	}
	for _, other := range others {
		if collide(r, other, holds) {
			return fmt.Errorf("remote %q: %s is or overlaps the destination %s of remote %q: two mirrors would delete each other's files",
				r.Name, r.Destination(), other.Destination(), other.Name)
		}
	}
	return nil
}

func validateLocalPath(path string) error {
	switch {
	case path == "":
		return errors.New("the local path is empty: expected an absolute path")
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("the local path %q has a NUL byte", path)
	case !utf8.ValidString(path):
		return fmt.Errorf("the local path %q is not UTF-8: the workspace file cannot hold it", path)
	case !filepath.IsAbs(path):
		return fmt.Errorf("the local path %q is relative: expected an absolute path", path)
	case path != filepath.Clean(path):
		return fmt.Errorf("the local path %q is not in its shortest form: expected %q", path, filepath.Clean(path))
	case path == "/":
		return errors.New("the local path is /: expected a directory below it")
	}
	return nil
}

// validateStateName checks a state_name, which becomes a name of files like a name.
func validateStateName(name string) error {
	if name == "" {
		return nil
	}
	if err := ValidateName(name); err != nil {
		return fmt.Errorf("state_name: %w", err)
	}
	return nil
}

// Validate checks everything about the remote that can be told from it alone.
// The error names the remote.
func (r Remote) Validate() error {
	err := first(ValidateName(r.Name), validateStateName(r.StateName))
	if err == nil {
		err = r.validateAllButName()
	}
	if err != nil {
		return fmt.Errorf("remote %q: %w", r.Name, err)
	}
	return nil
}

func (r Remote) validateAllButName() error {
	variants := 0
	check := func(set bool, err func() error) error {
		if !set {
			return nil
		}
		variants++
		return err()
	}
	c := r.Connection
	if err := first(
		check(c.SSH != nil, func() error { return c.SSH.validate() }),
		check(c.HostAlias != nil, func() error { return validateHost(c.HostAlias.HostAlias) }),
		check(c.RsyncDaemon != nil, func() error { return c.RsyncDaemon.validate() }),
		check(c.Local != nil, func() error { return nil }),
	); err != nil {
		return err
	}
	switch variants {
	case 0:
		return errNoConnection
	case 1:
		return first(validateRemotePath(c.Kind(), r.RemotePath), validateOptions(remoteOptions, r))
	}
	return errors.New("there is more than one connection: expected one of Ssh, HostAlias, RsyncDaemon or Local")
}

func (s *SSH) validate() error {
	return first(
		validateHost(s.Host),
		validatePort(s.Port),
		validateUsername(s.Username),
		// ssh expands "~/" itself, and files of the original may have it.
		validateFile("identity file", strings.TrimPrefix(s.IdentityFile, "~")),
	)
}

func (d *RsyncDaemon) validate() error {
	return first(
		validateHost(d.Host),
		validatePort(d.Port),
		validateUsername(d.Username),
		validateFile("password file", d.PasswordFile),
	)
}

// validateHost checks a host name, an alias of ~/.ssh/config or an IP address.
// The characters that are refused would make it an option, a path or a user,
// or are refused by ssh itself because configurations pass hosts to shells.
func validateHost(host string) error {
	switch {
	case host == "":
		return errors.New("the host is empty: expected a host name, an alias of ~/.ssh/config or an IP address")
	case !isPlain(host) || strings.ContainsFunc(host, unicode.IsSpace):
		return fmt.Errorf("the host %q has a space or a control character in it", host)
	case host[0] == '-':
		return fmt.Errorf("the host %q begins with \"-\": ssh and rsync would take it for an option", host)
	}
	if i := strings.IndexAny(host, "/@[]'`\"$\\;&<>|(){}"); i >= 0 {
		return fmt.Errorf("the host %q has %q in it: expected a host name, an alias of ~/.ssh/config or an IP address", host, host[i:i+1])
	}
	if strings.Contains(host, ":") && !isIPv6(host) {
		return fmt.Errorf("the host %q has \":\" in it and is not an IPv6 address: expected a host alone, with the port beside it", host)
	}
	return nil
}

func isIPv6(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Is6()
}

// validateUsername allows "", "@" and a backslash: some directories have users
// like "me@example.com" and `DOMAIN\me`.
func validateUsername(user string) error {
	switch {
	case user == "":
		return nil
	case !isPlain(user) || strings.ContainsFunc(user, unicode.IsSpace):
		return fmt.Errorf("the user name %q has a space or a control character in it", user)
	case user[0] == '-':
		return fmt.Errorf("the user name %q begins with \"-\": ssh would take it for an option", user)
	case strings.HasSuffix(user, "\\"):
		return fmt.Errorf("the user name %q ends with a backslash", user)
	}
	if i := strings.IndexAny(user, "/:[]'`\";&<>|(){}"); i >= 0 {
		return fmt.Errorf("the user name %q has %q in it", user, user[i:i+1])
	}
	return nil
}

func validatePort(port int) error {
	if port < 0 || port > 65535 {
		return fmt.Errorf("the port is %d: expected a number from 1 to 65535", port)
	}
	return nil
}

// validateFile checks a path to a file of this machine, or "" for none.
func validateFile(noun, path string) error {
	switch {
	case path == "":
		return nil
	case !isPlain(path):
		return fmt.Errorf("the %s %q has a control character in it or is not UTF-8", noun, path)
	case !filepath.IsAbs(path):
		return fmt.Errorf("the %s %q is a relative path: expected an absolute one", noun, path)
	}
	return nil
}

func validateRemotePath(kind Kind, path string) error {
	clean := cleanRemotePath(kind, path)
	switch {
	case clean == "" && kind == KindRsyncDaemon:
		return errors.New("the module is missing: expected rsync://host/module")
	case path == "" && kind == KindSSH:
		return errors.New("the path is empty, which is the login directory itself: expected a directory below it, such as host:mirror")
	case !isPlain(path):
		return fmt.Errorf("the remote path %q has a control character in it or is not UTF-8", path)
	case kind == KindLocal && !strings.HasPrefix(path, "/"):
		return fmt.Errorf("the path %q is relative: expected an absolute local path", path)
	case clean == ".":
		return errors.New("the path is the login directory itself: expected a directory below it, such as host:mirror")
	case clean == "/":
		return errors.New("the path is /, the root of the remote: expected a directory below it")
	case hasDotDot(path):
		return fmt.Errorf("the remote path %q has \"..\" in it: expected a path that does not lead upwards", path)
	case path[0] == '-':
		return fmt.Errorf("the remote path %q begins with \"-\": ssh and rsync would take it for an option", path)
	case kind == KindSSH && path[0] == '~':
		return fmt.Errorf("the remote path %q begins with \"~\": expected an absolute path, or one relative to the login directory", path)
	case kind == KindSSH && path[0] == ':':
		return fmt.Errorf("the remote path %q begins with \":\": rsync would take it for a module of an rsync daemon", path)
	case path != clean:
		return fmt.Errorf("the remote path %q is not in its shortest form: expected %q", path, clean)
	}
	return nil
}

func hasDotDot(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}

// isPlain says whether s can stand in the workspace file and on a line of a
// log: UTF-8 without control characters.
func isPlain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
