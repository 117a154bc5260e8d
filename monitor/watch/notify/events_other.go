//go:build !linux && !(darwin && !cgo)

package notify

import lib "github.com/rjeczalik/notify"

// metaEvents are events that do not tell of a directory's coming or going.
const metaEvents = lib.Event(0)

// mainEvents are the events to watch for.
var mainEvents = []lib.Event{lib.All}

// kickEvents is empty: these systems watch paths, whatever is there.
var kickEvents []lib.Event
