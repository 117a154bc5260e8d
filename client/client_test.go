package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
)

// serve starts a server on a unix socket and returns a client for it.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	// Not t.TempDir: the names of tests make its path too long for a socket.
	directory, err := os.MkdirTemp("", "wsync")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	socket := filepath.Join(directory, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
	return &Client{Socket: socket, AuthSock: "/agent"}
}

func TestRequests(t *testing.T) {
	remote, err := config.ParseDestination("nas:/backup")
	if err != nil {
		t.Fatal(err)
	}
	remote.Name = "r"
	tests := []struct {
		name    string
		ask     func(context.Context, *Client) (any, error)
		request string
		body    string
		answer  string
		want    any
	}{
		{
			"status", func(ctx context.Context, c *Client) (any, error) { return c.Status(ctx, "", "", 0) },
			"GET /v1/status", "", `{"daemon":{"pid":7},"revision":3}`,
			&api.Status{Daemon: api.DaemonStatus{PID: 7}, Revision: 3},
		},
		{
			"newer status of one", func(ctx context.Context, c *Client) (any, error) { return c.Status(ctx, "w", "r", 3) },
			"GET /v1/status?after=3&remote=r&workspace=w", "", `{"revision":4}`,
			&api.Status{Revision: 4},
		},
		{
			"workspaces", func(ctx context.Context, c *Client) (any, error) { return c.Workspaces(ctx) },
			"GET /v1/workspaces", "", `[{"name":"w","local_path":"/p"}]`,
			[]config.Workspace{{Name: "w", LocalPath: "/p"}},
		},
		{
			"stop", func(ctx context.Context, c *Client) (any, error) { return nil, c.Stop(ctx) },
			"POST /v1/stop", "", "", nil,
		},
		{
			"add", func(ctx context.Context, c *Client) (any, error) {
				return c.AddWorkspace(ctx, api.AddWorkspace{Name: "w", LocalPath: "/p", OnEmpty: "allow", SkipGit: true})
			},
			"POST /v1/workspaces", `{"name":"w","local_path":"/p","on_empty":"allow","skip_git":true}`, `{"monitor":{"state":"stopped"}}`,
			&api.WorkspaceStatus{Monitor: api.MonitorStatus{State: "stopped"}},
		},
		{
			"change ignore", func(ctx context.Context, c *Client) (any, error) {
				off := false
				return c.ChangeIgnore(ctx, "w", api.ChangeIgnore{Ignore: []string{"*.o", "!a"}, GitIgnore: &off})
			},
			"POST /v1/workspaces/w/ignore", `{"ignore":["*.o","!a"],"gitignore":false}`, `{"monitor":{"state":"running"}}`,
			&api.WorkspaceStatus{Monitor: api.MonitorStatus{State: "running"}},
		},
		{
			"workspace", func(ctx context.Context, c *Client) (any, error) { return c.Workspace(ctx, "w") },
			"GET /v1/workspaces/w", "", `{"monitor":{"state":"running"}}`,
			&api.WorkspaceStatus{Monitor: api.MonitorStatus{State: "running"}},
		},
		{
			"a name that needs quoting", func(ctx context.Context, c *Client) (any, error) { return nil, c.RemoveWorkspace(ctx, "a/b ?") },
			"DELETE /v1/workspaces/a%2Fb%20%3F", "", "", nil,
		},
		{
			"attach", func(ctx context.Context, c *Client) (any, error) {
				return c.Attach(ctx, "w", api.AttachRemote{Remote: remote, DeleteExisting: true})
			},
			"POST /v1/workspaces/w/remotes",
			`{"remote":{"name":"r","remote_path":"/backup","connection_info":{"HostAlias":{"host_alias":"nas"}}},"delete_existing":true}`,
			`{}`, &api.WorkspaceStatus{},
		},
		{
			"detach", func(ctx context.Context, c *Client) (any, error) { return nil, c.Detach(ctx, "w", "r") },
			"DELETE /v1/workspaces/w/remotes/r", "", "", nil,
		},
		{
			"action", func(ctx context.Context, c *Client) (any, error) { return c.Act(ctx, api.Pause, "w", "") },
			"POST /v1/workspaces/w/pause", "", `{}`, &api.WorkspaceStatus{},
		},
		{
			"action on a remote", func(ctx context.Context, c *Client) (any, error) { return c.Act(ctx, api.Approve, "w", "r") },
			"POST /v1/workspaces/w/approve?remote=r", "", `{"approved":[{"remote":"r"}]}`, &api.WorkspaceStatus{Approved: []api.Approved{{Remote: "r"}}},
		},
		{
			"approval of what was shown", func(ctx context.Context, c *Client) (any, error) { return c.ApproveHeld(ctx, "w", "r", "h1") },
			"POST /v1/workspaces/w/approve?held=h1&remote=r", "", `{}`, &api.WorkspaceStatus{},
		},
		{
			"action on all", func(ctx context.Context, c *Client) (any, error) { return c.ActAll(ctx, api.Approve) },
			"POST /v1/actions/approve", "", `{"done":[],"refused":[{"workspace":"w","error":{"kind":"held","message":"m"}}]}`,
			&api.Acted{Done: []api.WorkspaceStatus{}, Refused: []api.Refused{{Workspace: "w", Error: &api.Error{Kind: api.Held, Message: "m"}}}},
		},
		{
			"path", func(ctx context.Context, c *Client) (any, error) {
				return c.SetPath(ctx, "w", api.SetPath{LocalPath: "/p"})
			},
			"POST /v1/workspaces/w/path", `{"local_path":"/p"}`, `{"notes":["n"]}`, &api.WorkspaceStatus{Notes: []string{"n"}},
		},
		{
			"move", func(ctx context.Context, c *Client) (any, error) {
				return c.Move(ctx, "w", "r", api.AttachRemote{Remote: remote, DeleteExisting: true})
			},
			"POST /v1/workspaces/w/remotes/r/destination",
			`{"remote":{"name":"r","remote_path":"/backup","connection_info":{"HostAlias":{"host_alias":"nas"}}},"delete_existing":true}`,
			`{}`, &api.WorkspaceStatus{},
		},
		{
			"rename", func(ctx context.Context, c *Client) (any, error) {
				return nil, c.Rename(ctx, "w", api.Rename{Remote: "r", New: "s"})
			},
			"POST /v1/workspaces/w/rename", `{"remote":"r","new":"s"}`, "", nil,
		},
		{
			"wait", func(ctx context.Context, c *Client) (any, error) {
				return c.Wait(ctx, api.Wait{Workspace: "w", Remote: "r", Timeout: time.Second})
			},
			"POST /v1/wait", `{"workspace":"w","remote":"r","timeout":1000000000}`, `{"in_sync":true}`,
			&api.WaitResult{InSync: true},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var request, body, authSock string
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				content, _ := io.ReadAll(r.Body)
				request, body, authSock = r.Method+" "+r.RequestURI, string(content), r.Header.Get(api.AuthSockHeader)
				io.WriteString(w, test.answer)
			})
			got, err := test.ask(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if request != test.request {
				t.Errorf("request %q, want %q", request, test.request)
			}
			if body != test.body {
				t.Errorf("body %s, want %s", body, test.body)
			}
			if authSock != "/agent" {
				t.Errorf("%s: %q, want /agent", api.AuthSockHeader, authSock)
			}
			if got, want := encode(t, got), encode(t, test.want); got != want {
				t.Errorf("answer %s, want %s", got, want)
			}
		})
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   api.Error
	}{
		{"typed", 404, `{"kind":"not found","message":"there is no workspace x","hint":"wsync list"}`, api.Error{Kind: api.NotFound, Message: "there is no workspace x", Hint: "wsync list"}},
		{"held", 409, `{"kind":"held","message":"m"}`, api.Error{Kind: api.Held, Message: "m"}},
		{"not from the daemon", 502, "bad gateway\n", api.Error{Kind: api.Internal, Message: "unexpected answer of the daemon: bad gateway"}},
		{"empty", 500, "", api.Error{Kind: api.Internal, Message: "unexpected answer of the daemon: 500 Internal Server Error"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			})
			var refused *api.Error
			if err := c.Stop(t.Context()); !errors.As(err, &refused) || *refused != test.want {
				t.Errorf("error %#v, want %#v", err, test.want)
			}
		})
	}
}

