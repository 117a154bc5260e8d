package screen

import (
	"slices"
	"strconv"
	"strings"

	"wsync/client/live"
	"wsync/daemon/api"
)

// PageKind is what a page is about.
type PageKind string

// The pages.
const (
	PageHelp    PageKind = "help"
	PageDetails PageKind = "details"
	PageHeld    PageKind = "held"
	PageVerify  PageKind = "verify"
	PageExplain PageKind = "explain"
)

// page covers the list.
type page struct {
	id   string
	kind PageKind
	of   live.Key
	path string // of an explanation
	// held is what was held when the list was asked for.
	held  string
	lines []string
	// more is how many lines there were for which there is no room.
	more     int
	progress string
	ended    bool
	failure  error
	top      int
}

// mostLines is how many lines of a page are kept.
const mostLines = 20_000

// listed reports whether somebody has to find out the lines of a page.
func (k PageKind) listed() bool { return k == PageHeld || k == PageVerify || k == PageExplain }

// open puts a page in front of the list.
func (m *Model) open(kind PageKind, of live.Key, path string) []Effect {
	effects := m.leave()
	m.pages++
	m.page = &page{id: strconv.Itoa(m.pages), kind: kind, of: of, path: path}
	if row, ok := m.row(of); ok {
		m.page.held = row.Held
	}
	if kind.listed() {
		effects = append(effects, List{ID: m.page.id, Kind: kind, Of: of, Path: path})
	}
	return effects
}

// leave goes back to the list.
func (m *Model) leave() (effects []Effect) {
	if m.page != nil && m.page.kind.listed() {
		effects = append(effects, Leave{m.page.id})
	}
	m.page = nil
	return effects
}

// take returns the page with what has become known, nil for no page.
func (p *page) take(what any) *page {
	if p == nil {
		return nil
	}
	next := *p
	switch what := what.(type) {
	case PageTold:
		switch {
		case what.ID != p.id:
		default:
			taken := min(len(what.Lines), mostLines-len(p.lines))
			next.lines = append(p.lines, what.Lines[:taken]...)
			next.more += len(what.Lines) - taken
		}
	case PageProgressed:
		if what.ID == p.id {
			next.progress = what.Text
		}
	case PageEnded:
		if what.ID == p.id {
			next.progress, next.ended, next.failure = "", true, what.Err
		}
	}
	return &next
}

// pageLines are all lines of the page.
func (m Model) pageLines() (lines []string) {
	p := m.page
	switch p.kind {
	case PageHelp:
		return append(slices.Clone(helpLines), m.options.legend())
	case PageDetails:
		row, ok := m.row(p.of)
		if !ok {
			return []string{p.of.String() + " is not there any more"}
		}
		lines = append(row.Details(), "", "what has happened:")
		return append(lines, m.events.lines...)
	}
	lines = slices.Clone(p.lines)
	if p.more > 0 {
		lines = append(lines, "and "+strconv.Itoa(p.more)+" more lines")
	}
	switch {
	case p.failure != nil:
		lines = append(lines, visible(p.failure.Error()))
	case p.progress != "":
		lines = append(lines, p.progress)
	case !p.ended:
		lines = append(lines, "asking "+p.of.String()+" ...")
	}
	return lines
}

// pageTitle says what the page is.
func (m Model) pageTitle() string {
	switch m.page.kind {
	case PageHeld:
		return "held on " + m.page.of.String()
	case PageVerify:
		return "comparing all contents with " + m.page.of.String()
	case PageExplain:
		return visible(m.page.path) + " on " + m.page.of.String()
	case PageDetails:
		return m.page.of.String()
	}
	return "keys"
}

// pageKeys says what can be done on it.
func (m Model) pageKeys() string {
	switch p := m.page; {
	case p.kind == PageHeld && p.ended && p.failure == nil:
		return "y let all of this happen   esc leave it held"
	case p.kind == PageVerify && !p.ended:
		return "esc stop; it can be gone on with for an hour"
	case p.kind == PageDetails:
		return "esc back   " + actionKeys
	}
	return "esc back"
}

// confirm lets what a page lists happen: what it lists, and nothing that has come since.
func (m *Model) confirm() []Effect {
	p := m.page
	row, ok := m.row(p.of)
	switch {
	case !p.ended:
		m.say("the list is not whole yet")
	case p.failure != nil:
		m.say("not without the list; that does wsync approve " + strings.ReplaceAll(p.of.String(), "/", " "))
	case !ok || row.Held == "":
		m.say("nothing is held any more")
	case row.Held != p.held || p.held == "":
		m.say("what is held has changed: look again (a)")
	default:
		return append(m.leave(), Act{Action: api.Approve, Of: p.of, Held: p.held})
	}
	return nil
}

// helpLines say what the keys do.
var helpLines = []string{
	"up down j k      select; home: follow the worst",
	"pgup pgdown      a screen up or down; end: the last",
	"enter            all about the selected one",
	"",
	"p pause          stop mirroring to it for a while",
	"r resume         go on, or try again now",
	"a approve        list what is held, then let it happen",
	"s resync         compare names, sizes and times now",
	"v verify         compare all contents now",
	"e explain        say what is known of one path",
	"? help   q quit",
	"",
	"LATENCY shows the last changes, the newest at the right,",
	"from when one was noticed until the remote had it:",
}
