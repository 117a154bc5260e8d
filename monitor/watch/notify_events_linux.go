package watch

import "github.com/rjeczalik/notify"

// metaEvents are events that do not tell of a directory's coming or going.
const metaEvents = notify.InAttrib | notify.InCloseWrite

// mainEvents are the events to watch for. The first four have to be the general
// ones, so that the special ones below are left for kicks.
var mainEvents = []notify.Event{notify.All, notify.InCloseWrite, notify.InAttrib}

// kickEvents are events that mainEvents covers in another form.
var kickEvents = []notify.Event{
	notify.InMoveSelf, notify.InDeleteSelf, notify.InMovedFrom, notify.InMovedTo,
	notify.InDelete, notify.InCreate, notify.InModify,
}
