package screen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"wsync/client/live"
	"wsync/daemon/api"
	"wsync/monitor/remotetest"
)

// patience is how long something may take that must happen.
const patience = 30 * time.Second

// fakeBackend answers at once, and keeps what it was asked.
type fakeBackend struct {
	gone chan error // what following ends with

	mu    sync.Mutex
	asked []string
}

func (b *fakeBackend) ask(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, what)
}

func (b *fakeBackend) Board(*api.Status, time.Time) live.Board {
	return live.Board{Summary: "all of it", Rows: someRows()}
}

func (b *fakeBackend) Follow(ctx context.Context, tell func(live.Update)) error {
	tell(live.Update{Status: &api.Status{}, At: time.Now()})
	select {
	case <-ctx.Done():
		return nil
	case err := <-b.gone:
		return err
	}
}

func (b *fakeBackend) Events(ctx context.Context, of live.Key, line func(string)) error {
	line("something has happened to " + of.String())
	<-ctx.Done()
	return nil
}

func (b *fakeBackend) Act(_ context.Context, action api.Action, of live.Key, held string) (string, error) {
	b.ask(string(action) + " " + of.String() + " " + held)
	return "it is done", nil
}

func (b *fakeBackend) Held(_ context.Context, of live.Key, out live.Output) error {
	out.Line("delete  the-file")
	return nil
}

func (b *fakeBackend) Verify(context.Context, live.Key, live.Output) error { return nil }

func (b *fakeBackend) Explain(context.Context, live.Key, string, live.Output) error { return nil }

// terminal is what a view has written.
type terminal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *terminal) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// written is all of it.
func (w *terminal) written() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// awaits waits until a text was written.
func (w *terminal) awaits(t *testing.T, text string) {
	t.Helper()
	remotetest.PollFor(t, fmt.Sprintf("%q to be written", text), w.written, func(written string) bool { return strings.Contains(written, text) })
}

// What is pressed on a terminal is done, and what comes of it is shown.
func TestRun(t *testing.T) {
	b, out := &fakeBackend{gone: make(chan error)}, new(terminal)
	in, keys := io.Pipe()
	ended := make(chan error, 1)
	begin := func(ctx context.Context) {
		go func() {
			ended <- run(ctx, b, &api.Status{}, Options{Unicode: true}, tea.WithInput(in), tea.WithOutput(out), tea.WithWindowSize(80, 24))
		}()
	}
	expectEnd := func(want error) {
		t.Helper()
		select {
		case err := <-ended:
			if !errors.Is(err, want) {
				t.Errorf("it ended with %v, expected %v", err, want)
			}
		case <-time.After(patience):
			t.Fatal("it never ended")
		}
	}
	begin(t.Context())
	out.awaits(t, "something has happened to docs/nas")
	io.WriteString(keys, "a")
	out.awaits(t, "the-file")
	out.awaits(t, "let all of this happen")
	io.WriteString(keys, "y")
	out.awaits(t, "it is done")
	if len(b.asked) != 1 || b.asked[0] != "approve docs/nas h1" {
		t.Errorf("asked %q", b.asked)
	}
	io.WriteString(keys, "q")
	expectEnd(nil)

	removed := errors.New("there is no such workspace")
	begin(t.Context())
	b.gone <- removed
	expectEnd(removed)

	ctx, cancel := context.WithCancel(t.Context())
	begin(ctx)
	cancel()
	expectEnd(nil)
}
