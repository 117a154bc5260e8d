package rsync

import "strings"

// Modes gives the listed directories of the destination the modes that they have
// in the directory that the job runs in, as far as they are directories there: a
// skeleton of what the destination is to have. Nothing is made, removed or sent, and times and
// owners stay.
//
// rsync writes into a directory of any mode that its user owns, as long as the
// directory is there on both sides. One that is only at the destination it
// makes writable in a comparison of what is around it, but not when it is listed
// as missing, and never readable.
func Modes(e Endpoint, paths []string) Job {
	return ModesAndTimes(e, paths).with("--omit-dir-times")
}

// ModesAndTimes is Modes that sets times as well.
func ModesAndTimes(e Endpoint, paths []string) Job {
	args := []string{
		"--relative", "--dirs", "--from0", fromList,
		"--existing", "--ignore-existing", "--no-owner", "--no-group",
	}
	return e.asHere().job(args, list(paths))
}

// AtOnce makes the job look at the whole tree before it begins. Otherwise rsync
// goes through it in parts, and gives a directory its mode back when it is done
// with its own part: what is further below is then out of reach, if that mode
// forbids to search the directory.
func (j Job) AtOnce(e Endpoint) Job {
	if e.Strategy.Basic {
		return j
	}
	return j.with("--no-inc-recursive")
}

// Denied reports whether something was not permitted by its mode, or that of a
// directory.
func (c Complaints) Denied() bool { return c.contain("Permission denied (13)") }

// IsFile reports whether the path is known not to be a directory on the remote.
func (f Failure) IsFile() bool { return strings.Contains(f.Message, "unlink(") }
