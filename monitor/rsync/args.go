// Package rsync drives rsync: it builds command lines, runs them, and reads
// what rsync says. Building and reading are functions over values; only Run
// starts a process.
package rsync

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsync/config"
	"wsync/monitor/exclude"
)

// Endpoint is the destination of a transfer.
type Endpoint struct {
	// Remote says where the destination is.
	Remote config.Remote
	// SSH is the command line, without the host, that reaches an ssh remote;
	// unused for others.
	SSH []string
	// Relay is where the connection to an rsync daemon goes instead, nil for the
	// daemon itself.
	Relay *net.TCPAddr
	// Strategy is what both ends are able to do.
	Strategy Strategy
	// Compress: what is sent is to be compressed, where that can be; see Compresses.
	Compress bool
	// Rate is how many bytes a second a run may send, 0 for no limit.
	Rate config.Rate
	// Began is when the transfer began, which names what it puts into the
	// trash; zero for a run that puts nothing there.
	Began time.Time
	// Unreachable are paths that are left alone, with all below them, and so
	// are the directories that lead there: neither sent nor deleted. They must not
	// be listed: rsync looks for no rule about what it is told to send.
	Unreachable []string
}

// Job is one run of rsync: its arguments, and the list of paths on its
// standard input.
type Job struct {
	Args []string
	// Input is the NUL-separated list for standard input, or nil.
	Input []byte
	// Deleting, if not nil, is called with each path that the run deletes, or would
	// delete if it is one that only lists, before Run returns. dir says that it is a
	// directory.
	Deleting func(path string, dir bool)
	// Differing, if not nil, is called likewise with the path of each other entry that
	// differs, and with rsync's itemized code, which says how; see rsync(1) under
	// --itemize-changes. The path of a directory ends with a slash.
	Differing func(path, code string)
	// Listing, if not nil, gets each line of a run that lists, which tells nothing else.
	Listing func(line string)
}

// DryRun is the job without any effect: its Result tells what it would do.
func (j Job) DryRun() Job { return j.with(dryRun) }

const dryRun = "--dry-run"

// IsDry reports whether the job has no effect.
func (j Job) IsDry() bool { return slices.Contains(j.Args, dryRun) }

// Checksum makes the job compare contents instead of sizes and times.
func (j Job) Checksum() Job { return j.with("--checksum") }

// Sparse makes the job leave holes where there is nothing but zeros, if holes tells
// that there are files which have some, or the remote's options ask for it. It costs
// time: what is written goes in small pieces then.
func (j Job) Sparse(e Endpoint, holes bool) Job {
	switch e.Remote.Sparse {
	case config.SparseOn:
		holes = true
	case config.SparseOff:
		holes = false
	}
	if !holes || e.Strategy.Basic {
		return j // openrsync does not know how
	}
	return j.with("--sparse")
}

// Limit makes the job delete at most maxDelete entries; when more would have to go,
// none does beyond that number and rsync ends with PartialDeletion. A remote that does
// not know such a limit deletes nothing with maxDelete 0, and whatever is necessary
// otherwise.
func (j Job) Limit(e Endpoint, maxDelete int) Job {
	switch {
	case !e.Strategy.Basic:
		return j.with("--max-delete=" + strconv.Itoa(maxDelete))
	case maxDelete == 0:
		j.Args = slices.DeleteFunc(slices.Clone(j.Args), func(a string) bool { return a == "--delete" })
	}
	return j
}

// listRoom is how many bytes of paths go as arguments. Linux has room for 2 MB
// of them by default, others for 1 MB or half of it, all with the environment.
const listRoom = 256<<10 + 768<<10*isLinux

const (
	pointerSize  = 8 // of an argument, which counts as well
	argumentSize = len("./") + 1 + pointerSize
)

// fromList is the option that makes rsync read the list of paths.
const fromList = "--files-from=-"

// inArguments is the same job with its list of paths as arguments, if they are
// not too long for that. rsync is about twice as fast then: it reads a list byte
// by byte, and looks at each directory that leads to a file anew.
func (j Job) inArguments() Job {
	paths := bytes.Split(bytes.TrimSuffix(j.Input, []byte{0}), []byte{0})
	option := slices.Index(j.Args, fromList)
	if option < 0 || len(j.Input) == 0 || j.Listing != nil || len(j.Input)+pointerSize*len(paths) > listRoom {
		return j
	}
	source := len(j.Args) - 2
	args := slices.Delete(slices.Clone(j.Args[:source]), option, option+1)
	for _, p := range paths {
		args = append(args, string(p))
	}
	j.Args, j.Input = append(args, j.Args[source+1:]...), nil
	return j
}

