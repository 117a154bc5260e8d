//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// tool is a way to mirror a directory.
type tool interface {
	// name is what the tables call it.
	name() string
	// version is what it says of itself.
	version(s *stage) string
	// start makes it mirror to a place, and returns when all is there. It is
	// nil if the tool does not do such a thing.
	start(s *stage, p *place, byHand bool) mirror
}

// mirror is a tool at work.
type mirror interface {
	// push is called after a change: by hand, somebody has to do something.
	push(paths []string) error
	// settle returns once everything is there and nothing is under way.
	settle() error
	// differences compares a remote with the source, by the standards of the
	// tool.
	differences(source, remote string) []string
}

// chosenTools returns the tools that the flags name. Those that the machine
// lacks are left out, and said.
func chosenTools(o options) (tools []tool, missing []string, err error) {
	for name := range strings.SplitSeq(o.tools, ",") {
		switch name {
		case "wsync":
			tools = append(tools, &wsync{title: "wsync", binary: o.wsync})
			if o.compare != "" {
				tools = append(tools, &wsync{title: "wsync, compared", binary: o.compare})
			}
		case "lsyncd", "lsyncd-rsync", "lsyncd-rsyncssh", "lsyncd-direct", "lsyncd-unshared":
			binary, err := exec.LookPath("lsyncd")
			if err != nil {
				missing = append(missing, "lsyncd is not installed, and was left out")
				continue
			}
			_, mode, _ := strings.Cut(name, "-")
			l := &lsyncd{binary: binary, mode: mode, shared: mode != "unshared"}
			if !l.shared {
				l.mode = ""
			}
			tools = append(tools, l)
		case "rsync":
			binary, err := exec.LookPath("rsync")
			if err != nil {
				return nil, nil, err
			}
			tools = append(tools, &byHand{binary: binary})
		default:
			return nil, nil, fmt.Errorf("there is no tool %q; see -list", name)
		}
	}
	return tools, missing, nil
}

const toolChoices = `wsync            this one
lsyncd           lsyncd, in its fastest way for the kind of remote
lsyncd-rsync     lsyncd, always by default.rsync
lsyncd-rsyncssh  lsyncd, by default.rsyncssh: moves are moves
lsyncd-direct    lsyncd, by default.direct: a local path only
lsyncd-unshared  lsyncd without a shared ssh connection
rsync            one rsync by hand for each change
`

// environment is this process's, with other values and without what would
// change how a tool works.
func environment(set ...string) []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "WSYNC_") || strings.HasPrefix(name, "RSYNC_") || name == "SSH_AUTH_SOCK" {
			continue
		}
		env = append(env, entry)
	}
	return append(env, set...)
}

// firstLine of what a program says of its version.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.Join(strings.Fields(line), " ")
}
