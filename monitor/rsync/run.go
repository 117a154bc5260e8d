package rsync

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"wsync/config"
	"wsync/monitor/child"
	"wsync/monitor/relpath"
)

// Progress is what a run has transferred so far. rsync names a file when it
// begins to send it, and that file counts from then on.
type Progress struct {
	Files int    // regular files sent
	Bytes int64  // their sizes
	Path  string // the last of them, "" for none
	// Part is how many bytes of that one are sent, 0 as long as that is not known. Only a
	// job that is Following says so.
	Part int64
}

// Result is how a run ended.
type Result struct {
	Code int
	// Stderr is standard error, with what rsync complained about on standard
	// output instead.
	Stderr string
	// Truncated reports whether part of a very long Stderr is missing.
	Truncated bool
	reported  *child.Tail // what is to be added to Stderr; nil for nothing
	Progress
	size int64 // of the file that is on its way
	// Changed counts the entries other than directories that differed on the
	// remote, deletions included.
	Changed int
	// Deleted counts the deleted entries, or those that a ListDeletions would
	// delete, and DeletedSample names the first of them.
	Deleted       int
	DeletedSample []string
	// Probes is how many of them are what probes have made; Inside are the marks of
	// other mirrors among them, by the directories of these.
	Probes int
	Inside map[string]string
	// Created counts the entries, directories too, that were not there before.
	Created int
	// Made are the directories that were missing on the remote, not those below
	// them; "" is the destination itself. Of very many, they are the first.
	Made []string
	// New are the entries other than directories that were not there before; of very
	// many, the first.
	New []string
	// Entries is the number of entries of the workspace, from a Look.
	Entries int

	deleting  func(path string, dir bool)   // Job.Deleting
	differing func(path, code string)       // Job.Differing
	sending   func(path string, size int64) // Job.Sending
	listing   func(line string)             // Job.Listing
}

// deletedSample is how many deletions are named.
const deletedSample = 5

// madeDirectories is how many directories are remembered, and how many others.
const madeDirectories = 1000

// Environment returns the environment of rsync and ssh: the process's own, in
// a locale in which messages are known, with the agent's socket if there is
// one.
func Environment(authSock string) []string {
	env := append(os.Environ(), "LC_ALL=C")
	if authSock != "" {
		env = append(env, "SSH_AUTH_SOCK="+authSock)
	}
	return env
}

// Output runs cmd, which must come from exec.CommandContext, and returns what
// it writes to standard output.
func Output(cmd *exec.Cmd) (string, error) {
	child.Prepare(cmd)
	var out child.Tail
	cmd.Stdout = &out
	if err := child.Start(cmd); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return out.String(), err
}

// Run runs a job in the workspace's directory dir, and calls progress now and
// then from another goroutine, never after Run has returned. The error is non-nil
// only when rsync could not be run at all; ctx ends it early.
func Run(ctx context.Context, dir string, env []string, job Job, progress func(Progress)) (Result, error) {
	p, err := begin(ctx, dir, env, job.inArguments())
	if errors.Is(err, syscall.E2BIG) { // there is less room for arguments than usual
		p, err = begin(ctx, dir, env, job)
	}
	if err != nil {
		return Result{}, err
	}
	return p.result(ctx, progress)
}

// begin starts a job with its input.
func begin(ctx context.Context, dir string, env []string, job Job) (*process, error) {
	p := newProcess(ctx, dir, env, job)
	p.job = job
	if job.Input != nil {
		p.cmd.Stdin = bytes.NewReader(job.Input)
	}
	return p, p.start()
}

// process is a run of rsync.
type process struct {
	cmd    *exec.Cmd
	stdout io.ReadCloser
	stderr child.Tail
	job    Job
}

func newProcess(ctx context.Context, dir string, env []string, job Job) *process {
	p := &process{cmd: exec.CommandContext(ctx, "rsync", job.Args...)}
	p.cmd.Dir = dir
	p.cmd.Env = env
	p.cmd.Stderr = &p.stderr
	child.Prepare(p.cmd)
	return p
}

