//go:build !linux

package watch

import "errors"

// defaultBackend is what "auto" means on this platform.
const defaultBackend = "notify"

func newInotify(string, Options, Sink) (Watcher, error) {
	return nil, errors.New("cannot use inotify: this system has none")
}
