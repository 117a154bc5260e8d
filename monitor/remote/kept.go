package remote

import (
	"slices"

	"wsync/monitor/report"
)

// Kept are directories that are gone from the workspace, and stay on a remote because
// there is something in them that is excluded.
type Kept struct {
	// Dirs are some of them, in order.
	Dirs []string
	// Count is how many there are.
	Count int
}

// Add adds one.
func (k *Kept) Add(dir string) {
	i, found := slices.BinarySearch(k.Dirs, dir)
	switch {
	case found:
		return
	case len(k.Dirs) < report.MaxKept:
		k.Dirs = slices.Insert(k.Dirs, i, dir)
	}
	k.Count++
}

// take takes in what a transfer has found; pass: it has looked at all there is.
func (k *Kept) take(found *Kept, pass bool) {
	if pass {
		*k = Kept{}
	}
	if found == nil {
		return
	}
	known := k.Count
	for _, dir := range found.Dirs {
		k.Add(dir)
	}
	k.Count = max(k.Count, known, found.Count)
}

// touch takes in that something has happened to a path: if it is one of them, a transfer
// finds out anew what it is.
func (k *Kept) touch(path string) {
	if k.Count == 0 {
		return
	}
	if i, found := slices.BinarySearch(k.Dirs, path); found {
		k.Dirs = slices.Delete(k.Dirs, i, i+1)
		k.Count--
	}
}

// has reports whether a path is known to be one of them.
func (k *Kept) has(path string) bool {
	_, found := slices.BinarySearch(k.Dirs, path)
	return found
}

// report is how they are shown, nil for none.
func (k *Kept) report() *report.Kept {
	if k.Count == 0 {
		return nil
	}
	return &report.Kept{Count: k.Count, Sample: slices.Clone(k.Dirs)}
}
