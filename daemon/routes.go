package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"wsync/daemon/api"
)

// routes are all there are; package api describes them.
func (d *Daemon) routes() map[string]answer {
	return map[string]answer{
		"GET /v1/status":                                               d.getStatus,
		"GET /v1/events":                                               d.events,
		"GET /v1/workspaces":                                           d.listWorkspaces,
		"POST /v1/workspaces":                                          d.addWorkspace,
		"GET /v1/workspaces/{workspace}":                               d.getWorkspace,
		"DELETE /v1/workspaces/{workspace}":                            d.removeWorkspace,
		"POST /v1/workspaces/{workspace}/ignore":                       d.changeIgnore,
		"POST /v1/workspaces/{workspace}/rename":                       d.rename,
		"POST /v1/workspaces/{workspace}/options":                      d.setOptions,
		"POST /v1/workspaces/{workspace}/remotes":                      d.attachRemote,
		"POST /v1/workspaces/{workspace}/look":                         d.lookAtRemote,
		"POST /v1/workspaces/{workspace}/compare":                      d.compare,
		"POST /v1/workspaces/{workspace}/explain":                      d.explain,
		"POST /v1/workspaces/{workspace}/open":                         d.listOpen,
		"DELETE /v1/workspaces/{workspace}/remotes/{remote}":           d.detachRemote,
		"POST /v1/workspaces/{workspace}/{action}":                     d.act,
		"POST /v1/actions/{action}":                                    d.actAll,
		"POST /v1/wait":                                                d.wait,
		"POST /v1/stop":                                                d.stopRequest,
		"POST /v1/reload":                                              d.reloadRequest,
		"GET /v1/health":                                               d.getHealth,
		"POST /v1/workspaces/{workspace}/path":                         d.setPath,
		"POST /v1/workspaces/{workspace}/remotes/{remote}/destination": d.moveRemote,
	}
}

// answer handles a request: what it returns is the response's body, nil for an
// empty object. An error that is no *api.Error is an internal one.
type answer func(r *http.Request) (any, error)

// stream is an answer that is written bit by bit, each a line of JSON, until all is said,
// it cannot be written or ctx is done. The connection ends early after an error.
type stream interface {
	serve(ctx context.Context, w io.Writer, flush func() error) error
}

// The bounds of a request: its size in bytes, how long its header and its body may each
// take, and how long a connection may be idle between two.
const (
	maxHeader   = 64 << 10
	maxBody     = 1 << 20
	requestTime = 10 * time.Second
	idleTime    = 2 * time.Minute
)

// handler serves the routes.
func (d *Daemon) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range d.routes() {
		mux.Handle(pattern, d.serveAnswer(answer))
	}
	mux.HandleFunc("GET "+api.MetricsPath, d.serveMetrics)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, &api.Error{Kind: api.Unknown, Message: fmt.Sprintf("the daemon does not know the request %s %s", r.Method, r.URL.Path)})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(api.VersionHeader, d.version)
		mux.ServeHTTP(w, r)
	})
}

// requests numbers the requests for the log.
var requests atomic.Uint64

func (d *Daemon) serveAnswer(answer answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, began := strconv.FormatUint(requests.Add(1), 10), time.Now()
		w.Header().Set(api.RequestIDHeader, id)
		body, err := any(nil), receive(w, r)
		if err == nil {
			d.useAuthSock(r)
			body, err = answer(r)
		}
		stream, streams := body.(stream)
		if streams && err == nil {
			w.Header().Set("Content-Type", "application/x-ndjson")
			err = stream.serve(r.Context(), w, http.NewResponseController(w).Flush)
		}
		log := d.log.With(zap.String("request", id), zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.Duration("took", time.Since(began)))
		switch {
		case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
			log.Debug("The client has left")
			return
		case err != nil:
			log.Log(levelOf(r, err), "Request failed", zap.Error(err))
			if streams {
				panic(http.ErrAbortHandler) // the client is to see that this is not all
			}
			writeError(w, err)
			return
		}
		log.Debug("Request done") // what it has changed is logged as such
		if streams {
			return
		}
		if body == nil {
			body = struct{}{}
		}
		writeJSON(w, http.StatusOK, body)
	})
}

// receive reads the request's body, which must come soon; the answer may take its time.
func receive(w http.ResponseWriter, r *http.Request) error {
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(requestTime)) // a test's answer may have none
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return &api.Error{Kind: api.Invalid, Message: fmt.Sprintf("cannot read the request: %v", err)}
	}
	control.SetReadDeadline(time.Time{}) // not after an error: the rest of the body may never come
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// levelOf is how severe it is that a request failed: for those that only ask there is
// nothing to know, unless it is the daemon's own trouble.
func levelOf(r *http.Request, err error) zapcore.Level {
	var e *api.Error
	if asks(r) && errors.As(err, &e) && e.Kind != api.Internal {
		return zap.DebugLevel
	}
	return zap.WarnLevel
}

// asks reports whether a request changes nothing.
func asks(r *http.Request) bool {
	switch path.Base(r.URL.Path) {
	case "wait", "look", "compare", "explain", "open":
		return r.Method == http.MethodPost
	}
	return r.Method == http.MethodGet
}

// decode reads a request's body into v. A field that is not known is refused: to pass over
// what a client of another version asks for would do something else than it has asked for.
func decode(r *http.Request, v any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err != nil {
		// encoding/json has no type for this error.
		if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
			return unknownField(strings.Trim(field, `"`))
		}
		return &api.Error{Kind: api.Invalid, Message: fmt.Sprintf("cannot understand the request: %v", err)}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return &api.Error{Kind: api.Invalid, Message: "cannot understand the request: something follows the JSON value"}
	}
	if attach, ok := v.(*api.AttachRemote); ok {
		if unknown := attach.Remote.Unknown(); len(unknown) > 0 {
			return unknownField(unknown[0])
		}
	}
	return nil
}

func unknownField(name string) error {
	return &api.Error{Kind: api.Unknown, Message: fmt.Sprintf("the daemon does not know %q in the request", name)}
}

// statusOf are the HTTP status codes of the kinds of errors.
var statusOf = map[api.ErrorKind]int{
	api.Invalid:  http.StatusBadRequest,
	api.NotFound: http.StatusNotFound,
	api.Exists:   http.StatusConflict,
	api.Held:     http.StatusConflict,
	api.Conflict: http.StatusConflict,
	api.Failed:   http.StatusBadGateway,
	api.Internal: http.StatusInternalServerError,
	api.Unknown:  http.StatusNotImplemented,
}

func writeError(w http.ResponseWriter, err error) {
	var e *api.Error
	if !errors.As(err, &e) {
		e = &api.Error{Kind: api.Internal, Message: err.Error()}
	}
	writeJSON(w, statusOf[e.Kind], e)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // a client that is gone needs no answer
}
