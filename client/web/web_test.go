package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wsync/client/live"
	"wsync/daemon/api"
)

// patience is how long something may take that must happen.
const patience = 30 * time.Second

// fakeBackend answers at once, and keeps what it was asked.
type fakeBackend struct {
	updates chan live.Update

	mu    sync.Mutex
	asked []string
}

func (b *fakeBackend) ask(format string, a ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, fmt.Sprintf(format, a...))
}

func (b *fakeBackend) Board(*api.Status, time.Time) live.Board {
	return live.Board{Summary: "all of it", Rows: []live.Row{{
		Workspace: "docs", Remote: "nas", State: "<b>in sync</b>", Held: "h1", Details: func() []string { return []string{"a detail"} },
	}}}
}

func (b *fakeBackend) Follow(ctx context.Context, tell func(live.Update)) error {
	tell(live.Update{Status: &api.Status{}, At: time.Now()})
	for {
		select {
		case <-ctx.Done():
			return nil
		case u, more := <-b.updates:
			if !more {
				return errors.New("there is no such workspace")
			}
			tell(u)
		}
	}
}

func (b *fakeBackend) Events(ctx context.Context, of live.Key, line func(string)) error {
	line("something has happened to " + of.String())
	<-ctx.Done()
	return nil
}

func (b *fakeBackend) Act(_ context.Context, action api.Action, of live.Key, held string) (string, error) {
	b.ask("%s %s %s", action, of, held)
	if action == api.Resync {
		return "", errors.New("it is paused")
	}
	return "it is done", nil
}

func (b *fakeBackend) Held(_ context.Context, of live.Key, out live.Output) error {
	b.ask("held %s", of)
	for i := range mostLines + 5 {
		out.Line(fmt.Sprintf("delete %d", i))
	}
	return nil
}

func (b *fakeBackend) Verify(_ context.Context, of live.Key, out live.Output) error {
	b.ask("verify %s", of)
	out.Progress("1 of 2")
	return errors.New("no route")
}

func (b *fakeBackend) Explain(_ context.Context, of live.Key, path string, out live.Output) error {
	b.ask("explain %s %s", of, path)
	return nil
}

// site is a view that is served, and the links that it gave out.
type site struct {
	t       *testing.T
	backend *fakeBackend
	address string
	client  *http.Client

	mu    sync.Mutex
	links []string
}

func serve(t *testing.T, control bool) *site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, backend: &fakeBackend{updates: make(chan live.Update)}, address: "http://" + listener.Addr().String()}
	s.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ctx, cancel := context.WithCancel(t.Context())
	ended, linked := make(chan error, 1), make(chan bool, 100)
	go func() {
		ended <- Serve(ctx, listener, s.backend, Options{Control: control, Link: func(link string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.links = append(s.links, link)
			linked <- true
		}})
	}()
	<-linked
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	return s
}

// link is the newest link.
func (s *site) link() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[len(s.links)-1]
}

// ask sends a request with some headers, "Name: value".
func (s *site) ask(method, url, body string, headers ...string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	response, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { response.Body.Close() })
	return response
}

// enter lets a browser in, and returns the address of its room and its cookie.
func (s *site) enter() (room, cookie string) {
	s.t.Helper()
	response := s.ask("GET", s.link(), "")
	if response.StatusCode != http.StatusSeeOther || len(response.Cookies()) != 1 {
		s.t.Fatalf("%s, %v", response.Status, response.Header)
	}
	c := response.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != response.Header.Get("Location") || len(c.Path) < 20 {
		s.t.Errorf("the cookie is %v", c)
	}
	return s.address + c.Path, "Cookie: " + c.Name + "=" + c.Value
}

