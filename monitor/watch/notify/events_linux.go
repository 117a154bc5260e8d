package notify

import lib "github.com/rjeczalik/notify"

// metaEvents are events that do not tell of a directory's coming or going.
const metaEvents = lib.InAttrib | lib.InCloseWrite

// mainEvents are the events to watch for. The first four have to be the general
// ones, so that the special ones below are left for kicks.
var mainEvents = []lib.Event{lib.All, lib.InCloseWrite, lib.InAttrib}

// kickEvents are events that mainEvents covers in another form.
var kickEvents = []lib.Event{
	lib.InMoveSelf, lib.InDeleteSelf, lib.InMovedFrom, lib.InMovedTo,
	lib.InDelete, lib.InCreate, lib.InModify,
}