func TestNoDaemon(t *testing.T) {
	t.Run("no socket", func(t *testing.T) {
		c := &Client{Socket: filepath.Join(t.TempDir(), "none")}
		if err := c.Stop(t.Context()); !errors.Is(err, ErrNoDaemon) || err.Error() != "the daemon is not running" {
			t.Errorf("error %v, want ErrNoDaemon alone", err)
		}
	})
	t.Run("a socket that nobody listens on", func(t *testing.T) {
		socket := filepath.Join(t.TempDir(), "dead")
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
		if err != nil {
			t.Fatal(err)
		}
		listener.SetUnlinkOnClose(false)
		listener.Close()
		if err := (&Client{Socket: socket}).Stop(t.Context()); !errors.Is(err, ErrNoDaemon) {
			t.Errorf("error %v, want ErrNoDaemon", err)
		}
	})
	t.Run("ends before it answers", func(t *testing.T) {
		c := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		if err := c.Stop(t.Context()); !errors.Is(err, ErrNoDaemon) {
			t.Errorf("error %v, want ErrNoDaemon", err)
		}
	})
}

func TestContext(t *testing.T) {
	asked := make(chan struct{})
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // or the server would not notice the end of the connection
		asked <- struct{}{}
		<-r.Context().Done()
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { <-asked; cancel(errors.New("a signal")) }()
		if _, err := c.Wait(ctx, api.Wait{}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
	})
	t.Run("timeout", func(t *testing.T) {
		c.Lock = filepath.Join(t.TempDir(), "lock")
		for _, test := range []struct{ method, path, lock, want string }{
			{http.MethodGet, api.StatusPath, "", "the daemon has not answered for 10ms"},
			{http.MethodPost, api.WaitPath, "no pid", "the daemon has not answered for 10ms"},
			{http.MethodPost, api.StopPath, "123\n", "the daemon has not answered for 10ms, and may still do it"},
		} {
			if test.lock != "" {
				if err := os.WriteFile(c.Lock, []byte(test.lock), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			go func() { <-asked }()
			err := c.do(t.Context(), 10*time.Millisecond, test.method, test.path, nil, nil, nil)
			var late *NoAnswerError
			if !errors.As(err, &late) || err.Error() != test.want || (late.PID == 123) != (test.path == api.StopPath) {
				t.Errorf("%s: error %#v, want %s", test.path, err, test.want)
			}
		}
	})
}
