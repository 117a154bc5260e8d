//go:build darwin && !cgo

package watch

import "github.com/rjeczalik/notify"

// metaEvents are events that do not tell of a directory's coming or going.
const metaEvents = notify.NoteAttrib

// mainEvents are the events to watch for.
var mainEvents = []notify.Event{notify.All, notify.NoteAttrib}

// kickEvents are events that are of no interest.
var kickEvents = []notify.Event{notify.NoteExtend, notify.NoteLink, notify.NoteRevoke}
