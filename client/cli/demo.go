package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/client"
	"wsync/config"
	"wsync/daemon/api"
)

// arrivalTimeout is how long the demo waits for a change to arrive, and
// arrivalPoll how often it looks.
const (
	arrivalTimeout = 10 * time.Second
	arrivalPoll    = 200 * time.Microsecond
)

func (c *command) demoCommand() *cli.Command {
	return &cli.Command{
		Name:        "demo",
		Category:    sectionOther,
		Usage:       "show wsync at work, in a few seconds",
		Description: "Runs a daemon of its own in a temporary directory, mirrors a small workspace to two directories there,\nchanges it, and shows when each change arrives; your own workspaces are not touched and nothing is left behind.",
		Action: func(cCtx *cli.Context) error {
			if err := c.demo(cCtx.Context); err != nil {
				return fmt.Errorf("cannot finish the demo: %w", err)
			}
			return nil
		},
	}
}

// demo is the stage of the demo: its directory, and the daemon that runs there.
type demo struct {
	*printer
	daemon      *client.Client
	source      string
	remotes     []string // their directories; their names are the last elements
	arrivals    []time.Duration
	longestName int
}

func (c *command) demo(ctx context.Context) (err error) {
	// Sockets need a short path, which TMPDIR need not be.
	parent := "/tmp"
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		parent = os.TempDir()
	}
	home, err := os.MkdirTemp(parent, "wsync-demo-")
	if err != nil {
		return err
	}
	defer func() {
		if removeErr := os.RemoveAll(home); err == nil && removeErr != nil {
			err = removeErr
		}
	}()
	settings, err := config.LoadSettings(func(name string) string {
		switch name {
		case "HOME":
			return home
		case "WSYNC_CONFIG_PATH":
			return ""
		}
		return c.deps.Env(name)
	})
	if err != nil {
		return err
	}
	d := &demo{
		printer: c.printer,
		daemon:  c.clientOf(settings),
		source:  filepath.Join(home, "workspace"),
		remotes: []string{filepath.Join(home, "first"), filepath.Join(home, "second")},
	}
	status, err := startDaemon(ctx, d.daemon, settings, demoEnvironment(home))
	if err != nil {
		return err
	}
	defer func() {
		// Also after an interrupt, whatever has become of ctx.
		if _, stopErr := stopDaemon(context.WithoutCancel(ctx), d.daemon); stopErr != nil {
			syscall.Kill(status.Daemon.PID, syscall.SIGKILL)
		}
	}()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	return d.play(ctx)
}

// demoEnvironment is the environment of the demo's daemon: another home
// directory, and none of the user's settings.
func demoEnvironment(home string) []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "HOME=") || strings.HasPrefix(variable, "WSYNC_CONFIG_PATH=")
	})
	return append(env, "HOME="+home)
}

// prepare fills a workspace and waits until both remotes hold it.
func (d *demo) prepare(ctx context.Context) error {
	for name, content := range map[string]string{
		"notes.txt":      "first line\n",
		"todo.txt":       "see the demo\n",
		"docs/guide.md":  "# Guide\n",
		"docs/api/v1.md": "# API\n",
		"src/main.c":     "int main(void) { return 0; }\n",
		"src/old/a.c":    "/* a */\n",
		"src/old/b.c":    "/* b */\n",
	} {
		path := filepath.Join(d.source, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	if _, err := d.daemon.AddWorkspace(ctx, api.AddWorkspace{Name: "demo", LocalPath: d.source}); err != nil {
		return err
	}
	for _, directory := range d.remotes {
		if err := os.Mkdir(directory, 0o755); err != nil {
			return err
		}
		remote, err := config.ParseDestination(directory)
		if err != nil {
			return err
		}
		remote.Name = filepath.Base(directory)
		if _, err := d.daemon.Attach(ctx, "demo", api.AttachRemote{Remote: remote}); err != nil {
			return err
		}
	}
	begin := time.Now()
	if err := d.wait(ctx); err != nil {
		return err
	}
	d.result("%s, mirrored to %s and %s for the first time in %s", d.source, d.remotes[0], d.remotes[1], milliseconds(time.Since(begin)))
	return nil
}

// play makes the changes and shows when each arrives.
func (d *demo) play(ctx context.Context) error {
	changes := demoChanges()
	for _, change := range changes {
		d.longestName = max(d.longestName, len(change.name))
	}
	for _, change := range changes {
		if err := d.show(ctx, change); err != nil {
			return fmt.Errorf("%s: %w", change.name, err)
		}
	}
	if err := d.wait(ctx); err != nil {
		return err
	}
	for _, remote := range d.remotes {
		if err := sameTrees(d.source, remote); err != nil {
			return err
		}
	}
	slices.Sort(d.arrivals)
	d.result("%d changes on %d remotes: each after %s (median), %s at most; all three trees are the same",
		len(changes), len(d.remotes), milliseconds(d.arrivals[len(d.arrivals)/2]), milliseconds(d.arrivals[len(d.arrivals)-1]))
	return nil
}

// show makes one change and prints when it is on each remote.
func (d *demo) show(ctx context.Context, change demoChange) error {
	begin := time.Now()
	if err := change.do(d.source); err != nil {
		return err
	}
	type arrival struct {
		remote int
		after  time.Duration
		err    error
	}
	arrivals := make(chan arrival)
	for i, remote := range d.remotes {
		go func() {
			err := arrived(ctx, d.source, remote, change.paths)
			arrivals <- arrival{i, time.Since(begin), err}
		}()
	}
	times := make([]time.Duration, len(d.remotes))
	var failed error
	for range d.remotes {
		a := <-arrivals
		times[a.remote] = a.after
		if a.err != nil {
			failed = a.err
		}
	}
	if failed != nil {
		return failed
	}
	d.arrivals = append(d.arrivals, times...)
	line := fmt.Sprintf("  %-*s", d.longestName, change.name)
	for i, remote := range d.remotes {
		line += fmt.Sprintf("  %s %8s", filepath.Base(remote), milliseconds(times[i]))
	}
	d.result("%s", line)
	return nil
}

// arrived returns when paths are the same in both directories.
func arrived(ctx context.Context, source, remote string, paths []string) error {
	deadline := time.Now().Add(arrivalTimeout)
	var err error
	for time.Now().Before(deadline) {
		if err = samePaths(source, remote, paths); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Canceled
		}
		time.Sleep(arrivalPoll)
	}
	return fmt.Errorf("has not arrived for %v: %w", arrivalTimeout, err)
}

// wait waits until both remotes are in sync.
func (d *demo) wait(ctx context.Context) error {
	result, err := d.daemon.Wait(ctx, api.Wait{Workspace: "demo", Timeout: 30 * time.Second})
	if err != nil {
		return err
	}
	if !result.InSync {
		d.behind(result.Behind, false)
		return fmt.Errorf("not all remotes are in sync")
	}
	return nil
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
