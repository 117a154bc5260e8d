package journal

import (
	pathpkg "path"
	"slices"
	"strings"
	"time"

	"wsync/monitor/report"
)

// Filter says which events are wanted.
type Filter struct {
	// Since and Until bound the time; zero is for no bound.
	Since, Until time.Time
	// Remote is the name of a remote, "" for all.
	Remote string
	// Deleted: only deletions, and what says that some may be missing.
	Deleted bool
	// Path is a path with all below it or, with one of *?[, a pattern as of path.Match for
	// a path or a directory above it; one without a slash is for a name anywhere. Only
	// events that name such a path are wanted, and of these only such paths.
	Path string
}

// Check says what is wrong with the filter.
func (f Filter) Check() error {
	_, err := pathpkg.Match(f.Path, "")
	return err
}

// Take returns what is wanted of an event; ok is false for nothing.
func (f Filter) Take(e report.Event) (wanted report.Event, ok bool) {
	switch {
	case !f.Since.IsZero() && e.Time.Before(f.Since), !f.Until.IsZero() && !e.Time.Before(f.Until):
		return e, false
	case e.Kind == report.EventOmitted:
		return e, true // it may have been one
	case f.Remote != "" && e.Remote != f.Remote && e.Remote != "":
		return e, false
	case f.Deleted && e.Kind != report.EventDeleted:
		return e, false
	case f.Path == "":
		return e, true
	}
	named := len(e.Paths)
	e.Paths = slices.DeleteFunc(slices.Clone(e.Paths), func(p report.EventPath) bool { return !f.matches(p.Name()) && !f.matches(p.Before()) })
	e.Count -= named - len(e.Paths)
	return e, len(e.Paths) > 0 || e.Kind == report.EventDeleted && e.Count > 0
}

// matches reports whether a name is one that Path is for.
func (f Filter) matches(name string) bool {
	if name == "" {
		return false
	}
	pattern := strings.TrimSuffix(strings.TrimPrefix(f.Path, "./"), "/")
	if !strings.ContainsAny(pattern, "*?[") {
		// What is above it came or went with it.
		return name == pattern || strings.HasPrefix(name, pattern+"/") || strings.HasPrefix(pattern, name+"/")
	}
	for at := name; at != "." && at != "/"; at = pathpkg.Dir(at) {
		is := at
		if !strings.Contains(pattern, "/") {
			is = pathpkg.Base(at)
		}
		if ok, _ := pathpkg.Match(pattern, is); ok {
			return true
		}
	}
	return false
}
