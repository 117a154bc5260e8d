package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

func (c *command) explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Category:  sectionStatus,
		Usage:     "say what is known of one path",
		ArgsUsage: "NAME PATH [REMOTE]",
		Description: `Says of one path what it is here, whether it is ignored and by which rule, and for each remote whether
it is there, waits, is on its way, fails or is held, and why; when and how it was sent last, if that is
remembered, and when a full pass looked at all. PATH is relative to the current directory if that leads
into the workspace, or else to the workspace, and need not exist. It is wsync's knowledge that is
told; with --remote the remotes are asked now, too: what kind of entry is there, its size, time, mode and,
on this machine, owner, and whether that is as it is here. Contents of up to 256 MiB are compared, and
nothing is changed anywhere. wsync diff does so with all paths.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "remote", Usage: "also ask the remotes what they have there"},
			jsonFlag(),
		},
		Action: c.explain,
	}
}

// explanation is what is known of a path, for --json.
type explanation struct {
	Version int `json:"version"` // api.JSONVersion
	// Path is relative to the workspace. One that is not UTF-8 is in PathBytes, and Path
	// only looks like it.
	Path      string `json:"path"`
	PathBytes []byte `json:"path_bytes,omitempty"`
	// Here is what it is here, nil for nothing.
	Here    *pathHere     `json:"here,omitempty"`
	Ignored ignoreVerdict `json:"ignored"`
	// Remotes are empty for what is ignored.
	Remotes []remoteExplanation `json:"remotes"`
}

type pathHere struct {
	Kind    string    `json:"kind"`
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mod_time"`
	Mode    string    `json:"mode"`
}

// remoteExplanation is what is known of a path on a remote, and what the matter is with
// the remote itself.
type remoteExplanation struct {
	Name         string             `json:"name"`
	Destination  string             `json:"destination"`
	State        report.State       `json:"state"`
	Error        string             `json:"error,omitempty"`
	Hint         string             `json:"hint,omitempty"`
	NextRetry    *time.Time         `json:"next_retry,omitempty"`
	LastFullPass *time.Time         `json:"last_full_pass,omitempty"`
	Verified     *pathVerified      `json:"verified,omitempty"`
	Path         *report.PathStatus `json:"path,omitempty"` // nil if its monitor does not answer
}

// pathVerified is what the last comparison of all contents with a remote says of a path.
type pathVerified struct {
	At time.Time `json:"at"`
	// Differs is in what the path differed, and does still, as far as is known.
	Differs []report.DifferenceKind `json:"differs,omitempty"`
	// Unsure: it found more differences than are remembered by name, and the path may be
	// one of them.
	Unsure bool `json:"unsure,omitempty"`
}

func (c *command) explain(cCtx *cli.Context) error {
	x, err := c.askAbout(cCtx.Context, cCtx.Args().Get(0), cCtx.Args().Get(1), cCtx.Args().Get(2), cCtx.Bool("remote"))
	if err != nil {
		return fmt.Errorf("cannot explain %s: %w", plain(cCtx.Args().Get(1)), err)
	}
	if cCtx.Bool("json") {
		return c.json(x)
	}
	c.explanation(x)
	return nil
}

// askAbout finds out what is known of a path, with askThem from the remotes themselves, too.
func (c *command) askAbout(ctx context.Context, name, path, remote string, askThem bool) (x explanation, err error) {
	daemon, err := c.connect()
	if err != nil {
		return x, err
	}
	status, err := daemon.Workspace(ctx, name)
	if err != nil {
		return x, err
	}
	checker, err := newChecker(status.Workspace)
	if err != nil {
		return x, err
	}
	if x.Path, _, err = checker.paths.find(path); err != nil {
		return x, err
	}
	if !utf8.ValidString(x.Path) {
		x.PathBytes = []byte(x.Path)
	}
	if x.Ignored, err = checker.check(path); err != nil {
		return x, err
	}
	if x.Here, err = lookHere(filepath.Join(status.Workspace.LocalPath, x.Path)); err != nil {
		return x, err
	}
	x.Version, x.Remotes = api.JSONVersion, []remoteExplanation{}
	if x.Ignored.Ignored {
		return x, nil
	}
	ask := api.Explain{Path: x.Path, PathBytes: x.PathBytes, Remote: remote, Ask: askThem}
	if status, err = daemon.Explain(ctx, name, ask); err != nil {
		return x, err
	}
	for _, r := range status.Remotes {
		one := remoteExplanation{Name: r.Name, Destination: r.Destination, State: r.State, Error: r.Error, Hint: r.Hint, NextRetry: r.NextRetry, LastFullPass: r.LastFullPass, Verified: verifiedPath(r.Verified, x.Path)}
		if len(r.Paths) > 0 {
			path := r.Paths[0].Plain()
			one.Path = &path
		}
		x.Remotes = append(x.Remotes, one)
	}
	return x, nil
}

