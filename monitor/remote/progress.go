package remote

import (
	"time"

	"wsync/monitor/report"
)

// Progress is how far a transfer is. A file counts once, however often it is on its way,
// and by the size that it has then; what is done is never more than there is to do.
type Progress struct {
	// Looking: what is to be sent is being found out. Looked is how many entries were
	// looked at, and Found how many have been found to differ, as far as is known.
	Looking       bool
	Looked, Found int
	// Files and Bytes are done, TotalFiles and TotalBytes are to do, as far as is known.
	Files, TotalFiles int
	Bytes, TotalBytes int64
	// Path is the file that is on its way, or was last.
	Path string
}

// Progress takes in how far a transfer is.
func (m *Machine) Progress(s *Sending, p Progress, now time.Time) {
	if s != m.running {
		return
	}
	t := &m.transfer
	t.Looking, t.Looked, t.Found, t.Path = p.Looking, p.Looked, p.Found, p.Path
	t.Files, t.TotalFiles, t.Bytes, t.TotalBytes = p.Files, p.TotalFiles, p.Bytes, p.TotalBytes
	m.meter.Add(p.Files, p.Bytes, now)
}

// transferStatus is how the transfer that runs is shown.
func (m *Machine) transferStatus(now time.Time) *report.Transfer {
	if m.running == nil {
		return nil
	}
	t := m.transfer
	t.Rate = m.meter.Rate(now)
	if !t.Looking {
		t.Remaining = m.meter.Remaining(t.TotalFiles, t.TotalBytes, now)
	}
	return &t
}
