package rsync

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"wsync/monitor/child"
)

// Version is the version of an rsync program. The zero value is one that is
// not known.
type Version struct {
	Major, Minor, Patch int
	// Protocol is the protocol number.
	Protocol int
	// Flavour is "rsync", or "openrsync" for the one of macOS and OpenBSD, or ""
	// when not known.
	Flavour string
}

var (
	versionLine  = expressionOf(`(?m)^rsync +version v?(\d+)\.(\d+)(?:\.(\d+))?\S* +protocol version (\d+)`)
	openrsync    = expressionOf(`(?m)^openrsync: protocol version (\d+)`)
	daemonBanner = expressionOf(`^@RSYNCD: (\d+)(?:\.\d+)?`)
)

// ParseVersion reads the output of `rsync --version`.
func ParseVersion(output string) (Version, bool) {
	if m := openrsync.FindStringSubmatch(output); m != nil {
		return Version{Flavour: "openrsync", Protocol: number(m[1])}, true
	}
	m := versionLine.FindStringSubmatch(output)
	if m == nil {
		return Version{}, false
	}
	return Version{Flavour: "rsync", Major: number(m[1]), Minor: number(m[2]), Patch: number(m[3]), Protocol: number(m[4])}, true
}

// WithoutFeature finds in the output of rsync --version that it was built without a
// feature, such as "ACLs" or "xattrs".
func WithoutFeature(output, feature string) bool {
	return strings.Contains(strings.Join(strings.Fields(output), " "), " no "+feature)
}

// ParseDaemonBanner reads the first line that an rsync daemon sends.
func ParseDaemonBanner(line string) (Version, bool) {
	m := daemonBanner.FindStringSubmatch(line)
	if m == nil {
		return Version{}, false
	}
	return Version{Protocol: number(m[1])}, true
}

// localTime bounds how long the rsync of this machine may take to say its version.
const localTime = 10 * time.Second

// LocalVersion asks the rsync of this machine.
func LocalVersion(ctx context.Context) (Version, error) {
	ctx, cancel := context.WithTimeout(ctx, localTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "rsync", "--version")
	var said child.Tail // where some openrsyncs have it
	cmd.Stderr = &said
	output, err := Output(cmd)
	if err != nil {
		return Version{}, fmt.Errorf("cannot run rsync: %w", err)
	}
	v, ok := ParseVersion(output + "\n" + said.String())
	if !ok {
		return Version{}, errors.New("cannot understand the version of rsync")
	}
	return v, nil
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // the expressions above only let digits through
	return n
}

// AtLeast reports whether v is known to be rsync of this version or a later one.
func (v Version) AtLeast(major, minor, patch int) bool {
	if v.Flavour != "rsync" {
		return false
	}
	if v.Major != major {
		return v.Major > major
	}
	if v.Minor != minor {
		return v.Minor > minor
	}
	return v.Patch >= patch
}

// String is the version as a user knows it.
func (v Version) String() string {
	switch v.Flavour {
	case "rsync":
		return fmt.Sprintf("rsync %d.%d.%d (protocol %d)", v.Major, v.Minor, v.Patch, v.Protocol)
	case "openrsync":
		return fmt.Sprintf("openrsync (protocol %d)", v.Protocol)
	}
	if v.Protocol != 0 {
		return fmt.Sprintf("rsync, protocol %d", v.Protocol)
	}
	return "unknown"
}