// verifiedPath returns what a verification says of a path, nil if there was none.
func verifiedPath(v *report.Verification, path string) *pathVerified {
	if v == nil {
		return nil
	}
	p := &pathVerified{At: v.Ended}
	named := 0
	for _, d := range v.Found {
		if d.State == report.StateRepaired {
			continue
		}
		named++
		if d.Name() != path {
			continue
		}
		if p.Differs = d.Differs; len(p.Differs) == 0 {
			p.Differs = []report.DifferenceKind{d.Kind}
		}
	}
	p.Unsure = len(p.Differs) == 0 && v.Open > named
	return p
}

// lookHere says what a path is on this machine, nil for nothing.
func lookHere(path string) (*pathHere, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR): // as where its directory is a file now
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &pathHere{Kind: kindOf(info.Mode()), Size: info.Size(), ModTime: info.ModTime(), Mode: info.Mode().Perm().String()[1:]}, nil
}

// kindOf names what an entry is.
func kindOf(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return report.File
	case fs.ModeDir:
		return report.Directory
	case fs.ModeSymlink:
		return report.Link
	}
	return report.Special
}

// explanation prints what is known of a path.
func (c *command) explanation(x explanation) {
	var b block
	name := x.Path
	if name == "" {
		name = "."
	}
	b.WriteString(wholeName(name) + "\n")
	here := "not there"
	if x.Here != nil {
		here = fileText(x.Here.Kind, x.Here.Size, x.Here.ModTime) + ", mode " + x.Here.Mode
	}
	b.field(2, "here", here)
	if rule := x.Ignored.Rule; x.Ignored.Ignored {
		text := fmt.Sprintf("by %s (%s), as what is at %s", rule.Pattern, rule.place(), x.Ignored.Entry)
		if x.Ignored.Entry == x.Path {
			text = fmt.Sprintf("by %s (%s)", rule.Pattern, rule.place())
		}
		b.field(2, "ignored", text+": it is neither sent nor deleted, and stays on the remotes as it is")
	}
	for _, r := range x.Remotes {
		b.field(2, r.Name, pathText(r, x.Here != nil, c.now()))
		if sent := sentText(r.Path, c.now()); sent != "" {
			b.field(2, "", sent)
		}
		if verified := pathVerifiedText(r, c.now()); verified != "" {
			b.field(2, "", verified)
		}
		if r.Path != nil && r.Path.Look != nil {
			b.field(2, "", lookText(*r.Path.Look))
		}
		if hint := pathHint(r); hint != "" {
			b.field(2, "", "hint: "+hint)
		}
	}
	c.print(b.String())
}

// pathText says what is the matter with a path on a remote.
func pathText(r remoteExplanation, here bool, now time.Time) string {
	p := r.Path
	if p == nil {
		return "nothing is known: " + string(r.State)
	}
	subject := "it"
	switch {
	case p.Everything:
		subject = "a full pass"
	case p.Above != "":
		subject = "it, with " + plain(p.Above) + ","
	}
	since := ""
	if p.Since != nil {
		since = " for " + age(*p.Since, now)
	}
	trouble := ""
	if !r.State.Well() && r.Error != "" {
		trouble = fmt.Sprintf("; the remote is %s: %s%s", r.State, r.Error, nextTry(r.NextRetry, now))
	} else if r.State == report.Paused {
		trouble = "; the remote is paused"
	}
	switch p.State {
	case report.PathPending:
		return subject + " waits to be sent," + since + trouble
	case report.PathSending:
		return subject + " is on its way," + since
	case report.PathFailing:
		return fmt.Sprintf("%s has failed %s: %s%s", subject, times(p.Attempts), p.Problem, nextTry(p.NextTry, now))
	case report.PathPostponed:
		return "gone here, and to be deleted there " + dueText(p.Due, now) + trouble
	case report.PathKept:
		return "gone here, and stays there for what is ignored in it" + trouble
	case report.PathHeld:
		return "held: " + p.Problem
	case report.PathUnreachable:
		return p.Problem + ": it stays there as it is"
	}
	text := "there as it is here, as far as is known"
	if !here {
		text = "not there either, as far as is known"
	}
	if v := r.Verified; v != nil && len(v.Differs) > 0 && p.State == report.PathEqual {
		text = "not as it is here: a verification has found that"
	}
	if p.State == report.PathAcknowledged {
		text = "done, by the word of its server; rsync's comparison follows"
	}
	switch {
	case r.LastFullPass == nil:
		text += "; no full pass has looked yet"
	case p.State == report.PathEqual:
		text += "; the last full pass looked at all " + ago(r.LastFullPass, now)
	}
	return text + trouble
}