// IfThere makes the job leave a destination that is not there alone, instead of
// making it.
func (j Job) IfThere() Job {
	// Without a slash at the end, rsync takes one that is missing for a file's
	// name, and --existing keeps it from making that.
	j = j.with("--existing")
	last := len(j.Args) - 1
	if dir := strings.TrimSuffix(j.Args[last], "/"); dir != "" && !strings.HasSuffix(dir, ":") {
		j.Args[last] = dir
	}
	return j
}

// with returns the job with one more argument, in a slice of its own.
func (j Job) with(arg string) Job {
	j.Args = append([]string{arg}, j.Args...)
	return j
}

// Time limits in seconds, passed to rsync. Data that stops flowing ends a
// transfer; ssh notices a dead link much earlier by its own keep-alives.
const (
	ioTimeout      = 120
	connectTimeout = 10
)

// Look finds what differs of the whole tree, and what the workspace does not hold of
// the destination, and changes nothing. Paths in except, and all below them, are left
// alone on both sides.
func Look(e Endpoint, except []string) Job {
	return look(e, append([]string{"--stats"}, e.mkpath()...), except)
}

// ListDeletions finds what the workspace does not hold of the destination, and changes
// nothing.
func ListDeletions(e Endpoint, except []string) Job {
	// It comes before anything was tried, and needs no look at times, nor a trash.
	e.Strategy.Nanoseconds = false
	e.Began = time.Time{}
	return look(e, nil, except)
}

func look(e Endpoint, more, except []string) Job {
	args := append([]string{"--recursive", "--delete", dryRun}, more...)
	return e.job(append(args, excludes(except)...), nil)
}

// LookInto is Look for the listed directories, with all below them; except must come
// from Plan.Except. One that is gone by then would be deleted where the remote can be
// told so.
func LookInto(e Endpoint, dirs, except []string) Job {
	args := []string{"--recursive", "--delete", dryRun, "--relative", "--dirs", "--from0", fromList}
	if e.Strategy.DeleteMissing {
		args = append(args, "--delete-missing-args")
	}
	return e.job(append(args, excludes(except)...), list(dirs))
}

// Contents makes the job compare contents instead of sizes and times, in the way that
// is the quicker one.
func (j Job) Contents(e Endpoint) Job {
	if e.Strategy.Basic {
		return j.with(e.bytewise())
	}
	return j.Checksum()
}

// Making makes the job make a missing destination, parents included.
func (j Job) Making(e Endpoint) Job {
	for _, option := range e.mkpath() {
		j = j.with(option)
	}
	return j
}

// WithoutMissing makes the job leave paths alone that are listed and do not exist,
// where rsync can be told so.
func (j Job) WithoutMissing() Job {
	j.Args = slices.Clone(j.Args)
	for i, a := range j.Args {
		if a == "--delete-missing-args" {
			j.Args[i] = "--ignore-missing-args"
		}
	}
	return j
}

// Chunks parts paths so that each part can go as arguments of one run. The files of one
// run appear together if updates are delayed, and the names of one file have to be in one
// run for hard links, so that they are not parted then.
func (e Endpoint) Chunks(paths []string) func(yield func(part []string) bool) {
	return func(yield func(part []string) bool) {
		if e.Delays() || e.Remote.HardLinks {
			yield(paths)
			return
		}
		begin, size := 0, 0
		for i, p := range paths {
			need := len(p) + argumentSize
			if size+need > listRoom && i > begin {
				if !yield(paths[begin:i]) {
					return
				}
				begin, size = i, 0
			}
			size += need
		}
		yield(paths[begin:])
	}
}

// Paths makes the listed paths equal, by content if contents is set and by
// size and time otherwise, directories without what is in them. A listed path
// that does not exist in the workspace is deleted on the remote, with all
// below it; where Strategy.DeleteMissing is false it must not be listed, see
// Deletions.
func Paths(e Endpoint, paths []string, contents bool) Job {
	args := append([]string{"--relative", "--dirs", "--from0", fromList}, e.force()...)
	if e.Strategy.DeleteMissing {
		args = append(args, "--delete-missing-args")
	}
	if contents {
		args = append(args, e.bytewise())
	}
	args = append(args, e.delay()...)
	return e.job(args, list(paths))
}

