// Package client asks the daemon: a method per route of package api, over the
// daemon's unix socket.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"wsync/daemon/api"
)

// ErrNoDaemon is the error of a request that found no daemon at the socket.
var ErrNoDaemon = errors.New("the daemon is not running")

// answerTimeout bounds a request that the daemon answers from memory. Far more
// than it needs, far less than a person waits for a daemon that hangs.
const answerTimeout = 30 * time.Second

// Client talks to the daemon at Socket. Every error of its methods is an
// *api.Error when the daemon refused, and ErrNoDaemon when there is none.
type Client struct {
	// Socket is the path of the daemon's socket, and Lock that of its lock file,
	// which has the pid of one that does not answer.
	Socket, Lock string
	// AuthSock is the socket of the caller's ssh agent, "" for none. It goes
	// along with every request, so that the daemon's ssh finds the agent of
	// the newest login.
	AuthSock string
	// Version is that of the caller. An error that may come from a daemon of another version
	// is an *OtherVersionError; with "" none is.
	Version string
}

// do sends one request and decodes the answer into answer, which may be nil. A
// timeout of 0 leaves the bound to ctx.
func (c *Client) do(ctx context.Context, timeout time.Duration, method, path string, query url.Values, body, answer any) error {
	return c.ask(ctx, timeout, method, path, query, body, func(ctx context.Context, response io.Reader) error {
		if answer == nil {
			return nil
		}
		if err := json.NewDecoder(response).Decode(answer); err != nil {
			return fmt.Errorf("cannot read the daemon's answer: %w", c.requestError(ctx, err))
		}
		return nil
	})
}

// ask is do that has read read the answer.
func (c *Client) ask(ctx context.Context, timeout time.Duration, method, path string, query url.Values, body any, read func(ctx context.Context, response io.Reader) error) error {
	if timeout > 0 {
		var cancel context.CancelFunc
		late := &NoAnswerError{After: timeout, Change: method != http.MethodGet && path != api.WaitPath}
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, late)
		defer cancel()
	}
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("cannot encode the request: %w", err)
		}
		content = bytes.NewReader(encoded)
	}
	target := "http://wsync" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return fmt.Errorf("cannot make the request: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.AuthSock != "" {
		request.Header.Set(api.AuthSockHeader, c.AuthSock)
	}
	// A command makes a handful of requests: connections are not worth keeping.
	transport := &http.Transport{DialContext: c.dial, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return c.requestError(ctx, err)
	}
	defer response.Body.Close()
	daemon := response.Header.Get(api.VersionHeader)
	if response.StatusCode/100 != 2 {
		return c.ofVersions(daemon, refusal(response))
	}
	return c.ofVersions(daemon, read(ctx, response.Body))
}

// dial connects to the daemon's socket.
func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	connection, err := new(net.Dialer).DialContext(ctx, "unix", c.Socket)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNoDaemon
	}
	return connection, err
}

// requestError strips the method and the URL, which mean nothing to a user,
// and says why a context ended.
func (c *Client) requestError(ctx context.Context, err error) error {
	var late *NoAnswerError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled // whatever the signal was
	case errors.As(context.Cause(ctx), &late):
		late.PID = holder(c.Lock)
		return late
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	// A daemon that ends closes its connections before it removes its socket.
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("%w: it ended before it had answered", ErrNoDaemon)
	}
	return err
}

// refusal turns a response that is not a success into an *api.Error.
func refusal(response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("cannot read the daemon's answer: %w", err)
	}
	refused := new(api.Error)
	if json.Unmarshal(body, refused) == nil && refused.Message != "" {
		return refused
	}
	message := strings.TrimSpace(string(body))
	if message == "" {
		message = response.Status
	}
	return &api.Error{Kind: api.Internal, Message: "unexpected answer of the daemon: " + message}
}
