package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/urfave/cli/v2"

	"wsync/config"
	"wsync/monitor/exclude"
	"wsync/monitor/exclude/gitignore"
)

// ignoreVerdict is what the rules say about a path, for --json.
type ignoreVerdict struct {
	Path    string `json:"path"` // as it was given
	Ignored bool   `json:"ignored"`
	// Rule is the rule that has decided, nil for none, and Entry what it matches: the
	// path, or a directory above it, relative to the workspace.
	Rule  *ignoreRule `json:"rule,omitempty"`
	Entry string      `json:"entry,omitempty"`
}

// checkIgnored carries out wsync ignore NAME --check. An exit code of 1 is an answer, so
// that no error has it.
func (c *command) checkIgnored(cCtx *cli.Context, name string) error {
	ignored, err := c.check(cCtx, name)
	if err != nil {
		err = fmt.Errorf("cannot check what %s leaves out: %w", name, err)
		if exitCode(err) == exitFailed && !errors.Is(err, context.Canceled) {
			err = &codedError{code: exitUsage, err: err}
		}
		return err
	}
	if !ignored {
		return &codedError{code: exitFailed}
	}
	return nil
}

// check prints the verdicts, and reports whether one is that a path is ignored.
func (c *command) check(cCtx *cli.Context, name string) (ignored bool, err error) {
	paths, err := c.pathsToCheck(cCtx)
	if err != nil {
		return false, err
	}
	daemon, err := c.connect()
	if err != nil {
		return false, err
	}
	status, err := daemon.Workspace(cCtx.Context, name)
	if err != nil {
		return false, err
	}
	checker, err := newChecker(status.Workspace)
	if err != nil {
		return false, err
	}
	all := []ignoreVerdict{}
	for path, err := range paths {
		if err == nil {
			err = cCtx.Context.Err()
		}
		if err != nil {
			return false, err
		}
		verdict, err := checker.check(path)
		if err != nil {
			return false, err
		}
		ignored = ignored || verdict.Ignored
		switch {
		case cCtx.Bool("json"):
			all = append(all, verdict)
		case verdict.Ignored || cCtx.Bool("non-matching"):
			c.ignoreVerdict(verdict, cCtx.Bool("null"))
		}
	}
	if cCtx.Bool("json") {
		err = c.json(all)
	}
	return ignored, err
}

// pathsToCheck are the paths that the command line names.
func (c *command) pathsToCheck(cCtx *cli.Context) (func(yield func(string, error) bool), error) {
	for _, option := range []string{"remove", "gitignore", "skip-git", "default-ignores", "ignore-tagged"} {
		if cCtx.IsSet(option) {
			return nil, &usageError{message: fmt.Sprintf("--%s does not go with --check", option)}
		}
	}
	given, stdin := cCtx.Args().Tail(), cCtx.Bool("stdin")
	switch {
	case stdin && len(given) > 0:
		return nil, &usageError{message: "--stdin is for paths in place of those on the command line"}
	case !stdin && cCtx.Bool("null"):
		return nil, &usageError{message: "--null goes with --stdin"}
	case !stdin && len(given) == 0:
		return nil, &usageError{message: "no path is given"}
	case stdin && cCtx.Bool("null"):
		return pathsIn(c.deps.Stdin, 0), nil
	case stdin:
		return pathsIn(c.deps.Stdin, '\n'), nil
	}
	return func(yield func(string, error) bool) {
		for _, path := range given {
			if !yield(path, nil) {
				return
			}
		}
	}, nil
}

// pathsIn are the paths in a text, each ended by a byte. On lines they may be quoted as
// git does it.
func pathsIn(text io.Reader, end byte) func(yield func(string, error) bool) {
	return func(yield func(string, error) bool) {
		for reader := bufio.NewReader(text); ; {
			path, err := reader.ReadString(end)
			if errors.Is(err, io.EOF) && path == "" {
				return
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			path = strings.TrimSuffix(path, string(end))
			if err == nil && end == '\n' && strings.HasPrefix(path, `"`) {
				path, err = unquoteGit(path)
			}
			if !yield(path, err) || err != nil {
				return
			}
		}
	}
}

// checker asks the rules of a workspace about paths.
type checker struct {
	paths   *pathFinder
	rules   *exclude.Live
	entered map[string]bool // the directories whose rule files have been read
}

func newChecker(w config.Workspace) (*checker, error) {
	paths, err := newPathFinder(w.LocalPath)
	if err != nil {
		return nil, err
	}
	return &checker{paths: paths, rules: exclude.NewLive(w.LocalPath, w), entered: map[string]bool{".": true, "": true}}, nil
}

// check returns what the rules say about a path.
func (c *checker) check(given string) (ignoreVerdict, error) {
	name, dir, err := c.paths.find(given)
	if err != nil {
		return ignoreVerdict{}, err
	}
	if dir {
		c.enter(name)
	} else {
		c.enter(path.Dir(name))
	}
	verdict := c.rules.Rules().Check(name, dir)
	return ignoreVerdict{Path: given, Ignored: verdict.Ignored, Rule: jsonRule(verdict.Rule), Entry: verdict.Entry}, nil
}

// enter reads the rule files of a directory and of those above it.
func (c *checker) enter(dir string) {
	if c.entered[dir] {
		return
	}
	c.enter(path.Dir(dir))
	c.rules.Enter(dir)
	c.entered[dir] = true
}

func jsonRule(rule *gitignore.Rule) *ignoreRule {
	if rule == nil {
		return nil
	}
	return &ignoreRule{rule.Source, rule.Line, rule.Pattern, rule.Negated}
}
