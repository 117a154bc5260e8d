package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"wsync/client"
	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/exclude"
	"wsync/monitor/exclude/gitignore"
)

func (c *command) ignoreCommand() *cli.Command {
	return &cli.Command{
		Name:      "ignore",
		Category:  sectionWorkspaces,
		Usage:     "say what is left out, and why",
		ArgsUsage: "NAME [PATTERN...]",
		Description: `Lists the rules that say what of the workspace is left out, neither sent nor deleted, and where each
stands: of two that match, the one that is listed later decides. With PATTERN, adds patterns to the
workspace's own, in the syntax of gitignore(5), so that !PATTERN makes an exception; they are in force
at once. Files in the tree are read after them: .wsyncignore in any directory, and .gitignore with
--gitignore on. What is left out from now on stays on the remotes as it is.

With --check, what follows NAME are paths, and the rule that leaves out each is printed as by
git check-ignore -v; the exit code is 0 if any is left out, 1 if none is, and another for errors. A
path is relative to the current directory if that leads into the workspace, or else to the workspace,
and need not exist; a slash at its end makes it one of a directory.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "remove", Usage: "take PATTERN and the FILE of --ignore-tagged away instead of adding them"},
			&cli.StringFlag{Name: "gitignore", Usage: "turn `on|off` the rules in .gitignore files and .git/info/exclude"},
			&cli.StringFlag{Name: "skip-git", Usage: "turn `on|off` the rule for what is called .git, at any level"},
			&cli.StringFlag{Name: "default-ignores", Usage: "turn `on|off` the built-in rules"},
			tagFlag(),
			&cli.BoolFlag{Name: "check", Usage: "say which rule leaves out a path"},
			&cli.BoolFlag{Name: "non-matching", Aliases: []string{"n"}, Usage: "with --check, also print paths that are not left out"},
			&cli.BoolFlag{Name: "stdin", Usage: "with --check, read the paths from standard input, one a line"},
			&cli.BoolFlag{Name: "null", Aliases: []string{"z"}, Usage: "with --stdin, end paths with NUL bytes, there and in what is printed"},
			jsonFlag(),
		},
		Action: c.ignore,
	}
}

// tagFlag is the option for names of files in directories that are left out.
func tagFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "ignore-tagged", Usage: "leave out directories that hold `FILE`, such as CACHEDIR.TAG; repeatable"}
}

// checkIgnores refuses what a request cannot carry unchanged.
func checkIgnores(patterns, tags []string) error {
	for _, pattern := range patterns {
		if err := config.ValidateIgnore(pattern); err != nil {
			return err
		}
	}
	for _, tag := range tags {
		if err := config.ValidateIgnoreTagged(tag); err != nil {
			return err
		}
	}
	return nil
}

func (c *command) ignore(cCtx *cli.Context) error {
	name := cCtx.Args().First()
	if cCtx.Bool("check") {
		return c.checkIgnored(cCtx, name)
	}
	change, changes, err := ignoreChange(cCtx)
	if err != nil {
		return &usageError{message: fmt.Sprintf("cannot change what %s leaves out: %v", name, err)}
	}
	daemon, err := c.connect()
	if err != nil {
		return err
	}
	if changes {
		return c.changeIgnore(cCtx, daemon, name, change)
	}
	status, err := daemon.Workspace(cCtx.Context, name)
	if err != nil {
		return fmt.Errorf("cannot list what %s leaves out: %w", name, err)
	}
	return c.listIgnored(cCtx, status.Workspace)
}

// ignoreChange is the change that the command line asks for; changes: it asks for one.
func ignoreChange(cCtx *cli.Context) (change api.ChangeIgnore, changes bool, err error) {
	for _, option := range []string{"stdin", "null", "non-matching"} {
		if cCtx.Bool(option) {
			return change, false, fmt.Errorf("--%s goes with --check", option)
		}
	}
	change.Ignore, change.IgnoreTagged, change.Remove = cCtx.Args().Tail(), cCtx.StringSlice("ignore-tagged"), cCtx.Bool("remove")
	if err := checkIgnores(change.Ignore, change.IgnoreTagged); err != nil {
		return change, false, err
	}
	changes = len(change.Ignore) > 0 || len(change.IgnoreTagged) > 0
	if change.Remove && !changes {
		return change, false, errors.New("--remove needs a PATTERN, or the FILE of --ignore-tagged")
	}
	for _, toggle := range []struct {
		option string
		field  **bool
		on     bool // what on means for the field
	}{{"gitignore", &change.GitIgnore, true}, {"skip-git", &change.SkipGit, true}, {"default-ignores", &change.NoDefaultIgnores, false}} {
		if !cCtx.IsSet(toggle.option) {
			continue
		}
		value := cCtx.String(toggle.option)
		if value != "on" && value != "off" {
			return change, false, fmt.Errorf("--%s is %q: expected on or off", toggle.option, value)
		}
		set := (value == "on") == toggle.on
		*toggle.field, changes = &set, true
	}
	return change, changes, nil
}

func (c *command) changeIgnore(cCtx *cli.Context, daemon *client.Client, name string, change api.ChangeIgnore) error {
	status, err := daemon.ChangeIgnore(cCtx.Context, name, change)
	if err != nil {
		return fmt.Errorf("cannot change what %s leaves out: %w", name, err)
	}
	for _, note := range status.Notes {
		c.note("%s: %s", name, note)
	}
	if cCtx.Bool("json") {
		return c.listIgnored(cCtx, status.Workspace)
	}
	c.result("%s leaves out: %s", name, leftOut(status.Workspace))
	return nil
}

// ignoreList is all that says what of a workspace is left out, for --json.
type ignoreList struct {
	Workspace        string          `json:"workspace"`
	LocalPath        string          `json:"local_path"`
	SkipGit          bool            `json:"skip_git"`
	GitIgnore        bool            `json:"gitignore"`
	NoDefaultIgnores bool            `json:"no_default_ignores"`
	Ignore           []string        `json:"ignore"`
	IgnoreTagged     []string        `json:"ignore_tagged"`
	Rules            []ignoreRule    `json:"rules"` // those that are read later are stronger
	Problems         []ignoreProblem `json:"problems"`
}

// ignoreRule is a rule, and where it stands.
type ignoreRule struct {
	Source  string `json:"source"`
	Line    int    `json:"line"`
	Pattern string `json:"pattern"`
	Negated bool   `json:"negated"`
}

// ignoreProblem is a line of a rule file that cannot be read.
type ignoreProblem struct {
	Source  string `json:"source"`
	Line    int    `json:"line,omitempty"` // 0 if it is the whole file
	Pattern string `json:"pattern,omitempty"`
	Reason  string `json:"reason"`
}

// listIgnored prints what a workspace leaves out.
func (c *command) listIgnored(cCtx *cli.Context, w config.Workspace) error {
	if _, err := os.Stat(w.LocalPath); err != nil {
		c.note("the rule files in %s cannot be read: %v", w.LocalPath, err)
	}
	rules := exclude.Load(cCtx.Context, w.LocalPath, w)
	if err := cCtx.Context.Err(); err != nil {
		return err
	}
	list := newIgnoreList(w, rules.List(), rules.Problems())
	if cCtx.Bool("json") {
		return c.json(list)
	}
	c.ignoreList(list)
	return nil
}

func newIgnoreList(w config.Workspace, rules []*gitignore.Rule, problems []gitignore.Problem) ignoreList {
	list := ignoreList{
		Workspace: w.Name, LocalPath: w.LocalPath, SkipGit: w.SkipGit, GitIgnore: w.GitIgnore, NoDefaultIgnores: w.NoDefaultIgnores,
		Ignore: append([]string{}, w.Ignore...), IgnoreTagged: append([]string{}, w.IgnoreTagged...),
		Rules: []ignoreRule{}, Problems: []ignoreProblem{},
	}
	var tags []ignoreRule // which are rules about directories, by what is in them
	for i, name := range w.IgnoreTagged {
		tags = append(tags, ignoreRule{Source: exclude.SourceTagged, Line: i + 1, Pattern: name})
	}
	isStronger := func(rule *gitignore.Rule) bool {
		return rule.Source != exclude.SourceDefault && rule.Source != exclude.SourceSkipGit
	}
	for _, rule := range rules {
		if isStronger(rule) && len(tags) > 0 {
			list.Rules, tags = append(list.Rules, tags...), nil
		}
		list.Rules = append(list.Rules, *jsonRule(rule))
	}
	list.Rules = append(list.Rules, tags...)
	for _, p := range problems {
		list.Problems = append(list.Problems, ignoreProblem{p.Source, p.Line, p.Pattern, p.Reason})
	}
	return list
}
