package config

import (
	"fmt"
	"strings"
)

// ValidateAll checks each workspace and that they do not get into each other's
// way: no name twice, no workspace inside another one, no two remotes whose
// destinations are the same or inside each other, no local destination that
// holds a workspace, and no two workspaces that are mirrored into each other. The error names the workspace, the remote and the
// other one.
func ValidateAll(workspaces []Workspace) error {
	for i, w := range workspaces {
		if err := w.Validate(); err != nil {
			if w.Name == "" {
				return fmt.Errorf("workspace number %d: %w", i+1, w.validate())
			}
			return err
		}
		for _, other := range workspaces[:i] {
			if w.Name == other.Name {
				return fmt.Errorf("workspace %q: there are two of that name", w.Name)
			}
			if w.State() == other.State() {
				return fmt.Errorf("workspace %q: what is known of it is kept under the name %q, as is that of workspace %q", w.Name, w.State(), other.Name)
			}
			if err := checkPair(w, other, contains); err != nil {
				return fmt.Errorf("workspace %q: %w", w.Name, err)
			}
		}
	}
	return nil
}

// CheckPlace is what ValidateAll says of w and others, with a look at the file system:
// it sees through symbolic links, other names of a directory (bind mounts) and
// other spellings where the file system ignores case. It may take its time, as a
// file system may that is away. All must be valid.
func CheckPlace(w Workspace, others []Workspace) error {
	holds := cachedReaches()
	for i, r := range w.Remotes {
		if err := checkRemote(r, w, w.Remotes[:i], holds); err != nil {
			return fmt.Errorf("workspace %q: %w", w.Name, err)
		}
	}
	for _, other := range others {
		if err := checkPair(w, other, holds); err != nil {
			return fmt.Errorf("workspace %q: %w", w.Name, err)
		}
	}
	return nil
}

// Overwrites reports whether a local destination is or holds the directory of a
// workspace, with a look at the file system like CheckPlace.
func Overwrites(r Remote, directory string) bool {
	return r.Connection.Kind() == KindLocal && reaches(r.RemotePath, directory)
}

func checkPair(w, other Workspace, holds holdsFunc) error {
	inside, around := holds(other.LocalPath, w.LocalPath), holds(w.LocalPath, other.LocalPath)
	switch {
	case inside && around:
		return fmt.Errorf("its directory %s is that of workspace %q already", w.LocalPath, other.Name)
	case inside:
		return fmt.Errorf("its directory %s is inside %s of workspace %q", w.LocalPath, other.LocalPath, other.Name)
	case around:
		return fmt.Errorf("its directory %s holds %s of workspace %q", w.LocalPath, other.LocalPath, other.Name)
	}
	for _, r := range w.Remotes {
		if err := checkHoldsNot(r, other, holds); err != nil {
			return fmt.Errorf("remote %q: %w", r.Name, err)
		}
		for _, o := range other.Remotes {
			if isInside(r, other, holds) && isInside(o, w, holds) {
				return fmt.Errorf("remote %q: the destination %s is inside workspace %q, whose remote %q is inside this workspace: each would mirror the other without end",
					r.Name, r.RemotePath, other.Name, o.Name)
			}
			if collide(r, o, holds) {
				return fmt.Errorf("remote %q: %s is or overlaps the destination %s of remote %q of workspace %q: two mirrors would delete each other's files",
					r.Name, r.Destination(), o.Destination(), o.Name, other.Name)
			}
		}
	}
	for _, o := range other.Remotes {
		if err := checkHoldsNot(o, w, holds); err != nil {
			return fmt.Errorf("remote %q of workspace %q: %w", o.Name, other.Name, err)
		}
	}
	return nil
}

// isInside says whether a remote is a local directory below that of w.
func isInside(r Remote, w Workspace, holds holdsFunc) bool {
	return r.Connection.Kind() == KindLocal && holds(w.LocalPath, r.RemotePath)
}

// checkHoldsNot refuses a local destination that is or holds the directory of
// another workspace, because mirroring would delete what is in it. The
// other way round, a mirror inside a workspace, is a backup of a mirror.
func checkHoldsNot(r Remote, w Workspace, holds holdsFunc) error {
	if r.Connection.Kind() == KindLocal && holds(r.RemotePath, w.LocalPath) {
		return fmt.Errorf("the destination %s is or holds the directory %s of workspace %q, which mirroring would overwrite",
			r.RemotePath, w.LocalPath, w.Name)
	}
	return nil
}

// collide says whether two remotes are the same place or one is inside the
// other, as far as their definitions tell, and of local ones holds: two names of
// one host are not found out.
func collide(a, b Remote, holds holdsFunc) bool {
	pa, pb := a.place(), b.place()
	if pa.kind != pb.kind || pa.host != pb.host || pa.port != pb.port || strings.HasPrefix(pa.path, "/") != strings.HasPrefix(pb.path, "/") {
		return false
	}
	// A user that is left to ssh may be any, but two that are named are
	// two: many storage providers give each its own tree under one path.
	if pa.user != "" && pb.user != "" && pa.user != pb.user {
		return false
	}
	if pa.kind != KindLocal {
		holds = contains
	}
	return holds(pa.path, pb.path) || holds(pb.path, pa.path)
}

// place is a destination in a form that can be compared.
type place struct {
	kind Kind
	host string // in lower case
	port int    // never 0 but for a local place
	user string // "" where any user sees the same tree
	path string
}

func (r Remote) place() place {
	p := place{kind: r.Connection.Kind(), path: r.RemotePath}
	const sshPort, rsyncPort = 22, 873
	switch c := r.Connection; {
	case c.SSH != nil:
		p.host, p.port, p.user = c.SSH.Host, c.SSH.Port, c.SSH.Username
	case c.HostAlias != nil:
		p.host = c.HostAlias.HostAlias
	case c.RsyncDaemon != nil:
		p.host, p.port = c.RsyncDaemon.Host, c.RsyncDaemon.Port
	}
	p.host = strings.ToLower(p.host)
	if p.port == 0 {
		switch p.kind {
		case KindSSH:
			p.port = sshPort
		case KindRsyncDaemon:
			p.port = rsyncPort
		}
	}
	return p
}

// holdsFunc says whether path is parent or lies below it: contains by their names
// alone, reaches with a look at the file system.
type holdsFunc = func(parent, path string) bool

// contains says whether path is parent or lies below it. Both are clean, and
// both absolute or both relative.
func contains(parent, path string) bool {
	rest, ok := strings.CutPrefix(path, parent)
	return ok && (rest == "" || rest[0] == '/' || parent == "/")
}
