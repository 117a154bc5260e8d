// Package rsync drives rsync: it builds command lines, runs them, and reads
// what rsync says. Building and reading are functions over values; only Run
// starts a process.
package rsync

import (
	"bytes"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsync/config"
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
	// Sending, if not nil, is called likewise with the path and the size in bytes of each
	// file whose contents are sent, or would be, when that begins.
	Sending func(path string, size int64)
	// Listing, if not nil, gets each line of a run that lists, which tells nothing else.
	Listing func(line string)
	// Gently: what runs on this machine gets the processor and the disk when nobody else
	// wants them.
	Gently bool
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

// Following makes the job say how far it is within a file; see Progress.
func (j Job) Following(e Endpoint) Job {
	if e.Strategy.NoProgress {
		return j
	}
	return j.with("--info=progress2")
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
