package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Whose is what becomes of the owners, or of the groups, of files on their way to a
// remote: WhoseAuto, WhoseKeep, WhoseNone, a name or number of the remote, or a map as
// rsync's options --usermap and --groupmap take it.
type Whose string

// The values of a Whose that are no names.
const (
	// WhoseAuto: they are kept where the user there may set them.
	WhoseAuto Whose = ""
	// WhoseKeep: they are kept, and a remote where that cannot be is of no use.
	WhoseKeep Whose = "keep"
	// WhoseNone: files are whose they are when they are made there.
	WhoseNone Whose = "none"
)

var (
	whoseName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@-]*$`)
	// mapFrom is the left side of a map: a name with wildcards, a number, two of them
	// with a hyphen, or nothing, which is what has no name.
	mapFrom = regexp.MustCompile(`^[A-Za-z0-9_.@*?-]*$`)
)

// ParseWhose reads what becomes of owners or groups.
func ParseWhose(s string) (Whose, error) {
	switch {
	case s == "auto":
		return WhoseAuto, nil
	case s == string(WhoseKeep) || s == string(WhoseNone) || isWhoseName(s):
		return Whose(s), nil
	case !strings.Contains(s, ":"):
		return "", fmt.Errorf("expected %s, found %q", whoseExpected, s)
	}
	for entry := range strings.SplitSeq(s, ",") {
		from, to, ok := strings.Cut(entry, ":")
		if !ok || !mapFrom.MatchString(from) || !isWhoseName(to) {
			return "", fmt.Errorf("expected %s, found %q", whoseExpected, entry)
		}
	}
	return Whose(s), nil
}

const whoseExpected = "auto, keep, none, a name or number of there, or FROM:TO,..."

// isWhoseName reports whether s can be a name, or is a number that an owner can have.
func isWhoseName(s string) bool {
	if strings.Trim(s, "0123456789") == "" {
		_, ok := number(s)
		return ok
	}
	return whoseName.MatchString(s)
}

// number is the number of a user or a group; the last of 32 bits is none.
func number(s string) (id uint32, ok bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && uint32(n) != 1<<32-1
}

// Demands reports whether it is of no use where the user there may not set it.
func (w Whose) Demands() bool { return w != WhoseAuto && w != WhoseNone }

// Name is the name or number that all files get, "" if it is none of these.
func (w Whose) Name() string {
	if w == WhoseAuto || w == WhoseKeep || w == WhoseNone || w.isMap() {
		return ""
	}
	return string(w)
}

func (w Whose) isMap() bool { return strings.Contains(string(w), ":") }

// Map is the map for rsync, "" for none.
func (w Whose) Map() string {
	if name := w.Name(); name != "" {
		return "*:" + name
	}
	if w.isMap() {
		return string(w)
	}
	return ""
}

// Becoming is how a number follows from one of the workspace.
type Becoming int

// The values of Becoming.
const (
	// Unknown: only rsync knows, which asks for names.
	Unknown Becoming = iota
	// Left: it is as it is made.
	Left
	// Same: it is the same by name or, where these are not asked for, by number.
	Same
	// Other: it is the one that is returned.
	Other
)

// Of says what becomes of the number id. named is the number that Name has there.
func (w Whose) Of(id, named uint32) (to uint32, how Becoming) {
	switch {
	case w == WhoseNone:
		return 0, Left
	case w.Name() != "":
		return named, Other
	}
	for entry := range strings.SplitSeq(w.Map(), ",") {
		from, to, ok := strings.Cut(entry, ":")
		if !ok {
			break // there is no map
		}
		is, known := covers(from, id)
		switch there, isNumber := number(to); {
		case !known:
			return 0, Unknown
		case is && !isNumber:
			return 0, Unknown
		case is:
			return there, Other
		}
	}
	return id, Same
}

// covers reports whether the left side of a map is about a number; known is false if
// that depends on names.
func covers(from string, id uint32) (is, known bool) {
	if from == "*" {
		return true, true
	}
	low, high, isRange := strings.Cut(from, "-")
	if !isRange {
		high = low
	}
	least, ok := number(low)
	most, okToo := number(high)
	return least <= id && id <= most, ok && okToo
}

// String is the value as ParseWhose reads it.
func (w Whose) String() string {
	if w == WhoseAuto {
		return "auto"
	}
	return string(w)
}

func whoseOption(field func(*Remote) *Whose) optionKind[Remote] {
	return newOption(field, whoseExpected, ParseWhose, Whose.String)
}
