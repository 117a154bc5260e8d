// Package web is the live view of the status in a browser: one page, and what it asks for, on
// a port of this machine that lets in who has the link.
package web

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"wsync/client/live"
)

// Options are what a view may do, and whom it tells.
type Options struct {
	// Control: what is asked for in the browser is done. Otherwise it only shows.
	Control bool
	// Link is called with a link that lets one browser in, and with the next one as soon as
	// that was used.
	Link func(link string)
}

// Serve shows the status to browsers that come to a listener, until ctx is done.
func Serve(ctx context.Context, listener net.Listener, backend live.Backend, o Options) error {
	v := newView(backend, o, "http://"+listener.Addr().String())
	server := &http.Server{
		Handler: v, BaseContext: func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	o.Link(v.door.link())
	if err := server.Serve(listener); ctx.Err() == nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

//go:embed page.html
var page string

// view answers browsers.
type view struct {
	backend live.Backend
	options Options
	door    *door
	policy  string // Content-Security-Policy
	routes  *http.ServeMux

	mu      sync.Mutex
	streams int
}

// inline are the parts of the page that a browser may run, or style it with, because their
// hashes are in the policy.
var inline = regexp.MustCompile(`(?s)<(script|style)>(.*?)</(?:script|style)>`)

func newView(backend live.Backend, o Options, address string) *view {
	v := &view{backend: backend, options: o, door: newDoor(address), routes: http.NewServeMux()}
	hashes := map[string]string{}
	for _, part := range inline.FindAllStringSubmatch(page, -1) {
		sum := sha256.Sum256([]byte(part[2]))
		hashes[part[1]] = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	v.policy = fmt.Sprintf("default-src 'none'; script-src %s; style-src %s; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		hashes["script"], hashes["style"])
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET {$}": v.servePage, "GET board": v.serveBoard, "GET details": v.serveDetails,
		"GET events": v.serveEvents, "GET list": v.serveList, "POST act": v.serveAct,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		v.routes.HandleFunc(method+" "+v.door.room+path, serve)
	}
	return v
}

// ServeHTTP implements http.Handler.
func (v *view) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range map[string]string{
		"Content-Security-Policy": v.policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		w.Header().Set(name, value)
	}
	if why := suspicion(r); why != "" {
		http.Error(w, why, http.StatusForbidden)
		return
	}
	if token := r.URL.Query().Get("token"); r.URL.Path == "/" && token != "" {
		v.enter(w, r, token)
		return
	}
	if cookie, err := r.Cookie(cookieName); err != nil || !v.door.knows(cookie.Value) {
		http.Error(w, notIn, http.StatusForbidden)
		return
	}
	v.routes.ServeHTTP(w, r)
}

const notIn = "This needs the link that wsync web has printed. Each link lets one browser in, once; the next one is printed then."

const notShown = "This is for a browser that opens the link, and for no look at it ahead."

// enter lets a browser in whose link is good. What does not navigate there uses no link up, and
// does not learn whether it is good.
func (v *view) enter(w http.ResponseWriter, r *http.Request, token string) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, notShown, http.StatusMethodNotAllowed)
		return
	}
	if !navigates(r) {
		http.Error(w, notShown, http.StatusServiceUnavailable) // with which browsers drop what they fetched ahead
		return
	}
	session, ok := v.door.enter(token)
	if !ok {
		http.Error(w, notIn, http.StatusForbidden)
		return
	}
	v.options.Link(v.door.link())
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: session, Path: v.door.room, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, v.door.room, http.StatusSeeOther)
}

func (v *view) servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	control := "false"
	if v.options.Control {
		control = "true"
	}
	_, _ = w.Write([]byte(strings.Replace(page, `data-control="false"`, `data-control="`+control+`"`, 1)))
}

// answer answers with JSON.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// failure is the answer to what cannot be done.
type failure struct {
	Error string `json:"error"`
}
