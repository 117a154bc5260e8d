package screen

import (
	"fmt"
	"strings"
	"unicode"

	"wsync/client/live"
	"wsync/daemon/api"
)

// Key is a key that was pressed, by its name, or text that was typed or pasted.
type Key struct{ Name, Text string }

// actionKeys are those that do something with the selected row.
const actionKeys = "p pause  r resume  a approve  s resync  v verify  e explain"

// press takes in a key.
func (m *Model) press(k Key) []Effect {
	m.notice = ""
	switch {
	case k.Name == "ctrl+c":
		return append(m.leave(), Quit{})
	case k.Name == "ctrl+z":
		return []Effect{Suspend{}}
	case m.question != nil:
		return m.answer(k)
	case m.input != nil:
		return m.typed(k)
	case m.page != nil:
		return m.pressOnPage(k)
	}
	switch k.Name {
	case "q":
		return []Effect{Quit{}}
	case "enter":
		if row, ok := m.selected(); ok {
			return m.open(PageDetails, row.Key(), "")
		}
	case "home", "g":
		m.moved = false
		m.choose(0)
		m.scroll()
	case "esc":
	default:
		if by, ok := m.steps(k.Name, m.layout().rows); ok {
			m.moved = true
			m.choose(max(m.index(), 0) + by)
			m.scroll()
			return nil
		}
		return m.command(k.Name)
	}
	return nil
}

// steps is how far a key goes; room is that of a screen.
func (m *Model) steps(key string, room int) (by int, ok bool) {
	const far = 1 << 30
	switch key {
	case "up", "k":
		return -1, true
	case "down", "j":
		return 1, true
	case "pgup", "ctrl+b":
		return -max(room-1, 1), true
	case "pgdown", "ctrl+f", "space":
		return max(room-1, 1), true
	case "home", "g":
		return -far, true
	case "end", "G":
		return far, true
	}
	return 0, false
}

// pressOnPage takes in a key while a page is shown.
func (m *Model) pressOnPage(k Key) []Effect {
	p := m.page
	switch k.Name {
	case "esc", "q", "enter", "left":
		return m.leave()
	case "?", "h":
		if p.kind == PageHelp {
			return m.leave()
		}
	case "y":
		if p.kind == PageHeld {
			return m.confirm()
		}
	}
	room := m.pageRoom()
	if by, ok := m.steps(k.Name, room); ok {
		next := *p
		last := m.lastTop(m.pageLines())
		next.top = min(max(min(p.top, last)+by, 0), last)
		m.page = &next
		return nil
	}
	if p.kind == PageDetails {
		return m.command(k.Name)
	}
	return nil
}

// command takes in a key that is for the selected row.
func (m *Model) command(key string) []Effect {
	if key == "?" || key == "h" {
		return m.open(PageHelp, m.chosen, "")
	}
	if len(key) != 1 || !strings.Contains("prasve", key) {
		return nil
	}
	row, ok := m.selected()
	switch {
	case !ok:
		m.say("there is nothing to do that with")
	case m.isStale():
		m.say("the daemon does not answer")
	case row.Remote == "":
		m.say(row.Workspace + " has no remotes yet")
	default:
		return m.commandFor(row, key)
	}
	return nil
}

// commandFor takes in a key that is for a remote. What deletes or costs is asked about.
func (m *Model) commandFor(row live.Row, key string) []Effect {
	of := row.Key()
	ask := func(text string, yes Effect) { m.question = &question{text, yes} }
	switch key {
	case "p":
		return []Effect{Act{Action: api.Pause, Of: of}}
	case "r":
		return []Effect{Act{Action: api.Resume, Of: of}}
	case "s":
		ask(fmt.Sprintf("compare names, sizes and times with %s?", of), Act{Action: api.Resync, Of: of})
	case "v":
		ask(fmt.Sprintf("read all of %s on both sides?", of), List{Kind: PageVerify, Of: of})
	case "e":
		m.input = &input{of: of, text: []rune(row.ErrorPath)}
	case "a":
		switch {
		case row.Held != "":
			return m.open(PageHeld, of, "")
		case row.Halted:
			m.say("if the directory there now is meant: wsync approve " + row.Workspace)
		default:
			m.say("nothing is held on " + of.String())
		}
	}
	return nil
}

// answer takes in the answer to the question.
func (m *Model) answer(k Key) []Effect {
	yes := m.question.yes
	switch k.Name {
	case "y", "Y":
		m.question = nil
	case "n", "N", "esc", "q":
		m.question = nil
		return nil
	default:
		return nil
	}
	if list, ok := yes.(List); ok {
		return m.open(list.Kind, list.Of, "")
	}
	return []Effect{yes}
}

// input is a path that is typed.
type input struct {
	of   live.Key
	text []rune
}

// typed takes in a key while a path is typed.
func (m *Model) typed(k Key) []Effect {
	next := input{of: m.input.of, text: m.input.text[:len(m.input.text):len(m.input.text)]}
	switch k.Name {
	case "esc":
		m.input = nil
		return nil
	case "enter":
		m.input = nil
		return m.open(PageExplain, next.of, string(next.text))
	case "backspace", "ctrl+h":
		if n := len(next.text); n > 0 {
			next.text = next.text[:n-1]
		}
	case "ctrl+u":
		next.text = nil
	default:
		for _, r := range k.Text {
			if unicode.IsPrint(r) {
				next.text = append(next.text, r)
			}
		}
	}
	m.input = &next
	return nil
}