func (p *process) start() (err error) {
	if p.stdout, err = p.cmd.StdoutPipe(); err != nil {
		return fmt.Errorf("cannot run rsync: %w", err)
	}
	start := child.Start
	if p.job.Gently {
		start = child.StartGently
	}
	if err := start(p.cmd); err != nil {
		return fmt.Errorf("cannot run rsync: %w", err)
	}
	return nil
}

// result reads what rsync has to say, to its end.
func (p *process) result(ctx context.Context, progress func(Progress)) (Result, error) {
	result := Result{deleting: p.job.Deleting, differing: p.job.Differing, sending: p.job.Sending, listing: p.job.Listing}
	result.read(p.stdout, progress)
	result.deleting, result.differing, result.sending, result.listing = nil, nil, nil, nil
	err := p.cmd.Wait()
	result.Stderr, result.Truncated = p.stderr.String(), p.stderr.Dropped()
	if more := result.reported; more != nil {
		result.Stderr += more.String()
		result.Truncated = result.Truncated || more.Dropped()
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return result, ctx.Err()
	case errors.As(err, &exit):
		result.Code = exit.ExitCode()
		if result.Code < 0 { // ended by a signal
			result.Code = 20
		}
	case errors.Is(err, exec.ErrWaitDelay):
		// rsync is done, and left a process that holds its pipes.
	case err != nil:
		return result, fmt.Errorf("cannot run rsync: %w", err)
	}
	if result.Code == 0 && unknownID.MatchString(result.Stderr) {
		// rsync goes on, and gives the files to somebody else.
		result.Code = codeUnsupported
	}
	return result, nil
}

// codeUnsupported is rsync's code for what the remote's does not support.
const codeUnsupported = 4

// unknownID is what rsync says of a user or group that all files are to belong to.
var unknownID = expressionOf(`(?m)^Unknown --(?:user|group)map name on receiver: `)

// read reads rsync's standard output to its end.
func (r *Result) read(stdout io.Reader, progress func(Progress)) {
	lines := bufio.NewReaderSize(stdout, 64<<10)
	for {
		line, err := readLine(lines)
		if !r.readPart(line) {
			r.readLine(line)
		}
		if progress != nil && !isNextThere(lines) {
			progress(r.Progress)
		}
		if err != nil {
			return
		}
	}
}

// readLine reads a line, without its end. Those that say how far rsync is begin with a
// carriage return, which no name has in it, and what it says last may end with none.
func readLine(from *bufio.Reader) (line string, err error) {
	var long []byte
	for {
		if _, err := from.Peek(1); err != nil {
			return string(long), err
		}
		there, _ := from.Peek(from.Buffered())
		end := bytes.IndexAny(there, "\r\n")
		if end < 0 {
			long = append(long, there...)
			_, _ = from.Discard(len(there))
			continue
		}
		long = append(long, there[:end]...)
		_, _ = from.Discard(end + 1)
		return string(long), nil
	}
}

// isNextThere reports whether the next line has been read already, to its end.
func isNextThere(from *bufio.Reader) bool {
	there, _ := from.Peek(from.Buffered())
	return bytes.ContainsAny(there, "\r\n")
}

// progressed matches a line of --info=progress2, of which the first number is how many
// bytes of files have gone in this run.
var progressed = expressionOf(`^ +([0-9,]+) +[0-9]+% `)

// readPart takes in a line if it says how far rsync is.
func (r *Result) readPart(line string) bool {
	if !strings.HasPrefix(line, " ") {
		return false
	}
	m := progressed.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	if bytes, err := strconv.ParseInt(strings.ReplaceAll(m[1], ",", ""), 10, 64); err == nil {
		r.Part = min(max(bytes-(r.Bytes-r.size), 0), r.size)
	}
	return true
}

// IsWithin reports whether path is one of dirs, or below one; "" is above all.
func IsWithin(path string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool {
		return dir == "" || relpath.Within(path, dir)
	})
}

