package rsync

import "wsync/config"

// A remote with config.Remote.DelayUpdates gets the files of one run together,
// at its end: rsync keeps them in a directory config.DelayDirectory beside
// their place until then. A run that is killed leaves that directory, which
// SweepDelayed removes.

// Delays reports whether the runs for this remote delay their updates.
func (e Endpoint) Delays() bool {
	return e.Remote.DelayUpdates && !e.Strategy.Basic && !e.Strategy.NoDelay
}

// delay are the options of a run that sends files.
func (e Endpoint) delay() []string {
	if !e.Delays() {
		return nil
	}
	return []string{"--delay-updates", "--partial-dir=" + config.DelayDirectory}
}

// SweepDelayed deletes what killed runs have left in the destination's delay
// directories, and nothing else; ok is false where there can be none.
func SweepDelayed(e Endpoint) (job Job, ok bool) {
	if !e.Delays() {
		return Job{}, false
	}
	name := config.DelayDirectory
	return e.unfiltered([]string{
		"--recursive", "--delete", "--existing", "--ignore-existing",
		"--filter=H " + name + "/", "--filter=R " + name + "/***",
		"--filter=P *",                  // of what the destination has, that is all that may go
		"--filter=S */", "--filter=H *", // and only directories need to be looked at
	}, nil), true
}

// Describe says in words how a remote is served.
func (e Endpoint) Describe() []string {
	lines := e.Strategy.Describe()
	switch {
	case e.Delays():
		lines = append(lines, "the files of one run appear together, at its end (--delay-updates)")
	case e.Remote.DelayUpdates && e.Strategy.NoDelay:
		lines = append(lines, "files appear one by one, although --delay-updates was asked for: the remote's rsync cannot make a directory for it, as under rrsync")
	case e.Remote.DelayUpdates:
		lines = append(lines, "files appear one by one, although --delay-updates was asked for: openrsync does not know it")
	}
	if e.Remote.Bandwidth != 0 && e.Strategy.Basic {
		lines = append(lines, "rsync sends as fast as it can, although a bandwidth is set: openrsync cannot be limited")
	}
	if e.Remote.Keeps() {
		lines = append(lines, "nothing is deleted there (delete=keep)")
	}
	switch {
	case e.Trashes():
		lines = append(lines, "what is deleted or overwritten is kept for "+e.Remote.Trash.String()+" in "+config.TrashDirectory)
	case e.Untrashed():
		lines = append(lines, "what is deleted or overwritten cannot be kept, so that nothing is sent: openrsync does not know how")
	}
	return lines
}
