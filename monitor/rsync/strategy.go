package rsync

import "wsync/monitor/remotefs"

// Strategy is which of rsync's abilities are used with a remote.
type Strategy struct {
	// Nanoseconds: both ends keep and compare fractions of a second.
	Nanoseconds bool
	// DeleteMissing: a listed path that is gone is deleted
	// (--delete-missing-args). Some receivers refuse that by mistake.
	DeleteMissing bool
	// Mkpath: a missing destination is made, parents included.
	Mkpath bool
	// SecludedArgs: names are protected from the remote's shell by --secluded-args
	// because this end is too old to quote them.
	SecludedArgs bool
	// Basic: the remote's rsync knows only what openrsync does.
	Basic bool
	// Uncompressed: the remote refuses --compress, as an rsync daemon may.
	Uncompressed bool
	// BasicHere: it is the rsync of this machine that is an openrsync.
	BasicHere bool
	// NoProgress: the rsync of this machine does not say how far it is in a file.
	NoProgress bool
	// NoMaps: one of the two rsyncs has no --usermap and --groupmap.
	NoMaps bool
	// NoGiving: the user there may not give files to others, as only root may. It is
	// found out where owners or groups are asked for.
	NoGiving bool
	// NoACLs, NoXattrs: the remote's rsync was built without them.
	NoACLs, NoXattrs bool
	// Unnamed: nobody knows whether the remote's rsync is an openrsync.
	Unnamed bool
	// Capabilities are those of the destination's file system.
	Capabilities remotefs.Capabilities
	// WindowRefused: there are no Nanoseconds because the remote does not take the
	// option for them, as rrsync does not.
	WindowRefused bool
	// KeepsExisting: the remote leaves files as they are that are there already, and
	// says nothing, as rrsync -no-overwrite does. There is no way to mirror to it.
	KeepsExisting bool
	// NoDelay: the remote makes no directory in which updates could be delayed, as
	// rrsync, which has it in another place.
	NoDelay bool
}

// Choose finds the strategy for two versions, before anything was tried. What
// is not known is taken to be of today: an option that the remote refuses
// shows in the status.
func Choose(local, remote Version) Strategy {
	old := func(v Version, major, minor, patch int) bool {
		return v.Flavour != "" && !v.AtLeast(major, minor, patch)
	}
	fresh := func(major, minor, patch int) bool {
		return !old(local, major, minor, patch) && !old(remote, major, minor, patch)
	}
	return Strategy{
		// Protocol 31 carries nanoseconds; the negative window, which both ends
		// must know, came with 3.1.3.
		Nanoseconds:   fresh(3, 1, 3) && (remote.Protocol == 0 || remote.Protocol >= 31),
		DeleteMissing: fresh(3, 1, 0),
		Mkpath:        fresh(3, 2, 3),
		SecludedArgs:  local.Flavour == "rsync" && old(local, 3, 2, 4),
		Basic:         local.Flavour == "openrsync" || remote.Flavour == "openrsync",
		NoMaps:        !fresh(3, 1, 0) || local.Flavour == "openrsync" || remote.Flavour == "openrsync",
		BasicHere:     local.Flavour == "openrsync",
		NoProgress:    local.Flavour == "openrsync" || old(local, 3, 1, 0),
		Unnamed:       remote.Flavour == "" && remote.Protocol < 30,
	}
}

// Describe says in words how a remote is served.
func (s Strategy) Describe() []string {
	var lines []string
	add := func(ok bool, yes, no string) {
		if !ok {
			yes = no
		}
		lines = append(lines, yes)
	}
	coarse := "the remote does not keep fractions"
	if s.WindowRefused {
		coarse = "the remote refuses --modify-window=-1"
	}
	add(s.Nanoseconds, "times are compared to the nanosecond",
		"times are compared to the second, because "+coarse+"; changed paths are compared by content")
	add(s.DeleteMissing, "rsync is told what to delete by names", "rsync is told what to delete by rules, because the remote's refuses --delete-missing-args")
	if !s.Mkpath {
		lines = append(lines, "the parents of a missing destination must be made by hand, because one of the two rsyncs is older than 3.2.3")
	}
	if s.Basic {
		lines = append(lines, "only basic options are used, because the other end is openrsync")
	}
	return append(lines, s.Capabilities.Describe()...)
}

// lesser are the strategies to try in turn, s first, each with fewer options
// that a remote may not know. None has DeleteMissing, which is tried by itself.
func (s Strategy) lesser() []Strategy {
	s.DeleteMissing = false
	tries := []Strategy{s}
	add := func(lesser Strategy) {
		if lesser != s {
			s = lesser
			tries = append(tries, s)
		}
	}
	lesser := s
	lesser.Nanoseconds = false
	add(lesser)
	lesser.Mkpath = false
	add(lesser)
	lesser.Basic = true
	add(lesser)
	return tries
}