func text(t *testing.T, response *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A link lets one browser in, and nobody else is.
func TestDoor(t *testing.T) {
	s := serve(t, false)
	link := s.link()
	for _, headers := range [][]string{
		{"Host: evil.example:80"}, {"Host: 127.0.0.1.evil.example"}, {"Origin: http://evil.example"}, {"Origin: null"}, {"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: same-site"},
	} {
		if response := s.ask("GET", link, "", headers...); response.StatusCode != http.StatusForbidden || len(response.Cookies()) > 0 {
			t.Errorf("%v: %s", headers, response.Status)
		}
	}
	room, cookie := s.enter() // which the others have not used up
	for _, refused := range []struct {
		url     string
		headers []string
	}{
		{link, nil}, {link, []string{cookie}}, {s.address + "/?token=x", nil}, {s.address, nil}, {room, nil}, {room + "board", nil}, {room, []string{"Cookie: wsync=x"}},
		{room + "board", []string{cookie, "Sec-Fetch-Site: cross-site"}}, {room, []string{cookie, "Host: evil.example"}},
	} {
		if response := s.ask("GET", refused.url, "", refused.headers...); response.StatusCode != http.StatusForbidden || len(response.Cookies()) > 0 {
			t.Errorf("%s %v: %s", refused.url, refused.headers, response.Status)
		}
	}
	for _, headers := range [][]string{{cookie}, {cookie, "Sec-Fetch-Site: same-origin"}, {cookie, "Host: localhost:8384"}, {cookie, "Host: [::1]:1"}} {
		if response := s.ask("GET", room, "", headers...); response.StatusCode != http.StatusOK {
			t.Errorf("%v: %s", headers, response.Status)
		}
	}
	if response := s.ask("GET", s.address+"/", "", cookie); response.StatusCode != http.StatusNotFound {
		t.Errorf("outside of the room: %s", response.Status)
	}
	another, other := s.enter()
	if response := s.ask("GET", another, "", other); response.StatusCode != http.StatusOK {
		t.Errorf("the next one: %s", response.Status)
	}
}

// Only a browser that opens the link uses it up; who just looks at it does not learn whether it is
// good.
func TestLinkIsKept(t *testing.T) {
	s := serve(t, false)
	link := s.link()
	origin := "Origin: " + s.address
	for _, look := range []struct {
		method  string
		headers []string
		want    int
	}{
		{"HEAD", nil, http.StatusMethodNotAllowed},
		{"HEAD", []string{"Sec-Fetch-Mode: navigate"}, http.StatusMethodNotAllowed},
		{"POST", []string{origin}, http.StatusMethodNotAllowed},
		{"OPTIONS", []string{origin}, http.StatusMethodNotAllowed},
		{"GET", []string{"Sec-Purpose: prefetch"}, http.StatusServiceUnavailable},
		{"GET", []string{"Sec-Purpose: prefetch;prerender", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, http.StatusServiceUnavailable},
		{"GET", []string{"Purpose: prefetch"}, http.StatusServiceUnavailable},
		{"GET", []string{"X-Purpose: preview"}, http.StatusServiceUnavailable},
		{"GET", []string{"X-Moz: prefetch"}, http.StatusServiceUnavailable},
		{"GET", []string{"Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, http.StatusServiceUnavailable},
		{"GET", []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, http.StatusServiceUnavailable},
	} {
		for _, url := range []string{link, s.address + "/?token=x"} {
			if response := s.ask(look.method, url, "", look.headers...); response.StatusCode != look.want || len(response.Cookies()) > 0 {
				t.Errorf("%s %s %v: %s", look.method, url, look.headers, response.Status)
			}
		}
	}
	if s.link() != link {
		t.Error("there is another link")
	}
	opens := []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: none", "Sec-Fetch-User: ?1"}
	if response := s.ask("GET", link, "", opens...); response.StatusCode != http.StatusSeeOther || len(response.Cookies()) != 1 {
		t.Errorf("a browser: %s", response.Status)
	}
	if response := s.ask("GET", link, "", opens...); response.StatusCode != http.StatusForbidden || len(response.Cookies()) > 0 {
		t.Errorf("another one: %s", response.Status)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	d := newDoor("")
	first, _ := d.enter(d.token)
	for range mostSessions {
		if _, ok := d.enter(d.token); !ok {
			t.Fatal("refused")
		}
	}
	if d.knows(first) || len(d.sessions) != mostSessions {
		t.Errorf("%d sessions", len(d.sessions))
	}
}

// The page asks for nothing of elsewhere, and may run and show nothing but what is in it.
func TestPage(t *testing.T) {
	s := serve(t, false)
	room, cookie := s.enter()
	response := s.ask("GET", room, "", cookie)
	content := text(t, response)
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	policy := response.Header.Get("Content-Security-Policy")
	if n := strings.Count(policy, "'sha256-"); n != 2 || !strings.HasPrefix(policy, "default-src 'none'; script-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %s", policy)
	}
	if n := len(inline.FindAllString(content, -1)); n != 2 || strings.Count(content, "<script") != 1 || strings.Count(content, "<style") != 1 {
		t.Errorf("%d parts that have a hash", n)
	}
	for _, url := range regexp.MustCompile(`(?:https?:)?//[\w.]+|(?:src|href)=|innerHTML|style="|\son\w+="`).FindAllString(content, -1) {
		if url != "http://www.w3.org" { // a name, which nothing is asked of
			t.Errorf("the page has %s", url)
		}
	}
	if !strings.Contains(content, `data-control="false"`) {
		t.Error("the page thinks that it controls")
	}
	control := serve(t, true)
	room, cookie = control.enter()
	if !strings.Contains(text(t, control.ask("GET", room, "", cookie)), `<body data-control="true">`) {
		t.Error("the page does not know that it controls")
	}
}

// What only shows does nothing, and what is approved is named.
func TestControl(t *testing.T) {
	for _, control := range []bool{false, true} {
		s := serve(t, control)
		room, cookie := s.enter()
		origin := "Origin: " + s.address
		for _, test := range []struct {
			method, path, body string
			headers            []string
			want               int // with control
			says               string
		}{
			{"POST", "act", `{"action":"pause","workspace":"docs","remote":"nas"}`, []string{cookie, origin}, 200, `{"said":"it is done"}`},
			{"POST", "act", `{"action":"approve","workspace":"docs","remote":"nas","held":"h1"}`, []string{cookie, origin}, 200, `{"said":"it is done"}`},
			{"POST", "act", `{"action":"resync","workspace":"docs","remote":"nas"}`, []string{cookie, origin}, 409, "cannot resync docs/nas: it is paused"},
			{"POST", "act", `{"action":"approve","workspace":"docs","remote":"nas"}`, []string{cookie, origin}, 400, "must be named"},
			{"POST", "act", `{"action":"pause","workspace":"docs"}`, []string{cookie, origin}, 400, "for a remote"},
			{"POST", "act", `{"action":"restart","workspace":"docs","remote":"nas"}`, []string{cookie, origin}, 400, "no such action"},
			{"POST", "act", `{`, []string{cookie, origin}, 400, "cannot read"},
			{"GET", "list?kind=held&workspace=docs&remote=nas", "", []string{cookie}, 200, `"and 5 more lines"`},
			{"GET", "list?kind=verify&workspace=docs&remote=nas", "", []string{cookie}, 200, `"error":"no route"`},
		} {
			want := test.want
			if !control {
				want = http.StatusForbidden
			}
			response := s.ask(test.method, room+test.path, test.body, test.headers...)
			if said := text(t, response); response.StatusCode != want || control && !strings.Contains(said, test.says) {
				t.Errorf("control %v: %s %s: %s, ends with %.200s", control, test.path, test.body, response.Status, said[max(len(said)-200, 0):])
			}
		}
		// Another page, or no page, never.
		for _, headers := range [][]string{{cookie}, {cookie, "Origin: http://evil.example"}, {cookie, "Origin: http://127.0.0.1:1"}, {origin}, {cookie, origin, "Sec-Fetch-Site: same-site"}} {
			if response := s.ask("POST", room+"act", `{"action":"pause","workspace":"docs","remote":"nas"}`, headers...); response.StatusCode != http.StatusForbidden {
				t.Errorf("control %v: %v: %s", control, headers, response.Status)
			}
		}
		if response := s.ask("GET", room+"list?kind=explain&workspace=docs&remote=nas&path=a%2Fb", "", cookie); response.StatusCode != http.StatusOK || !strings.Contains(text(t, response), `"end":true`) {
			t.Errorf("explain: %s", response.Status)
		}
		if response := s.ask("GET", room+"list?kind=more", "", cookie); response.StatusCode != http.StatusNotFound {
			t.Errorf("no such list: %s", response.Status)
		}
		want := []string{"pause docs/nas ", "approve docs/nas h1", "resync docs/nas ", "held docs/nas", "verify docs/nas", "explain docs/nas a/b"}
		if !control {
			want = want[5:]
		}
		if s.backend.mu.Lock(); !slices.Equal(s.backend.asked, want) {
			t.Errorf("control %v: asked %q", control, s.backend.asked)
		}
		s.backend.mu.Unlock()
	}
}

// A browser is told of the board, of what changes, and when it is not known any more.
func TestBoardStream(t *testing.T) {
	s := serve(t, false)
	room, cookie := s.enter()
	if got := text(t, s.ask("GET", room+"details?workspace=docs&remote=nas", "", cookie)); got != `{"lines":["a detail"]}`+"\n" {
		t.Errorf("details %s", got)
	}
	if response := s.ask("GET", room+"details?workspace=docs", "", cookie); response.StatusCode != http.StatusNotFound {
		t.Errorf("details of nothing: %s", response.Status)
	}
	events := bufio.NewScanner(s.ask("GET", room+"events?workspace=docs&remote=nas", "", cookie).Body)
	if events.Scan(); events.Text() != `data: {"lines":["something has happened to docs/nas"]}` {
		t.Errorf("events %s", events.Text())
	}
	board := bufio.NewScanner(s.ask("GET", room+"board", "", cookie).Body)
	next := func() (n boardNews) {
		t.Helper()
		for board.Scan() {
			if data, ok := strings.CutPrefix(board.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &n); err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
		t.Fatal("the stream has ended")
		return n
	}
	if n := next(); n.Summary != "all of it" || len(n.Rows) != 1 || len(n.Order) != 1 || n.Stale != "" || !strings.Contains(string(n.Rows[0]), `\u003cb\u003ein sync`) {
		t.Errorf("at first: %+v", n)
	}
	if n := next(); n.Summary != "all of it" || len(n.Rows)+len(n.Order) > 0 {
		t.Errorf("what has not changed: %+v", n)
	}
	s.backend.updates <- live.Update{Err: errors.New("the daemon is not running")}
	if n := next(); !strings.Contains(n.Stale, "not running") {
		t.Errorf("without a daemon: %+v", n)
	}
	close(s.backend.updates)
	for deadline := time.Now().Add(patience); ; {
		if n := next(); n.Ended == "there is no such workspace" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it never ended")
		}
	}
}

// Only what has changed is told.
func TestNews(t *testing.T) {
	row := func(remote, state string) live.Row { return live.Row{Workspace: "w", Remote: remote, State: state} }
	var known told
	for _, step := range []struct {
		rows        []live.Row
		order, told int
	}{
		{[]live.Row{row("a", "x"), row("b", "x")}, 2, 2},
		{[]live.Row{row("a", "x"), row("b", "x")}, 0, 0},
		{[]live.Row{row("a", "x"), row("b", "y")}, 0, 1},
		{[]live.Row{row("b", "y"), row("a", "x")}, 2, 0},
		{[]live.Row{row("b", "y")}, 1, 0},
		{nil, 0, 0},
	} {
		n := known.news(live.Board{Rows: step.rows})
		if step.rows == nil && n.Order == nil {
			t.Error("it is not told that there is nothing any more")
		}
		if len(n.Order) != step.order || len(n.Rows) != step.told {
			t.Errorf("%+v: %d in order, %d rows, want %d, %d", step.rows, len(n.Order), len(n.Rows), step.order, step.told)
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	v := newView(&fakeBackend{}, Options{}, "")
	var ends []func()
	for range mostStreams {
		_, end := v.begin(httptest.NewRecorder())
		ends = append(ends, end)
	}
	w := httptest.NewRecorder()
	if s, _ := v.begin(w); s != nil || w.Code != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", w.Code)
	}
	ends[0]()
	if s, _ := v.begin(httptest.NewRecorder()); s == nil {
		t.Error("refused though one has left")
	}
}
