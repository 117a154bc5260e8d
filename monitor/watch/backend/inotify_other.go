//go:build !linux

package backend

import (
	"errors"

	"wsync/monitor/watch"
)

const hasInotify = false

func newInotify(string, watch.Options, watch.Sink) (watch.Watcher, error) {
	return nil, errors.New("cannot use inotify: this system has none")
}