// lookText says what a remote has, as it was asked.
func lookText(look report.Look) string {
	switch {
	case look.Unknown != "" && look.There == nil:
		return "cannot ask it now: " + oneLine(look.Unknown)
	case look.There == nil && look.Equal:
		return "asked now: not there either"
	case look.There == nil:
		return "asked now: not there"
	}
	text := "asked now: " + fileText(look.There.Kind, look.There.Size, look.There.ModTime) + ", mode " + look.There.Mode
	if look.There.Owner != "" {
		text += ", owner " + look.There.Owner
	}
	switch {
	case look.Unknown != "":
		return text + "; cannot compare it: " + oneLine(look.Unknown)
	case look.Equal && look.Contents:
		return text + "; equal, also in contents"
	case look.Equal && look.There.Kind == report.File:
		return text + "; equal, without a look at the contents"
	case look.Equal:
		return text + "; equal"
	case look.Differs[0] == report.DiffDelete:
		return text + "; there is nothing here"
	}
	return text + "; differs: " + kindsText(look.Differs)
}

// pathVerifiedText says what the last comparison of all contents has found of a path, "" if
// there was none, or the path was sent since.
func pathVerifiedText(r remoteExplanation, now time.Time) string {
	v := r.Verified
	if v == nil || r.Path == nil || r.Path.State != report.PathEqual || r.Path.Sent != nil && r.Path.Sent.At.After(v.At) {
		return ""
	}
	text := fmt.Sprintf("verified by contents %s ago", age(v.At, now))
	switch {
	case len(v.Differs) > 0:
		return text + ": differs: " + kindsText(v.Differs)
	case v.Unsure:
		return text + ": it may be one of those differences that are not remembered by name"
	}
	return text
}

func kindsText(kinds []report.DifferenceKind) string {
	var all []string
	for _, kind := range kinds {
		all = append(all, string(kind))
	}
	return strings.Join(all, ", ")
}

// pathHint is the next step for a path that is not there.
func pathHint(r remoteExplanation) string {
	switch {
	case r.Path != nil && r.Path.Look != nil && r.Path.Look.Hint != "":
		return r.Path.Look.Hint
	case r.Path != nil && r.Path.State == report.PathEqual && r.Verified != nil && len(r.Verified.Differs) > 0:
		return "wsync verify with --repair brings it in line"
	case r.Path == nil || r.Path.State == report.PathEqual || r.Path.State == report.PathAcknowledged || r.Path.State == report.PathPostponed || r.Path.State == report.PathKept:
		return ""
	case r.Path.Hint != "":
		return r.Path.Hint
	}
	return r.Hint
}

// sentText says when and how a path was sent, "" if that is not remembered.
func sentText(p *report.PathStatus, now time.Time) string {
	if p == nil || p.Sent == nil {
		return ""
	}
	way := "by rsync"
	if p.Sent.Way == report.WayDirect {
		way = "without rsync"
	}
	text := fmt.Sprintf("last sent %s ago, %s", age(p.Sent.At, now), way)
	if p.Sent.With != "" {
		text += ", with " + plain(p.Sent.With)
	}
	if at := p.Sent.ComparedAt; at != nil {
		text += fmt.Sprintf(", and compared by rsync %s ago", age(*at, now))
	}
	return text
}

// nextTry says when something is tried again.
func nextTry(at *time.Time, now time.Time) string {
	switch {
	case at == nil:
		return ""
	case !at.After(now):
		return "; it is tried again now"
	}
	return "; it is tried again in " + age(now, at.Add(time.Second-time.Nanosecond)) // not "in 0s"
}
