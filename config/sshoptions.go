package config

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// What can be set of ssh is what no command, program or library follows from, and no file
// that is read or written: whoever writes a workspace file is not to run anything by it.
// Nor is what wsync itself relies on, or what has an option of its own. All the rest
// belongs into ~/.ssh/config.

var (
	yesOrNo     = regexp.MustCompile(`^(yes|no)$`)
	wholeNumber = regexp.MustCompile(`^[0-9]{1,6}$`)
	algorithms  = regexp.MustCompile(`^[+^-]?[A-Za-z0-9][A-Za-z0-9@.,*?-]*$`)
	hostName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.:-]*$`)
)

// sshOptions are the options of ssh_config(5) that can be set, and what their values are.
var sshOptions = map[string]*regexp.Regexp{
	"AddressFamily":               regexp.MustCompile(`^(any|inet|inet6)$`),
	"BindAddress":                 hostName,
	"BindInterface":               hostName,
	"CASignatureAlgorithms":       algorithms,
	"CheckHostIP":                 yesOrNo,
	"Ciphers":                     algorithms,
	"Compression":                 yesOrNo,
	"ConnectTimeout":              wholeNumber,
	"ConnectionAttempts":          wholeNumber,
	"GSSAPIAuthentication":        yesOrNo,
	"HostKeyAlgorithms":           algorithms,
	"HostKeyAlias":                hostName,
	"HostbasedAcceptedAlgorithms": algorithms,
	"HostbasedAuthentication":     yesOrNo,
	"IPQoS":                       regexp.MustCompile(`^[a-z0-9]+$`),
	"IdentitiesOnly":              yesOrNo,
	"KexAlgorithms":               algorithms,
	"MACs":                        algorithms,
	"PreferredAuthentications":    algorithms,
	"PubkeyAcceptedAlgorithms":    algorithms,
	"PubkeyAuthentication":        regexp.MustCompile(`^(yes|no|unbound|host-bound)$`),
	"RekeyLimit":                  regexp.MustCompile(`^[0-9]+[KMG]?$`),
	"ServerAliveCountMax":         wholeNumber,
	"ServerAliveInterval":         wholeNumber,
	"StrictHostKeyChecking":       regexp.MustCompile(`^(yes|accept-new|ask)$`),
	"TCPKeepAlive":                yesOrNo,
	"VerifyHostKeyDNS":            regexp.MustCompile(`^(yes|no|ask)$`),
}

// ParseSSHOption reads NAME=VALUE, an option of ssh, and returns it with the name as it is
// spelled in ssh_config(5).
func ParseSSHOption(s string) (string, error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return "", fmt.Errorf("expected %s, found %q", sshOptionExpected, s)
	}
	for known, pattern := range sshOptions {
		if !strings.EqualFold(name, known) {
			continue
		}
		if !pattern.MatchString(value) || strings.ContainsAny(value, "\n") {
			return "", fmt.Errorf("%q is no value that %s can have here", value, known)
		}
		return known + "=" + value, nil
	}
	return "", fmt.Errorf("%s cannot be set here, but in ~/.ssh/config; expected one of %s", name, strings.Join(slices.Sorted(maps.Keys(sshOptions)), ", "))
}

const sshOptionExpected = "NAME=VALUE, such as Compression=yes; repeatable"

func sshOptionsOption() optionKind[Remote] {
	return optionKind[Remote]{
		expected: sshOptionExpected,
		field:    func(r *Remote) any { return (*list[string])(&r.SSHOptions) },
		get:      func(r *Remote) []string { return r.SSHOptions },
		set: func(r *Remote, value string) error {
			if value == "" {
				r.SSHOptions = nil
				return nil
			}
			option, err := ParseSSHOption(value)
			if err != nil {
				return err
			}
			name, _, _ := strings.Cut(option, "=")
			if slices.ContainsFunc(r.SSHOptions, func(o string) bool { return strings.HasPrefix(o, name+"=") }) {
				return fmt.Errorf("%s is given twice", name)
			}
			r.SSHOptions = append(slices.Clone(r.SSHOptions), option)
			return nil
		},
		repeatable: true,
	}
}

// RsyncCommand is the command that is run for rsync where the remote is reached by ssh. No
// shell takes any of it for something else.
func (r Remote) RsyncCommand() string {
	program := cmp.Or(r.RsyncPath, "rsync")
	if r.Sudo {
		return "sudo -n " + program
	}
	return program
}

// onlyBySSH refuses an option for remotes that are not reached by ssh.
func onlyBySSH(r *Remote) string {
	if r.Connection.Kind() != KindSSH {
		return "it is for remotes that are reached by ssh"
	}
	return ""
}
