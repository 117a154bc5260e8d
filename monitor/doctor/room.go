package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// room is what there is left of a file system: bytes, and of allFiles, which is 0 where
// there may be any number, files.
type room struct{ bytes, files, allFiles uint64 }

// There is little room below so many bytes and so many files.
const (
	littleBytes = 1 << 30
	littleFiles = 10_000
)

// space says how much room there is.
func (a about) space(r room, ok bool) {
	switch {
	case !ok:
		return
	case r.bytes < littleBytes:
		a.warn("room", fmt.Sprintf("%d MB are free", r.bytes>>20), "make some, before it is full")
	default:
		a.ok("room", fmt.Sprintf("%d GB are free", r.bytes>>30))
	}
	switch {
	case r.allFiles == 0:
	case r.files < littleFiles:
		a.warn("inodes", fmt.Sprintf("%d more files can be made there, whatever their sizes: %d inodes are taken", r.files, r.allFiles-min(r.files, r.allFiles)),
			"delete files there (df -i counts them), or use a file system with more inodes")
	default:
		a.ok("inodes", fmt.Sprintf("%d more files can be made", r.files))
	}
}

// roomAt is the room at a local destination, or where it would be made.
func roomAt(path string) (r room, ok bool) {
	for {
		if r, ok = roomIn(path); ok || path == filepath.Dir(path) {
			return r, ok
		}
		path = filepath.Dir(path)
	}
}

// quotaCommand says where the user is over a quota, and nothing where there is none.
const quotaCommand = "quota -q"

// localQuota is what quotaCommand says on this machine, "" if there is no such program.
func localQuota(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	words := strings.Fields(quotaCommand)
	output, _ := exec.CommandContext(ctx, words[0], words[1:]...).Output() // it fails where one is exceeded
	return string(output)
}

// quota says which quotas are exceeded, by what quotaCommand has said.
func (a about) quota(said string) {
	if exceeded := exceededQuotas(said); len(exceeded) > 0 {
		a.warn("quota", strings.Join(exceeded, "; "), "delete files there, or have the quota raised")
	}
}

// exceededQuotas are the lines of quota(1) about what is exceeded. Others, such as those of
// a shell's startup files, are none.
func exceededQuotas(said string) (lines []string) {
	for line := range strings.Lines(said) {
		text := strings.TrimSpace(line)
		for _, words := range []string{"limit reached on ", "grace period on ", "quota on "} {
			if strings.Contains(text, words) {
				lines = append(lines, text)
				break
			}
		}
	}
	return lines
}
