package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"wsync/config"
)

// A stamp is a file that remembers until when a remote was known to equal the
// workspace, or since when it is being made equal. A monitor that is killed knows nothing of what was dirty; its
// successor looks into everything that changed since.

// StampPath is the stamp of a remote. Another destination has another one.
func StampPath(dir string, r config.Remote) string {
	sum := sha256.Sum256([]byte(r.State() + "\x00" + r.Destination()))
	return filepath.Join(dir, "clean-"+hex.EncodeToString(sum[:8]))
}

// readStamp returns the time in a stamp, zero if there is none. A time in the
// future means that the clock was set back, and another root that the times in this one
// say nothing: then nothing is known, and the earliest time is returned. root may be
// nil for any.
func readStamp(world World, path string, root *config.RootIdentity, now time.Time) time.Time {
	data, err := world.Read(path)
	if err != nil {
		return time.Time{}
	}
	text, identity, of := strings.Cut(string(data), " ")
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.After(now) {
		return time.Unix(0, 0)
	}
	var was config.RootIdentity
	if of && root != nil && (json.Unmarshal([]byte(identity), &was) != nil || !was.Same(*root)) {
		return time.Unix(0, 0)
	}
	return t
}

// writeStamp replaces a stamp, which is about the workspace in the directory root, nil if
// that is not known. One that is not written is older than it could be, which costs time
// but no change.
func writeStamp(world World, path string, root *config.RootIdentity, t time.Time) error {
	text := t.Format(time.RFC3339Nano)
	if root != nil {
		identity, err := json.Marshal(root)
		if err != nil {
			return fmt.Errorf("cannot write a stamp: %w", err)
		}
		text += " " + string(identity)
	}
	if err := world.Write(path, []byte(text)); err != nil {
		return fmt.Errorf("cannot write a stamp: %w", err)
	}
	return nil
}

// A file beside the stamp remembers that deletions are held which nobody has approved:
// the next monitor would find fewer of them, perhaps too few to be held for that.
func unapprovedPath(stamp string) string { return stamp + ".held" }

// readUnapproved reports whether there is such a file, or that cannot be known.
func readUnapproved(world World, stamp string) bool {
	_, err := world.Read(unapprovedPath(stamp))
	return !errors.Is(err, fs.ErrNotExist)
}

// writeUnapproved makes the file, or removes it.
func writeUnapproved(world World, stamp string, is bool) error {
	path := unapprovedPath(stamp)
	if is {
		return world.Write(path, nil)
	}
	return world.Remove(path)
}
