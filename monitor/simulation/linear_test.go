//go:build linux

package simulation

import (
	"fmt"
	"math"

	"github.com/anishathalye/porcupine"

	"wsync/monitor/report"
)

// What people did, and what they were told, must look as if each had been done at one moment
// between the question and the answer, in a world that is no more than this: how many
// changes there were, what is attached and paused, and what was approved last.

// input is what somebody did.
type input struct {
	kind int
	of   int    // the number of a place
	on   bool   // of what is switched
	id   string // of what is approved
}

// The kinds of what people do.
const (
	changes  = iota // the workspace
	waits           // until it returns
	looks           // at the status
	pauses          // or resumes a remote
	halves          // pauses or resumes all
	attaches        // or detaches
	approves        // what is held
)

// told is what somebody was told of one remote.
type told struct {
	of     int
	synced bool   // it has all
	has    int    // up to which change it has all, as was found there when that was said
	paused bool   // only for looks
	held   string // what is, by its ID
}

// state is that of the world which is asked in its place. It is a value.
type state struct {
	changes          int
	attached, paused [2]bool
	all              bool // paused
	approved         [2]string
}

// step is one thing done in a state; ok is false if it would have had another outcome.
func (s state) step(in input, out []told) (after state, ok bool) {
	switch in.kind {
	case changes:
		s.changes++
	case pauses:
		s.paused[in.of] = in.on
	case halves:
		s.all = in.on
	case attaches:
		s.attached[in.of], s.paused[in.of] = in.on, false
	case approves:
		s.approved[in.of] = in.id
	}
	for _, t := range out {
		switch {
		case t.synced && t.has < s.changes:
			return s, false
		case in.kind == looks && (!s.attached[t.of] || t.paused != (s.all || s.paused[t.of])):
			return s, false
		case t.held != "" && t.held == s.approved[t.of]:
			return s, false
		}
	}
	return s, true
}

var people = porcupine.Model{
	Init: func() any { return state{} },
	Step: func(s, in, out any) (bool, any) {
		after, ok := s.(state).step(in.(input), out.([]told))
		return ok, after
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
}

// history is what was done so far. Each question and each answer has a moment of its own.
type history struct {
	operations []porcupine.Operation
	moment     int64
}

// call records a question, and returns its number.
func (h *history) call(in input) int {
	h.moment++
	h.operations = append(h.operations, porcupine.Operation{ClientId: len(h.operations), Input: in, Call: h.moment, Return: -1})
	return len(h.operations) - 1
}

// answer records what was said to it.
func (h *history) answer(n int, out []told) {
	h.moment++
	h.operations[n].Output, h.operations[n].Return = out, h.moment
}

// did records what was done at once.
func (h *history) did(in input) { h.answer(h.call(in), nil) }

// linearizable checks the history.
func (w *world) linearizable() {
	var answered []porcupine.Operation
	for _, o := range w.daemon.history.operations {
		if o.Return >= 0 {
			answered = append(answered, o)
		}
	}
	if !porcupine.CheckOperations(people, answered) {
		w.fail("what people were told is not how it was at any one moment: %s", unordered(answered))
	}
}

// unordered is the first answer with which there is no order.
func unordered(all []porcupine.Operation) string {
	for n := range all {
		var until []porcupine.Operation
		for _, o := range all {
			if o.Call <= all[n].Return && o.Return <= all[n].Return {
				until = append(until, o)
			}
		}
		if !porcupine.CheckOperations(people, until) {
			return people.DescribeOperation(all[n].Input, all[n].Output)
		}
	}
	return ""
}

// index is the number of a place.
func (w *world) index(p *place) int {
	for i := range w.places {
		if w.places[i] == p {
			return i
		}
	}
	return -1
}

// has is up to which change a place has all that the workspace had. What nobody can be
// blamed for who was asked at a tick is left out.
func (w *world) has(p *place, asked int) int {
	least := math.MaxInt
	if p.doubt || w.ws.gone || p.harmed() {
		return least
	}
	look := func(path string) {
		is, ok := p.names[path]
		if w.excused(p, path, asked) {
			return
		}
		past, until := w.ws.past[path], math.MaxInt
		for i := len(past) - 1; i >= 0; i-- {
			if past[i].equals(is, ok) {
				least = min(least, until)
				return
			}
			until = past[i].tick - 1
		}
		if ok {
			until = -1
		}
		least = min(least, until)
	}
	for path := range p.names {
		look(path)
	}
	for path := range w.ws.past {
		if _, ok := p.names[path]; !ok {
			look(path)
		}
	}
	return least
}

// toldOf is what a status says of a remote, but for what it has.
func (w *world) toldOf(r *mirrored, s report.RemoteStatus) told {
	t := told{of: w.index(r.place), paused: s.State == report.Paused}
	if s.Held != nil {
		t.held = s.Held.ID
	}
	return t
}

// syncedOf is that a remote is said to have all, to who asked at a tick.
func (w *world) syncedOf(r *mirrored, asked int) told {
	return told{of: w.index(r.place), synced: true, has: w.has(r.place, asked)}
}