// Beside makes the listed paths equal, by content, and removes nothing: neither a path
// that is gone nor what is in the way of one.
func Beside(e Endpoint, paths []string) Job {
	args := []string{"--relative", "--dirs", "--from0", fromList, e.bytewise()}
	if e.Strategy.DeleteMissing {
		args = append(args, "--ignore-missing-args")
	}
	return e.job(append(args, e.delay()...), list(paths)).Limit(e, 0)
}

// CountDeletions finds what Paths or Deletions would delete, and changes
// nothing.
func CountDeletions(e Endpoint, paths []string) Job {
	return Deletions(e, paths).DryRun()
}

// Deletions deletes the listed paths, which do not exist in the workspace, with
// all below them. It serves remotes without --delete-missing-args: a recursive
// comparison whose filter shows rsync nothing but these paths and the
// directories that lead to them.
func Deletions(e Endpoint, paths []string) Job { return deletions(e, paths, nil, true) }

// deletions is Deletions; below: with all below them.
func deletions(e Endpoint, paths, more []string, below bool) Job {
	var rules strings.Builder
	shown := make(map[string]bool)
	show := func(pattern string) {
		if !shown[pattern] {
			shown[pattern] = true
			rules.WriteString(pattern)
			rules.WriteByte(0)
		}
	}
	for _, p := range paths {
		for i := range len(p) {
			if p[i] == '/' {
				show("/" + quotePattern(p[:i]) + "/")
			}
		}
		show("/" + quotePattern(p))
		if below {
			show("/" + escapePattern(p) + "/**")
		}
	}
	// The order matters: --from0 counts for the lists that follow it.
	args := append([]string{"--recursive", "--delete", "--from0", "--include-from=-", "--exclude=*"}, more...)
	return e.job(args, []byte(rules.String()))
}

// Remove deletes the listed paths of the destination with all below them, and no
// others. It must be run in a directory that has nothing but the directories that lead
// to the paths, and never in the workspace: what it is not to find is deleted. Those
// directories get their times from there, and keep their modes and owners; one that the
// destination has lost is made, and is among Result.Made.
func Remove(e Endpoint, paths []string) Job {
	e = e.asHere()
	more := slices.Concat(keepAttributes, e.force())
	if !e.Strategy.DeleteMissing {
		return deletions(e, paths, more, true)
	}
	return e.removal(paths, more)
}

// RemoveAlone is Remove for paths at which nothing but files is expected: a directory
// that is not empty stays, with all below it, and is in Complaints.Pinned.
func RemoveAlone(e Endpoint, paths []string) Job {
	e = e.asHere()
	if !e.Strategy.DeleteMissing {
		return deletions(e, paths, keepAttributes, false)
	}
	return e.removal(paths, keepAttributes)
}

// keepAttributes are the options of removals for the directories on the way.
var keepAttributes = []string{"--no-perms", "--no-owner", "--no-group"}

// removal is a removal where missing paths can be listed.
func (e Endpoint) removal(paths, more []string) Job {
	return e.job(append([]string{"--relative", "--dirs", "--from0", fromList, "--delete-missing-args"}, more...), list(paths))
}

// Removable reports whether Remove can be told of a path.
func (e Endpoint) Removable(path string) bool {
	return len(path) <= e.MaxPath() && (e.Strategy.DeleteMissing || len("/")+len(escapePattern(path))+len("/**") < maxRule)
}

// RemovableAtOnce is how many paths a Remove may list. Without --delete-missing-args each
// is a rule, and rsync compares every entry beside them with every rule.
func (e Endpoint) RemovableAtOnce() int {
	if e.Strategy.DeleteMissing {
		return math.MaxInt
	}
	return 5000
}

// Root makes mode, owner and times of the root itself equal.
func Root(e Endpoint) Job {
	return e.job([]string{"--dirs", "--exclude=/*"}, nil)
}

// force lets a file take the place of a directory that is not empty.
func (e Endpoint) force() []string {
	if e.Strategy.Basic || e.Remote.Keeps() {
		return nil
	}
	return []string{"--force"}
}

// mkpath makes a missing destination, parents included.
func (e Endpoint) mkpath() []string {
	if !e.Strategy.Mkpath {
		return nil
	}
	return []string{"--mkpath"}
}

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
