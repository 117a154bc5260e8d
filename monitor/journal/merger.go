package journal

import "wsync/monitor/report"

// Merger reads several series as one, by the times of their events. It belongs to one
// goroutine.
type Merger struct{ heads []*head }

// head is the next event of a series, nil if it is not known yet.
type head struct {
	cursor *Cursor
	event  *report.Event
	tell   func(report.Event) report.Event
}

// Add adds a series. tell, if not nil, is what becomes of its events.
func (m *Merger) Add(c *Cursor, tell func(report.Event) report.Event) {
	m.heads = append(m.heads, &head{cursor: c, tell: tell})
}

// Next returns the next event; ok is false if there is none yet. A series that cannot be
// read is as one without any more events.
func (m *Merger) Next() (e report.Event, ok bool) {
	var first *head
	for _, h := range m.heads {
		if h.event == nil {
			e, ok, err := h.cursor.Next()
			if err != nil || !ok {
				continue
			}
			if h.tell != nil {
				e = h.tell(e)
			}
			h.event = &e
		}
		if first == nil || h.event.Time.Before(first.event.Time) {
			first = h
		}
	}
	if first == nil {
		return e, false
	}
	e, first.event = *first.event, nil
	return e, true
}

// Close ends the use of all files.
func (m *Merger) Close() {
	for _, h := range m.heads {
		h.cursor.Close()
	}
}