// cutCode cuts the itemized code from a line. Where nothing but the link differs of a file
// that is to be one with another, the code has blanks instead of dots.
func cutCode(line string) (code, rest string, ok bool) {
	code, rest, ok = strings.Cut(line, " ")
	if len(code) == 2 && code[0] == 'h' && strings.HasPrefix(rest, "      ") {
		return code + strings.Repeat(".", 9), strings.TrimLeft(rest, " "), true
	}
	return code, rest, ok && len(code) >= 9
}

// IsNew reports whether an itemized code is one of an entry that was not there before.
func IsNew(code string) bool { return strings.Trim(code[2:], "+") == "" }

// IsSent reports whether an itemized code is one of a file whose contents are sent.
func IsSent(code string) bool { return code[0] == '<' || code[0] == '>' }

// deletionsSkipped begins the line that rsync writes, to standard output, when it
// deletes nothing because something could not be read.
const deletionsSkipped = "IO error encountered -- skipping file deletion"

// readDeleted takes in the name of a deleted entry.
func (r *Result) readDeleted(name string) {
	if r.deleting != nil {
		path, dir := strings.CutSuffix(unescape(name), "/")
		r.deleting(path, dir)
	}
	if IsProbe(name) {
		r.Probes++
		return
	}
	if len(r.DeletedSample) < deletedSample {
		r.DeletedSample = append(r.DeletedSample, unescape(name))
	}
	if !strings.Contains(name, config.MarkPrefix) {
		return
	}
	if dir, id, ok := markIn(unescape(name)); ok {
		if r.Inside == nil {
			r.Inside = make(map[string]string)
		}
		r.Inside[dir] = id
	}
}

// readLine takes in one line of --out-format="%i %l %n" or --stats. rsync
// escapes line breaks in names, so a line never ends within one. The itemized
// code is described in rsync(1) under --itemize-changes.
func (r *Result) readLine(line string) {
	if r.listing != nil {
		r.listing(line)
		return
	}
	if rest, ok := strings.CutPrefix(line, "Number of files: "); ok {
		number, _, _ := strings.Cut(rest, " ")
		if n, err := strconv.Atoi(strings.ReplaceAll(number, ",", "")); err == nil {
			r.Entries = n
		}
		return
	}
	code, rest, ok := cutCode(line)
	if !ok {
		// A line about an entry never looks like these.
		if strings.HasPrefix(line, deletionsSkipped) || reported(line) {
			if r.reported == nil {
				r.reported = new(child.Tail)
			}
			_, _ = r.reported.Write([]byte("\n" + line + "\n")) // it never fails
		}
		return
	}
	if code == "*deleting" {
		r.Changed++
		r.Deleted++
		_, name, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
		r.readDeleted(name)
		return
	}
	if !strings.ContainsRune("<>ch.", rune(code[0])) || !strings.ContainsRune("fdLDS", rune(code[1])) {
		return
	}
	if r.differing != nil {
		_, name, _ := strings.Cut(rest, " ")
		r.differing(unescape(name), code)
	}
	if IsNew(code) {
		r.Created++
	}
	if code[1] != 'd' {
		r.Changed++
		if IsNew(code) && len(r.New) < madeDirectories {
			_, name, _ := strings.Cut(rest, " ")
			r.New = append(r.New, unescape(name))
		}
	} else if code[:3] == "cd+" && len(r.Made) < madeDirectories {
		_, name, _ := strings.Cut(rest, " ")
		if name, ok := inside(unescape(name)); ok && !IsWithin(name, r.Made) {
			r.Made = append(r.Made, name)
		}
	}
	if code[0] == '<' || code[0] == '>' {
		r.Files++
		size, name, _ := strings.Cut(rest, " ")
		r.Path = unescape(name)
		n, _ := strconv.ParseInt(size, 10, 64)
		r.Bytes += n
		r.size, r.Part = n, 0
		if r.sending != nil {
			r.sending(r.Path, n)
		}
	}
}
