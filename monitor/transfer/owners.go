package transfer

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"wsync/config"
	"wsync/monitor/remote"
	"wsync/monitor/rsync"
)

// user is who writes on a remote, as id(1) tells it. The zero value is somebody of whom
// nothing is known.
type user struct {
	uid string
	// groups are the numbers and names of those that it is in.
	groups []string
}

var (
	idUser  = regexp.MustCompile(`(?m)^uid=(\d+)`)
	idGroup = regexp.MustCompile(`[=,](\d+)(?:\(([^)]*)\))?`)
)

// parseUser reads what id(1) says, which is among other lines.
func parseUser(output string) (u user) {
	for line := range strings.Lines(output) {
		m := idUser.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		u.uid = m[1]
		_, groups, _ := strings.Cut(line, " gid")
		for _, g := range idGroup.FindAllStringSubmatch(groups, -1) {
			u.groups = append(u.groups, g[1], g[2])
		}
		return u
	}
	return u
}

// thisUser is who writes on this machine.
func (l *Lane) thisUser(ctx context.Context) user {
	cmd := exec.CommandContext(ctx, "id")
	cmd.Env = l.environment()
	output, _ := rsync.Output(cmd)
	return parseUser(output)
}

// isBound reports whether it is known that it may not give files to others.
func (u user) isBound() bool { return u.uid != "" && u.uid != "0" }

// cannot adds what the options of a remote need root for, where it is this user that
// runs rsync there.
func (u user) cannot(r config.Remote, cannot map[string]string) map[string]string {
	if u.isBound() && r.RsyncPath == "" && !r.Sudo && cannot["owner"] == "" {
		cannot["owner"] = boundWords
	}
	return cannot
}

const (
	boundWords = "the user there is not root, and may not give files to others"
	bindHint   = "let root write there, or set owner or group to auto or none with wsync set"
)

// givesTo says why files cannot be given to whom the options of the remote say, "" if
// they can, or nobody knows.
func (u user) givesTo(r config.Remote, s rsync.Strategy) string {
	cannot, group := s.Cannot(), r.Group.Name()
	switch {
	case r.Owner.Demands() && cannot["owner"] != "":
		return cannot["owner"]
	case r.Group.Demands() && cannot["group"] != "":
		return cannot["group"]
	case s.NoGiving && (r.Owner.Demands() || r.Group == config.WhoseKeep):
		return boundWords
	case s.NoGiving && u.isBound() && group != "" && !slices.Contains(u.groups, group):
		return "the user there is neither root nor in the group " + group
	}
	return ""
}

// servesOwners reports whether files can be given to whom the options of the remote say.
func (t *transfer) servesOwners() bool {
	k := t.lane.known.Load()
	if k == nil {
		return true
	}
	why := k.user.givesTo(t.Remote, k.strategy)
	if why != "" {
		t.out.Failure = failed(remote.Attention, errors.New(why), bindHint)
	}
	return why == ""
}
