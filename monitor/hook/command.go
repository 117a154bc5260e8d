package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"wsync/config"
	"wsync/monitor/child"
)

// Definition says what is to be run.
type Definition struct {
	// Workspace and Directory are the name and the directory of the workspace.
	Workspace, Directory string
	Remote               config.Remote
	// Local and There are the command lines for here and for over there, "" for none.
	Local, There string
	// Timeout is how long a command may take.
	Timeout time.Duration
	// Retry counts the requests to try again.
	Retry uint64
}

// Wanted reports whether there is anything to run.
func (d Definition) Wanted() bool { return d.Local != "" || d.There != "" }

// variables are what commands find in their environment.
func (d Definition) variables(paths Paths) []string {
	return []string{
		"WSYNC_EVENT=sync",
		"WSYNC_WORKSPACE=" + d.Workspace,
		"WSYNC_LOCAL_PATH=" + d.Directory,
		"WSYNC_REMOTE=" + d.Remote.Name,
		"WSYNC_DESTINATION=" + d.Remote.Destination(),
		"WSYNC_PATHS=" + strconv.Itoa(paths.Len()),
	}
}

// limited is a script that runs a command, and ends it after some seconds: with all of its
// process group where there is timeout(1), or else its first process. Nothing must stay for
// long, since what is left of a connection that was given up counts as one of its sessions.
const limited = `if command -v timeout >/dev/null 2>&1; then exec timeout -k 2 "$@"; fi; ` +
	`exec 3<&0; t=$1; shift; "$@" <&3 3<&- & p=$!; (sleep "$t"; kill $p) >/dev/null 2>&1 </dev/null 3<&- & w=$!; ` +
	`wait $p; s=$?; kill $w 2>/dev/null; if [ $s -eq 143 ]; then s=124; fi; exit $s`

// thereLine is what the shell over there is told: to run a command in the destination, with
// variables, and to end it after the timeout.
func (d Definition) thereLine(paths Paths) string {
	dir := d.Remote.RemotePath
	if !strings.HasPrefix(dir, "/") {
		dir = "./" + dir
	}
	words := []string{"cd", quote(dir), "&&", "exec", "env"}
	for _, v := range d.variables(paths) {
		words = append(words, quote(v))
	}
	seconds := int64((d.Timeout + time.Second - 1) / time.Second)
	words = append(words, "sh", "-c", quote(limited), "sh", strconv.FormatInt(seconds, 10))
	args, _ := config.SplitCommand(d.There) // it was valid when it was set
	for i, a := range args {
		if rest, ok := strings.CutPrefix(a, "~/"); ok && i == 0 {
			words = append(words, "~/"+quote(rest))
			continue
		}
		words = append(words, quote(a))
	}
	return strings.Join(words, " ")
}

// quote makes a word that no shell takes for more.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// timeoutStatus is how timeout(1), and limited, end when they have ended what they were to run.
const timeoutStatus = 124

// run runs cmd, which must come from exec.CommandContext with ctx, and tells it the paths. The error says
// why it failed, with the last of what it said. When ctx is done all of its process group
// is ended.
func run(ctx context.Context, cmd *exec.Cmd, paths Paths) error {
	child.PrepareGroup(cmd)
	cmd.Stdin = strings.NewReader(paths.Lines())
	var said lastBytes
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := child.Start(cmd); err != nil {
		return err
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		child.KillGroup(cmd) // what is left of it
		return ctx.Err()
	}
	if err == nil || errors.Is(err, exec.ErrWaitDelay) { // it left something behind that has its output
		return nil
	}
	if last := said.lastLine(); last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}

// lastBytes is an io.Writer that keeps the last bytes. exec.Cmd writes from one goroutine.
type lastBytes struct{ kept bytes.Buffer }

// maxSaid is how many bytes are kept of what a command says.
const maxSaid = 4096

func (b *lastBytes) Write(p []byte) (int, error) {
	b.kept.Write(p[max(len(p)-maxSaid, 0):])
	b.kept.Next(max(b.kept.Len()-maxSaid, 0))
	return len(p), nil
}

// lastLine is the last line that says something.
func (b *lastBytes) lastLine() string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(b.kept.String(), "?")), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
