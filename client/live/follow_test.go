package live

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"wsync/client"
	"wsync/daemon/api"
)

// patience is how long something may take that must happen.
const patience = 30 * time.Second

// socket is the path of a socket, which must be short.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "wsl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serve is a daemon that answers with what answer returns, until it is ended.
func serve(t *testing.T, path string, answer func(*http.Request) any) (end func()) {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := answer(r)
		if _, refused := body.(*api.Error); refused {
			w.WriteHeader(http.StatusBadRequest)
		}
		json.NewEncoder(w).Encode(body)
	})}
	go server.Serve(listener)
	end = func() { server.Close() }
	t.Cleanup(end)
	return end
}

// A status is followed over the end of a daemon to the next one, whatever the number of its
// revision is, until what it is about is gone.
func TestFollow(t *testing.T) {
	path := socket(t)
	var removed atomic.Bool
	daemon := func(pid int, revision uint64) func() {
		return serve(t, path, func(r *http.Request) any {
			if removed.Load() {
				return &api.Error{Kind: api.NotFound, Message: "no such workspace"}
			}
			return api.Status{Daemon: api.DaemonStatus{PID: pid}, Revision: revision}
		})
	}
	end := daemon(1, 9)
	updates, ended := make(chan Update, 1000), make(chan error, 1)
	go func() {
		ended <- Follow(t.Context(), &client.Client{Socket: path}, "docs", "", nil, func(u Update) { updates <- u })
	}()
	expect := func(what string, met func(Update) bool) {
		t.Helper()
		for deadline := time.After(patience); ; {
			select {
			case u := <-updates:
				if met(u) {
					return
				}
			case <-deadline:
				t.Fatalf("%s: never told", what)
			}
		}
	}
	of := func(pid int) func(Update) bool {
		return func(u Update) bool { return u.Status != nil && u.Status.Daemon.PID == pid && u.Err == nil }
	}
	expect("the status", of(1))
	expect("that it is so still", func(u Update) bool { return u.Status == nil && u.Err == nil && !u.At.IsZero() })
	end()
	expect("that the daemon has ended", func(u Update) bool { return errors.Is(u.Err, client.ErrNoDaemon) })
	daemon(2, 3)
	expect("the status of the next one", of(2))
	removed.Store(true)
	select {
	case err := <-ended:
		var refused *api.Error
		if !errors.As(err, &refused) || refused.Kind != api.NotFound {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("it never ended")
	}
}

// An answer that was overtaken by a newer one is no news, and one that nobody waits for any
// more is none at all.
func TestOvertaken(t *testing.T) {
	var told []Update
	f := &following{tell: func(u Update) { told = append(told, u) }}
	status := func(pid int, revision uint64) *api.Status {
		return &api.Status{Daemon: api.DaemonStatus{PID: pid}, Revision: revision}
	}
	for _, answer := range []*api.Status{status(1, 5), status(1, 4), status(1, 6), status(2, 1)} {
		f.take(t.Context(), answer, nil)
	}
	if len(told) != 4 || told[0].Status == nil || told[1].Status != nil || told[2].Status == nil || told[3].Status == nil {
		t.Errorf("told %+v", told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.take(ctx, status(2, 2), nil)
	if len(told) != 4 {
		t.Errorf("told %+v after the end", told[4:])
	}
	f.take(t.Context(), nil, client.ErrNoDaemon)
	f.take(t.Context(), status(2, 1), nil)
	if len(told) != 6 || told[4].Err == nil || told[5].Status == nil {
		t.Errorf("told %+v: what is known when the daemon is back is told again", told[4:])
	}
}
