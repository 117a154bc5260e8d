package config

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// MarkPrefix begins the paths, within a destination, of the files by which mirrors
// that meet there know each other; Remote.ID follows it.
const MarkPrefix = TempDirectory + "/mark-"

// Mark is the contents of such a file: whose mirror it is.
type Mark struct {
	ID          string `json:"id"`
	Workspace   string `json:"workspace"`
	Remote      string `json:"remote"`
	Destination string `json:"destination"`
	User        string `json:"user"`
	Host        string `json:"host"`
	// Directory is the daemon's own: a user may have several on one host.
	Directory string `json:"directory"`
	// Until is when the mirror counts as gone for good if the mark is not renewed.
	Until time.Time `json:"until"`
}

// SameMirror reports whether both are marks of one remote, as a remote leaves one
// behind that was attached anew under its name.
func (m Mark) SameMirror(other Mark) bool {
	if m.ID == other.ID {
		return true
	}
	m.ID, m.Destination, m.Until = other.ID, other.Destination, other.Until
	return m == other
}

// NewID returns an identity for a remote.
func NewID() string {
	var random [16]byte
	rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}
