package transfer

import (
	"wsync/monitor/dirty"
	"wsync/monitor/remote"
)

// merge adds what a transfer found later to a hold. Beyond the size that a dirty set
// may have, the entries become a full pass.
func merge(h, other *remote.Hold) {
	known := make(map[string]*dirty.Entry, len(h.Entries))
	for _, e := range h.Entries {
		known[e.Path] = e
	}
	for _, e := range other.Entries {
		if k := known[e.Path]; k != nil {
			k.Change |= e.Change
			k.Seq = min(k.Seq, e.Seq)
			continue
		}
		h.Entries = append(h.Entries, e)
	}
	if len(h.Entries) > dirty.Limit && h.Pass == nil {
		seq, since, _ := dirty.Batch{Entries: h.Entries}.Oldest()
		h.Pass, h.Entries = &dirty.Entry{Seq: seq, Since: since}, nil
	}
	if other.Pass != nil {
		// The list of a full pass has all that is to be deleted.
		h.Pass, h.Names, h.Sample, h.All = other.Pass, other.Names, other.Sample, h.All || other.All
		return
	}
	for _, name := range other.Sample {
		if len(h.Sample) < remote.SampleReserve && !h.Names.Has(name) {
			h.Sample = append(h.Sample, name)
		}
	}
	h.Names.AddAll(other.Names)
}
