package exclude

import (
	"slices"
	"strings"

	"wsync/config"
	"wsync/monitor/exclude/gitignore"
)

// options are what a workspace says about rules. They never change.
type options struct {
	gitIgnore bool
	// own are the files for the whole tree that are not read: the defaults, --skip-git
	// and the workspace's patterns.
	own      []*gitignore.File
	tags     []string
	tagRules []gitignore.Rule
	// names are all that is looked for in a directory.
	names []string
	// said is what the options were made of.
	said config.Workspace
}

// optionsOf returns the options of a workspace.
func optionsOf(w config.Workspace) *options {
	o := &options{gitIgnore: w.GitIgnore, tags: w.IgnoreTagged, said: w}
	if !w.NoDefaultIgnores {
		o.own = append(o.own, gitignore.Parse(SourceDefault, []byte(defaults)))
	}
	if w.SkipGit {
		o.own = append(o.own, gitignore.Parse(SourceSkipGit, []byte(".git\n")))
	}
	if len(w.Ignore) > 0 {
		o.own = append(o.own, gitignore.Parse(SourceWorkspace, []byte(strings.Join(w.Ignore, "\n"))))
	}
	for i, tag := range w.IgnoreTagged {
		o.tagRules = append(o.tagRules, gitignore.Rule{Source: SourceTagged, Line: i + 1, Pattern: tag})
	}
	o.names = append(o.fileNames(), o.tags...)
	return o
}

// equal reports whether a workspace says the same.
func (o *options) equal(w config.Workspace) bool {
	s := o.said
	return s.SkipGit == w.SkipGit && s.GitIgnore == w.GitIgnore && s.NoDefaultIgnores == w.NoDefaultIgnores &&
		slices.Equal(s.Ignore, w.Ignore) && slices.Equal(s.IgnoreTagged, w.IgnoreTagged)
}

// fileNames are the names of rule files, in the order in which those of one directory
// are read.
func (o *options) fileNames() []string {
	if o.gitIgnore {
		return []string{GitFileName, FileName}
	}
	return []string{FileName}
}

// above are the files for the whole tree.
func (o *options) above(root string) (files []*gitignore.File, s stamp) {
	files = slices.Clone(o.own)
	if !o.gitIgnore {
		return files, stamp{}
	}
	name := gitExclude(root)
	if name == "" {
		return files, stamp{}
	}
	f, s, err := readFile(name, SourceGit)
	switch {
	case err != nil:
		files = append(files, gitignore.Unreadable(SourceGit, err.Error()))
	case f != nil:
		files = append(files, f)
	}
	return files, s
}
