package rsync

// Cannot are the options of a remote, by name, that need more than the
// strategy has, and why.
func (s Strategy) Cannot() map[string]string {
	cannot := make(map[string]string)
	add := func(is bool, why string, options ...string) {
		for _, o := range options {
			if is && cannot[o] == "" {
				cannot[o] = why
			}
		}
	}
	add(s.Basic, "one of the two rsyncs is openrsync, which does not know how", "delay-updates", "trash", "trash-size", "delete", "bandwidth", "hard-links", "acls", "xattrs")
	add(s.NoACLs, "the rsync on the remote was built without them", "acls")
	add(s.NoXattrs, "the rsync on the remote was built without them", "xattrs")
	add(s.Basic || s.Uncompressed, s.CannotCompress(), "compress")
	add(s.BasicHere, "the rsync of this machine is openrsync, which does not know how", "chmod", "umask")
	add(s.NoMaps, "one of the two rsyncs is older than 3.1.0, or openrsync, and has no --usermap and --groupmap", "owner", "group")
	add(s.NoDelay, "the remote's rsync cannot make a directory for it, as under rrsync", "delay-updates")
	add(s.Capabilities.NoModes, "the file system there keeps no modes", "chmod", "umask")
	add(s.Capabilities.NoOwners, "the file system there keeps no owners", "owner")
	add(s.Capabilities.NoGroups, "the file system there keeps no groups", "group")
	return cannot
}
