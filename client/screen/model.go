package screen

import (
	"slices"
	"time"

	"wsync/client/live"
	"wsync/daemon/api"
)

// A Model is what the view knows, and all that follows from it: what has happened goes in by
// Update, the lines of the screen come out of View, and what is to be done comes back as
// effects. It does nothing itself, and has no clock.
type Model struct {
	options Options
	words   func(*api.Status, time.Time) live.Board
	width   int
	height  int
	now     time.Time

	// status is the newest, at is when it was true last, and gone why there is no answer
	// since then, nil if there is one.
	status *api.Status
	at     time.Time
	gone   error
	board  live.Board

	// chosen is the selected row; as long as nobody has moved, it is the first, whichever
	// that is. top is the first row on the screen.
	chosen live.Key
	moved  bool
	top    int
	events events

	// What is in front of the list, nil for nothing: a page that covers it, and what is asked
	// or typed in the last line.
	page     *page
	question *question
	input    *input
	// notice is said in the last line for a moment.
	notice   string
	noticeAt time.Time
	pages    int // counts them, so that late lines go nowhere
}

// events are what has happened to one remote.
type events struct {
	of     live.Key
	lines  []string
	failed bool
}

// mostEvents is how many lines of events are kept.
const mostEvents = 500

// question is asked before something is done.
type question struct {
	text string
	yes  Effect
}

// What happens, beside keys.
type (
	// Resized: the terminal has so many columns and lines.
	Resized struct{ Width, Height int }
	// Ticked: so late is it.
	Ticked struct{ Now time.Time }
	// Updated: the daemon has said something about the status, or there is none.
	Updated struct{ live.Update }
	// EventsTold: lines about what has happened to a remote; EventsEnded: why no more will come.
	EventsTold struct {
		Of    live.Key
		Lines []string
	}
	EventsEnded struct {
		Of  live.Key
		Err error
	}
	// Said: an action is done, or why it is not.
	Said struct{ Text string }
	// PageTold, PageProgressed and PageEnded: lines of a page, how far it is, and its end.
	PageTold struct {
		ID    string
		Lines []string
	}
	PageProgressed struct{ ID, Text string }
	PageEnded      struct {
		ID  string
		Err error
	}
)

// An Effect is something to do: one of those below.
type Effect any

// What is to be done.
type (
	// FollowEvents: of this one, and of no other any more.
	FollowEvents struct{ Of live.Key }
	// Act: carry out an action.
	Act struct {
		Action api.Action
		Of     live.Key
		Held   string
	}
	// List: find out the lines of a page. Leave: nobody wants the page any more.
	List struct {
		ID   string
		Kind PageKind
		Of   live.Key
		Path string
	}
	Leave struct{ ID string }
	// Quit: the user has seen enough. Suspend: for now.
	Quit    struct{}
	Suspend struct{}
)

// NewModel is a view of a status.
func NewModel(words func(*api.Status, time.Time) live.Board, status *api.Status, now time.Time, o Options) Model {
	m := Model{options: o, words: words, status: status, at: now, now: now}
	m.reword()
	return m
}

// reword words the status anew, and keeps the selection.
func (m *Model) reword() {
	m.board = m.words(m.status, m.now)
	if m.index() < 0 && len(m.board.Rows) > 0 || !m.moved {
		m.choose(0)
	}
	m.scroll()
}

// index is that of the selected row, -1 if it is not there any more.
func (m *Model) index() int {
	for i, row := range m.board.Rows {
		if row.Key() == m.chosen {
			return i
		}
	}
	return -1
}

// selected is the selected row; there may be none.
func (m *Model) selected() (row live.Row, ok bool) {
	if i := m.index(); i >= 0 {
		return m.board.Rows[i], true
	}
	return row, false
}

// row is the row of a remote; it may be gone.
func (m *Model) row(of live.Key) (row live.Row, ok bool) {
	for _, row := range m.board.Rows {
		if row.Key() == of {
			return row, true
		}
	}
	return row, false
}

// choose selects a row.
func (m *Model) choose(i int) {
	if len(m.board.Rows) > 0 {
		m.chosen = m.board.Rows[min(max(i, 0), len(m.board.Rows)-1)].Key()
	}
}

// scroll keeps the selected row on the screen.
func (m *Model) scroll() {
	room, i := m.layout().rows, max(m.index(), 0)
	m.top = min(m.top, max(len(m.board.Rows)-room, 0))
	m.top = max(min(m.top, i), i-room+1, 0)
}

// say says something in the last line.
func (m *Model) say(text string) { m.notice, m.noticeAt = text, m.now }

// Update takes in what has happened.
func (m Model) Update(what any) (Model, []Effect) {
	var effects []Effect
	switch what := what.(type) {
	case Resized:
		m.width, m.height = what.Width, what.Height
		m.scroll()
	case Ticked:
		m.now = what.Now
		m.reword()
	case Updated:
		m.update(what.Update)
	case EventsTold:
		if what.Of == m.events.of {
			m.events.add(what.Lines...)
		}
	case EventsEnded:
		if what.Of == m.events.of {
			m.events.failed = true
			m.events.add("cannot tell what has happened: " + visible(what.Err.Error()))
		}
	case Said:
		m.say(what.Text)
	case PageTold, PageProgressed, PageEnded:
		m.page = m.page.take(what)
	case Key:
		effects = m.press(what)
	}
	if m.events.of != m.chosen {
		m.events = events{of: m.chosen}
		effects = append(effects, FollowEvents{m.chosen})
	}
	return m, effects
}

// update takes in news of the status.
func (m *Model) update(u live.Update) {
	back := m.gone != nil && u.Err == nil
	if m.gone = u.Err; u.Err != nil {
		return
	}
	if back && m.events.failed {
		m.events.of = live.Key{} // they are asked for again
	}
	m.at = u.At
	if u.At.After(m.now) {
		m.now = u.At
	}
	if u.Status != nil {
		m.status = u.Status
	}
	m.reword()
}

// add adds lines, and forgets the first.
func (e *events) add(lines ...string) {
	all := slices.Concat(e.lines, lines)
	e.lines = all[max(len(all)-mostEvents, 0):]
}

// silentTime is how long the daemon may say nothing before nothing is taken for true.
const silentTime = 6 * time.Second

// isStale reports whether what is shown is what was, and may not be so any more.
func (m Model) isStale() bool { return m.gone != nil || m.now.Sub(m.at) > silentTime }
