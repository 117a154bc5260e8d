//go:build darwin && !cgo

package notify

import lib "github.com/rjeczalik/notify"

// metaEvents are events that do not tell of a directory's coming or going.
const metaEvents = lib.NoteAttrib

// mainEvents are the events to watch for.
var mainEvents = []lib.Event{lib.All, lib.NoteAttrib}

// kickEvents are events that are of no interest.
var kickEvents = []lib.Event{lib.NoteExtend, lib.NoteLink, lib.NoteRevoke}
