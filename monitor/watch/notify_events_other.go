//go:build !linux && !(darwin && !cgo)

package watch

import "github.com/rjeczalik/notify"

// metaEvents are events that do not tell of a directory's coming or going.
const metaEvents = notify.Event(0)

// mainEvents are the events to watch for.
var mainEvents = []notify.Event{notify.All}

// kickEvents is empty: these systems watch paths, whatever is there.
var kickEvents []notify.Event
