// Package filesystem says what is mounted where, and which file systems change
// without telling.
package filesystem

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Mount is a file system, or a part of one, at its place.
type Mount struct {
	// ID is the kernel's number of the mount, which stays with it when it moves,
	// and which another one may get when it is gone. Parent is the ID of the mount
	// that it is on.
	ID     int `json:"id"`
	Parent int `json:"-"`
	// Path is where it is mounted: absolute in the results of Parse and
	// Table.Mounts, relative to a directory in those of Below.
	Path string `json:"path"`
	// Type is "ext4" or "fuse.sshfs", for example, Source what is mounted, in the
	// words of the type, and Root which of its directories, or files.
	Type   string `json:"type"`
	Source string `json:"source,omitempty"`
	Root   string `json:"root,omitempty"`
	// FSID is the file system's own identifier as config.RootIdentity has it, ""
	// where it has none or was not asked.
	FSID string `json:"fsid,omitempty"`

	layers string // of an overlay, a line each
}

// SameFileSystem reports whether both are the same part of the same file system, as far
// as can be known.
func (m Mount) SameFileSystem(n Mount) bool {
	if m.Type != n.Type || m.Root != n.Root {
		return false
	}
	if m.FSID != "" && n.FSID != "" {
		return m.FSID == n.FSID
	}
	return m.Source == n.Source
}

// Parse reads the text of /proc/self/mountinfo. What is mounted where no path
// leads to any more, and the places at which the automounter waits, are left out.
func Parse(text []byte) ([]Mount, error) {
	var mounts []Mount
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m, err := parseLine(lines.Text())
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(m.Path, "//deleted") || m.Type == "autofs" {
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts, lines.Err()
}

// parseLine reads a line: ID, parent, device, root, path, options, any number of
// optional fields, "-", type, source and the file system's options.
func parseLine(line string) (Mount, error) {
	fields := strings.Split(line, " ")
	end := 6
	for end < len(fields) && fields[end] != "-" {
		end++
	}
	if end+2 >= len(fields) {
		return Mount{}, fmt.Errorf("cannot understand the mount %q", line)
	}
	id, err := strconv.Atoi(fields[0])
	if err != nil {
		return Mount{}, fmt.Errorf("cannot understand the mount %q: %w", line, err)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return Mount{}, fmt.Errorf("cannot understand the mount %q: %w", line, err)
	}
	m := Mount{
		ID:     id,
		Parent: parent,
		Root:   unescape(fields[3]),
		Path:   unescape(fields[4]),
		Type:   unescape(fields[end+1]),
		Source: unescape(fields[end+2]),
	}
	if m.Type == overlayType && end+3 < len(fields) {
		m.layers = layersOf(fields[end+3])
	}
	return m, nil
}

// unescape undoes the kernel's \ooo for blanks, backslashes and the like.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// findParents finds out which mount each one is on, if they are in the order in which
// they were mounted: the last one before it that a path to it leads through.
func findParents(mounts []Mount) {
	for i := range mounts {
		for _, m := range slices.Backward(mounts[:i]) {
			if dir := strings.TrimSuffix(m.Path, "/"); mounts[i].Path == m.Path || strings.HasPrefix(mounts[i].Path, dir+"/") {
				mounts[i].Parent = m.ID
				break
			}
		}
	}
}

// Below returns the mounts below the directory dir, which is a path without
// symbolic links, with paths relative to it. What another mount covers is left
// out: no path leads to it.
func Below(mounts []Mount, dir string) []Mount {
	dir = strings.TrimSuffix(dir, "/") + "/"
	byID := make(map[int]Mount, len(mounts))
	on := make(map[int][]Mount)
	for _, m := range mounts {
		byID[m.ID] = m
		on[m.Parent] = append(on[m.Parent], m)
	}
	var below []Mount
	for _, m := range mounts {
		path, ok := strings.CutPrefix(m.Path, dir)
		if !ok || path == "" || isCovered(m, byID, on) {
			continue
		}
		m.Path = path
		below = append(below, m)
	}
	return below
}

// isCovered reports whether another mount is over m, or over a directory that leads to
// it. byID are all mounts, on those on each of them.
func isCovered(m Mount, byID map[int]Mount, on map[int][]Mount) bool {
	for _, over := range on[m.ID] {
		if over.Path == m.Path && over.ID != m.ID {
			return true
		}
	}
	for range byID { // a bound: the parents end with one that is not listed, or is its own
		for _, other := range on[m.Parent] {
			if other.ID != m.Parent && other.Path != m.Path && strings.HasPrefix(m.Path, strings.TrimSuffix(other.Path, "/")+"/") {
				return true
			}
		}
		parent, ok := byID[m.Parent]
		if !ok || parent.ID == m.ID {
			return false
		}
		m = parent
	}
	return false
}
