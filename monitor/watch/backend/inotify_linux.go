package backend

import (
	"wsync/monitor/watch"
	"wsync/monitor/watch/inotify"
)

// hasInotify: inotify is what "auto" means.
const hasInotify = true

func newInotify(root string, opts watch.Options, sink watch.Sink) (watch.Watcher, error) {
	return inotify.New(root, opts, sink), nil
}
