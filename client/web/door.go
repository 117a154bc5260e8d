package web

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"sync"
)

// A door lets browsers in. A port of this machine is open to all of its users, and to all
// pages that its browsers show.
type door struct {
	address string
	// room is the path that all is below. Cookies are for all ports of a machine: as nobody
	// else knows this path, no other server there is sent the cookie.
	room string

	mu       sync.Mutex
	token    string
	sessions []string // the newest last
}

const (
	cookieName = "wsync"
	// mostSessions is how many browsers are in at most; the first is forgotten then.
	mostSessions = 100
)

func newDoor(address string) *door {
	return &door{address: address, room: "/" + rand.Text() + "/", token: rand.Text()}
}

// link lets one browser in.
func (d *door) link() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.address + "/?token=" + d.token
}

// enter makes a session for whoever has the token, which is another one from then on.
func (d *door) enter(token string) (session string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !same(token, d.token) {
		return "", false
	}
	session, d.token = rand.Text(), rand.Text()
	d.sessions = append(d.sessions, session)
	if len(d.sessions) > mostSessions {
		d.sessions = d.sessions[1:]
	}
	return session, true
}

// knows reports whether a session is one that was made.
func (d *door) knows(session string) (known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sessions {
		known = same(s, session) || known
	}
	return known
}

// same compares secrets, in a time that tells nothing of them.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// navigates reports whether a GET request is one of a browser that is to show what comes, as far as
// that can be told: no look at what a link leads to, by whoever shows a preview of it or fetches it
// ahead.
func navigates(r *http.Request) bool {
	for _, ahead := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} { // each has "prefetch" and the like
		if len(r.Header.Values(ahead)) > 0 {
			return false
		}
	}
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest") // "" without a browser, or in an old one
	return (mode == "" || mode == "navigate") && (dest == "" || dest == "document")
}

// suspicion says why a request is none of our page, or of a person who follows the link; "" if
// it may be. A name that is not this machine's own is one that somebody else lets point here.
// The port may be another one, which ssh passes on.
func suspicion(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if host != "127.0.0.1" && host != "localhost" && host != "::1" && host != "[::1]" {
		return "this is for 127.0.0.1 and localhost only"
	}
	origin := r.Header.Get("Origin")
	if origin != "" && origin != "http://"+r.Host || origin == "" && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "this comes from another page"
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return "this comes from another page"
	}
	return ""
}
