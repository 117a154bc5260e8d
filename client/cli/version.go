package cli

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/urfave/cli/v2"
)

// build says what this program was made of, and by what.
type build struct {
	Version string `json:"version"`
	// Commit is the revision of the sources and Date when that was made, "" where the
	// program was built outside of a repository; Modified: they were changed since.
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	// Go is the version of the tool chain, Platform the system and the architecture.
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// buildOf is what the go command has noted about a program of this version.
func buildOf(version string, info *debug.BuildInfo) build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return b
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Date = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

// dateOfBuild is when the commit of this program was made, zero if that is not known.
func dateOfBuild() time.Time {
	info, _ := debug.ReadBuildInfo()
	date, _ := time.Parse(time.RFC3339, buildOf("", info).Date)
	return date
}

func (c *command) versionCommand() *cli.Command {
	return &cli.Command{
		Name:     "version",
		Category: sectionOther,
		Usage:    "print the version",
		Description: "Prints the version of this wsync, the commit that it was built from, when that was made, and the Go that built it.\n" +
			"wsync --version prints the version alone; wsync daemon status has that of the daemon.",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(cCtx *cli.Context) error {
			info, _ := debug.ReadBuildInfo() // nil in a program that was built without modules
			b := buildOf(c.deps.Version, info)
			if cCtx.Bool("json") {
				return c.json(b)
			}
			c.build(b)
			return nil
		},
	}
}

// build prints what this program was made of.
func (p *printer) build(b build) {
	commit := cmp.Or(b.Commit, "not known: built without -buildvcs, outside of a repository, or in a linked worktree of git")
	if b.Modified {
		commit += ", with changes"
	}
	var text block
	text.WriteString("wsync " + plain(b.Version) + "\n")
	text.field(0, "commit", commit)
	if b.Date != "" {
		text.field(0, "date", b.Date)
	}
	text.field(0, "go", b.Go+" "+b.Platform)
	p.print(text.String())
}
