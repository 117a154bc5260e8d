package rsync

import (
	"slices"
	"strconv"
	"strings"

	"wsync/config"
)

// Try finds whether the remote can be served with its options, by looking at the root, and
// changes nothing.
func Try(e Endpoint) Job { return Root(e).DryRun() }

// TryGiving is Try for whether the user there may give files to others, as Gives tells
// from the code of the root.
func TryGiving(e Endpoint) Job { return Try(e.giving()) }

// giving is the endpoint at which everything is to be somebody else's.
func (e Endpoint) giving() Endpoint {
	e.Remote.Owner, e.Remote.Group = config.Whose(strconv.Itoa(specimenOther)), config.WhoseAuto
	return e
}

// Gives reports whether an itemized code says that an entry would be given away. Where the
// user may not, rsync does not even say that it is somebody else's.
func Gives(code string) bool { return len(code) > 2 && strings.ContainsAny(code[2:], "o+") }

// ofTrial are the options of rsync that a trial is about.
var ofTrial = expressionOf(`--(?:usermap|groupmap|numeric-ids|owner|group)`)

// AboutOptions reports whether a run failed for how rsync was to be run there, or for whom
// files are to belong to, and not for what may go away by itself.
func AboutOptions(r Result, c Complaints) bool {
	switch {
	case r.Code == 126 || r.Code == codeNotFound || unknownID.MatchString(r.Stderr):
		return true
	case refused(r):
		return ofTrial.MatchString(r.Stderr)
	}
	return slices.ContainsFunc(known, func(k knownText) bool {
		return k.verdict == Attention && slices.ContainsFunc(c.Other, k.text.MatchString)
	})
}
