package rsync

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsync/config"
	"wsync/monitor/exclude"
)

// job adds what all runs share. The working directory is the workspace.
func (e Endpoint) job(args []string, input []byte) Job {
	// Filter rules before the others: the first that matches counts.
	rules := append(exclude.OwnOf(e.Remote).Filters(e.Strategy.Basic), e.trash()...)
	rules = append(rules, excludes(e.Unreachable)...)
	return e.unfiltered(append(rules, args...), input)
}

// unfiltered is job without the rules about what is left alone.
func (e Endpoint) unfiltered(args []string, input []byte) Job {
	all := e.kept()
	if e.Remote.Devices != config.DevicesOff {
		all = append(all, "--devices", "--specials")
	}
	return e.sharing(all, args, input)
}

// plain is unfiltered for contents alone.
func (e Endpoint) plain(args []string, input []byte) Job { return e.sharing(nil, args, input) }

// sharing adds to args, behind all, what every run of rsync needs.
func (e Endpoint) sharing(all, args []string, input []byte) Job {
	all = append(all,
		"--timeout="+strconv.Itoa(ioTimeout),
		// One line per changed entry, without its name, which may hold
		// anything; deletions are the exception, see parseOutput.
		"--out-format=%i %l %n",
	)
	switch {
	case e.Strategy.Capabilities.Granularity > time.Second:
		all = append(all, "--modify-window=1")
	case e.Strategy.Nanoseconds:
		// The quick check must see a change within the same second.
		all = append(all, "--modify-window=-1")
	}
	if e.Rate != 0 && !e.Strategy.Basic {
		all = append(all, "--bwlimit="+strconv.FormatInt(max(int64(e.Rate)>>10, 1), 10)) // in KiB
	}
	if e.Compresses() {
		all = append(all, "--compress")
	}
	if e.Strategy.SecludedArgs {
		// The rsyncs that need it know only its old name.
		all = append(all, "--protect-args")
	}
	switch c := e.Remote.Connection; c.Kind() {
	case config.KindSSH:
		all = append(all, "--rsh="+quoteCommand(e.SSH))
		if command := e.Remote.RsyncCommand(); command != "rsync" {
			all = append(all, "--rsync-path="+command)
		}
	case config.KindRsyncDaemon:
		all = append(all, "--contimeout="+strconv.Itoa(connectTimeout))
		if !e.Strategy.Basic {
			// Its small packets would wait for acknowledgements, 40 ms each time.
			all = append(all, "--sockopts=TCP_NODELAY")
		}
		if c.RsyncDaemon.PasswordFile != "" {
			all = append(all, "--password-file="+c.RsyncDaemon.PasswordFile)
		}
	}
	all = append(all, args...)
	return Job{Args: append(all, "--", "./", e.destination()), Input: input}
}

// kept are the options for what the destination's file system keeps. What it does
// not would look different each time, and could not be set.
func (e Endpoint) kept() []string {
	options := []string{"--links"}
	for _, o := range []struct {
		option string
		not    bool
	}{
		{"--perms", e.Strategy.Capabilities.NoModes},
		{"--times", false},
		{"--owner", e.Strategy.Capabilities.NoOwners || e.Remote.Owner == config.WhoseNone},
		{"--group", e.Strategy.Capabilities.NoGroups || e.Remote.Group == config.WhoseNone},
		{"--usermap=" + e.Remote.Owner.Map(), e.Strategy.Capabilities.NoOwners || e.Remote.Owner.Map() == ""},
		{"--groupmap=" + e.Remote.Group.Map(), e.Strategy.Capabilities.NoGroups || e.Remote.Group.Map() == ""},
		{"--numeric-ids", !e.Remote.NumericIDs},
		{"--hard-links", !e.Remote.HardLinks},
		{"--acls", !e.Remote.ACLs},
		{"--xattrs", !e.Remote.Xattrs},
	} {
		if !o.not {
			options = append(options, o.option)
		}
	}
	if syntax := e.Remote.ModeSyntax(); syntax != "" && !e.Strategy.Capabilities.NoModes && !e.Strategy.BasicHere {
		options = append(options, "--chmod="+syntax)
	}
	if e.Strategy.Capabilities.NoLinkTimes && !e.Strategy.Basic {
		options = append(options, "--omit-link-times")
	}
	return options
}

// asHere is the endpoint at which all has the attributes that it has on this side,
// whatever the options of the remote say: for what is none of the workspace's, or has
// those of the remote here. What it does not have here, it keeps there.
func (e Endpoint) asHere() Endpoint {
	e.Remote.Chmod, e.Remote.Umask = "", ""
	e.Remote.Owner, e.Remote.Group = config.WhoseAuto, config.WhoseAuto
	e.Remote.ACLs, e.Remote.Xattrs, e.Remote.HardLinks = false, false, false
	return e
}

// destination is the last argument. It ends with a slash: the directory's
// contents are meant.
func (e Endpoint) destination() string {
	dir := strings.TrimRight(e.Remote.RemotePath, "/") + "/"
	switch c := e.Remote.Connection; c.Kind() {
	case config.KindSSH:
		host := ""
		if c.HostAlias != nil {
			host = c.HostAlias.HostAlias
		} else {
			host = c.SSH.Host
		}
		return bracket(host) + ":" + dir
	case config.KindRsyncDaemon:
		d := c.RsyncDaemon
		url := "rsync://"
		if d.Username != "" {
			url += d.Username + "@"
		}
		switch {
		case e.Relay != nil:
			url += e.Relay.String()
		case d.Port != 0:
			url += bracket(d.Host) + fmt.Sprintf(":%d", d.Port)
		default:
			url += bracket(d.Host)
		}
		return url + "/" + strings.TrimLeft(dir, "/")
	default:
		return dir
	}
}

// bracket writes an IPv6 address as rsync wants it.
func bracket(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// list is the standard input for --files-from. The "./" keeps rsync from
// taking "#" and ";" at the start of a name for a comment and dropping the
// entry without an error.
func list(paths []string) []byte {
	var b strings.Builder
	for _, p := range paths {
		b.WriteString("./")
		b.WriteString(p)
		b.WriteByte(0)
	}
	return []byte(b.String())
}

// excludes are the filter rules that leave paths alone. Of a path that is too
// long for a rule, and for rsync, the directory around it is left alone.
func excludes(paths []string) []string {
	var rules []string
	for _, p := range paths {
		for len(p) > (Endpoint{}).MaxPath() || len(quotePattern(p)) > maxRule {
			p = path.Dir(p)
		}
		if rule := "--exclude=/" + quotePattern(p); !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	return rules
}

// maxRule is how many bytes of a filter rule rsync takes: it ignores a longer one.
const maxRule = PathMax - len("/") - 1

// quotePattern makes a filter pattern that matches path literally: rsync takes
// a backslash for an escape only in a pattern that has a wildcard.
func quotePattern(path string) string {
	if !strings.ContainsAny(path, "*?[") {
		return path
	}
	return escapePattern(path)
}

// escapePattern makes path literal within a pattern that has a wildcard.
func escapePattern(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if strings.IndexByte(`*?[\`, path[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

// quoteCommand joins a command for rsync's --rsh, which splits at spaces and
// knows quotes, in which a doubled quote stands for itself.
func quoteCommand(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if a == "" || strings.ContainsAny(a, " \t'\"") {
			a = "'" + strings.ReplaceAll(a, "'", "''") + "'"
		}
		quoted[i] = a
	}
	return strings.Join(quoted, " ")
}
