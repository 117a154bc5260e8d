package transfer

import (
	"maps"
	"slices"
	"strings"

	"wsync/monitor/remote"
	"wsync/monitor/report"
)

// A comparison that is made in the background is one of many parts: the look, and then some
// files each. What differs in a part is explained at its end, while it is known why that may
// be, and a part that was interrupted comes again. So it can go on for days.

// A part in the background compares so many files at most, and so many bytes unless one
// file has more.
const (
	partFiles = 500
	partBytes = 16 << 20
)

// parts is about the parts of a comparison.
type parts struct {
	background bool
	// then is the step after a part is explained, nil for none.
	then func(t *transfer) error
	// after is the file behind which a walk comes to those to be compared, "" for all are;
	// last is the last one that was.
	after, last string
	// passedOver are the paths that are not compared, as they were told of in earlier
	// parts, and why.
	passedOver map[string]string
	// some are the first differences that were found in the part.
	some []report.Difference
	// part is what this step has ended, nil for nothing, and read how many bytes it has read.
	part *remote.Part
	read int64
}

// limits are how many files, and bytes, a step compares at most.
func (p *parts) limits() (files int, bytes int64) {
	if p.background {
		return partFiles, partBytes
	}
	return comparedFiles, comparedBytes
}

// goOn has a comparison in the background, which has made no step, begin where one before
// it has ended.
func (c *comparison) goOn(p *remote.Position) {
	if p == nil || c.background {
		return
	}
	c.background, c.passedOver = true, make(map[string]string)
	if p.Looked {
		c.after, c.last = string(p.After), string(p.After)
		c.next = c.listFiles
	}
}

// isBehind reports whether a file comes in a walk later than all that was compared.
func (p *parts) isBehind(name string) bool {
	if p.after != "" && slices.Compare(strings.Split(name, "/"), strings.Split(p.after, "/")) > 0 {
		p.after = "" // and all that comes now
	}
	return p.after == ""
}

// keep keeps a difference for the end of the part.
func (p *parts) keep(d report.Difference, repaired bool) {
	if d.State == report.StatePending || len(p.some) == report.MaxFound {
		return
	}
	if repaired {
		d.State = report.StateRepaired
	}
	p.some = append(p.some, d)
}

// endPart takes in that what was found is explained, and goes on with the next part.
func (c *comparison) endPart() {
	s := c.summary
	c.part = &remote.Part{
		Position: remote.Position{Looked: true, After: []byte(c.last)}, Last: c.then == nil,
		Files: s.Files, Bytes: s.Bytes, TotalFiles: c.status.TotalFiles, TotalBytes: c.status.TotalBytes,
		Differences: s.Differences - s.Pending, Pending: s.Pending, Repaired: s.Repair, Found: c.some,
	}
	c.next, c.some = c.then, nil
	if !c.background {
		return
	}
	c.summary = report.ComparisonSummary{}
	maps.Copy(c.passedOver, c.failing)
	clear(c.failing)
	c.found, c.what = spool{path: c.found.path}, explanation{out: spool{path: c.what.out.path}}
	remove(c.what.out.path)
}
