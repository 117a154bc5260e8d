package direct

import (
	"io/fs"
	"syscall"

	"wsync/config"
)

// owning is what becomes of owners and groups on a target.
type owning struct {
	users, groups config.Whose
	// numeric: where they are kept, it is by number. named are the numbers that the
	// names in users and groups have there.
	numeric bool
	named   Owner
	maker   Maker
	// inherits: what is made gets the group of its directory, and keeps it.
	inherits bool
}

// SetRemote says what becomes of modes, owners, groups and holes by the options of a remote;
// until then all stay as they are. witness is a file that rsync has made there.
func (l *Lane) SetRemote(r config.Remote, witness string) error {
	l.modes, l.sparse = r.ModeChanges(), r.Sparse
	l.owning.users, l.owning.groups, l.owning.numeric = r.Owner, r.Group, r.NumericIDs
	if r.Owner.Name() != "" || r.Group.Name() != "" {
		// What they are called there, rsync has found out.
		named, err := l.target.Owner(witness)
		if err != nil {
			return err
		}
		l.owning.named = named
	}
	// Such as by the bit of setgid that the modes have.
	inherit := l.modes.Apply(fs.ModeDir|0o755)&fs.ModeSetgid != 0 && !l.owning.maker.Superuser && r.Group == config.WhoseAuto
	l.owning.inherits = r.Group == config.WhoseNone || inherit
	return nil
}

// Owns reports whether this lane can make files whose owner and group are these here.
func (l *Lane) Owns(uid, gid uint32) bool {
	_, ok := l.owning.of(Owner{uid, gid})
	return ok || l.capabilities.NoOwners
}

// of returns whose something is on the target that is here's in the workspace, nil for
// whoever makes it; ok is false if only rsync can tell, or set it.
func (o *owning) of(here Owner) (there *Owner, ok bool) {
	uid, known := o.one(o.users, here.UID, o.named.UID, true)
	gid, knownToo := o.one(o.groups, here.GID, o.named.GID, false)
	switch {
	case !known || !knownToo:
		return nil, false
	case uid == unset && gid == unset:
		return nil, true
	case o.maker.Here:
		return &Owner{uid, gid}, true
	case o.maker.Superuser && (uid == unset || gid == unset):
		return nil, false // SFTP sets both
	case uid == unset:
		uid = o.maker.UID
	}
	return &Owner{uid, gid}, true
}

// one is the number of an owner or a group, unset if it stays as it is made.
func (o *owning) one(whose config.Whose, here, named uint32, isUser bool) (id uint32, known bool) {
	to, how := whose.Of(here, named)
	bound := !o.maker.Superuser && (isUser || how == config.Same && !o.maker.Here)
	switch {
	case how == config.Left || bound:
		return unset, true
	case how == config.Other:
		return to, true
	case how == config.Unknown:
		return 0, false
	}
	return to, o.maker.Here || o.numeric || here == 0
}

// ownerOf is whose a file is.
func ownerOf(info fs.FileInfo) (o Owner, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Owner{}, false
	}
	return Owner{st.Uid, st.Gid}, true
}
