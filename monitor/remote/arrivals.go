package remote

import (
	"time"

	"wsync/monitor/guard"
)

// arrivals are the names at which something has come in the last moments. When what has
// come by a rename goes for the next one, as with a slip in a loop of mv, nothing is left of
// the former, and it is no matter that it was renamed. A file that is made to take the place
// of another is none of these.
type arrivals map[string]arrival

// arrival is that something has come at a time.
type arrival struct {
	at time.Time
	// from is what it was called before, "" if it had no name then. young: it had none
	// a moment before.
	from  string
	young bool
}

// arrivalLimit bounds the names that are remembered.
const arrivalLimit = 1000

// note takes in that something has come to a name by itself, or gone from it.
func (a *arrivals) note(name string, now time.Time) { a.put(name, arrival{at: now, young: true}) }

// renamed takes in that from is called to now, and returns what had come to that name lately
// and is lost with it.
func (a *arrivals) renamed(from, to string, now time.Time) (lost string, ok bool) {
	is := func(of arrival) bool { return now.Sub(of.at) <= deletionWindow }
	was, before := (*a)[from], (*a)[to]
	delete(*a, from)
	a.put(to, arrival{at: now, from: from, young: was.young && is(was)})
	return before.from, before.from != "" && !before.young && is(before) && !guard.IsTools(to)
}

func (a *arrivals) put(name string, of arrival) {
	if *a == nil {
		*a = make(arrivals)
	}
	if _, known := (*a)[name]; !known && len(*a) >= arrivalLimit {
		for some := range *a { // whichever comes first
			delete(*a, some)
			break
		}
	}
	(*a)[name] = of
}
