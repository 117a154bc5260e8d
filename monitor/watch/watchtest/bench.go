package watchtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"wsync/monitor/relpath"
	"wsync/monitor/watch"
)

// Bench is a running watcher with its engine.
type Bench struct {
	*Engine
	W watch.Watcher
	// Armed is closed when the tree is armed.
	Armed chan struct{}
	stop  context.CancelFunc
	ended chan error
	n     uint64
}

// Start makes a watcher of root, runs it until the test ends, and waits until it is
// armed. prepare, if it is set, is called before.
func Start(t testing.TB, create New, root string, opts watch.Options, prepare func(*Engine)) *Bench {
	t.Helper()
	if opts.CookieDir == "" {
		opts.CookieDir = t.TempDir()
	}
	e := NewEngine(t, root)
	if prepare != nil {
		prepare(e)
	}
	if e.Depths != nil {
		opts.Enter = e.Depths.Enter
	}
	w, err := create(root, opts, e)
	if err != nil {
		t.Fatal(err)
	}
	b := Launch(t, w, e)
	b.AwaitArmed()
	return b
}

// Launch runs a watcher until the test ends.
func Launch(t testing.TB, w watch.Watcher, e *Engine) *Bench {
	ctx, cancel := context.WithCancel(context.Background())
	b := &Bench{Engine: e, W: w, Armed: make(chan struct{}), stop: cancel, ended: make(chan error, 1)}
	go func() { b.ended <- w.Run(ctx, func() { close(b.Armed) }) }()
	t.Cleanup(b.End)
	return b
}

// AwaitArmed waits until the tree is armed, and has the mirror begin with it.
func (b *Bench) AwaitArmed() {
	b.T.Helper()
	select {
	case <-b.Armed:
	case err := <-b.ended:
		b.ended <- err
		b.T.Fatalf("Run: %v", err)
	case <-time.After(Patience):
		b.T.Fatal("waited in vain for the tree to be armed")
	}
	// The full pass that a receiver begins with.
	b.LookAll("")
}

// End stops the watcher and waits for Run to return.
func (b *Bench) End() {
	b.stop()
	select {
	case err := <-b.ended:
		if err != nil && !errors.Is(err, context.Canceled) {
			b.T.Errorf("Run: %v", err)
		}
		b.ended <- nil
	case <-time.After(Patience):
		b.T.Errorf("Run does not return")
	}
}

// Sync waits until all changes made so far have been reported.
func (b *Bench) Sync() {
	b.T.Helper()
	b.n++
	b.W.Barrier(b.n)
	b.Await(fmt.Sprintf("barrier %d", b.n), func() bool { return b.Answered() >= b.n })
}

// Verify requires the mirror to equal the disk and every directory to be heard.
func (b *Bench) Verify() {
	b.T.Helper()
	b.Sync()
	if !b.W.Stats().Lossless {
		// The full pass that follows a burst.
		b.LookAll("")
	}
	if d := b.Difference(); d != "" {
		b.T.Fatalf("the mirror differs from the disk:\n%s\nthe last calls:\n%s", d, b.Tail())
	}
	b.probe()
	if b.Depths != nil {
		b.verifyDepths()
	}
}

// probe puts a file into every directory and requires each to be reported. A
// watcher that is not lossless may need to be asked again.
func (b *Bench) probe() {
	b.T.Helper()
	var probes []string
	b.Walk("", func(path string, f Facts) {
		if f.Mode.IsDir() && b.Depths.of(path) != watch.Nothing {
			probes = append(probes, relpath.Join(path, ".probe"))
		}
	})
	deadline := time.Now().Add(Patience)
	for {
		b.Forget()
		for _, p := range probes {
			err := os.WriteFile(b.Abs(p), nil, 0o600)
			if err != nil && !errors.Is(err, fs.ErrPermission) {
				b.T.Fatal(err)
			}
		}
		b.Sync()
		var deaf []string
		for _, p := range probes {
			err := os.Remove(b.Abs(p))
			if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
				b.T.Fatal(err)
			}
			if b.Said(p) == 0 && err == nil {
				deaf = append(deaf, relpath.Parent(p))
			}
		}
		b.Sync()
		if len(deaf) == 0 {
			return
		}
		if b.W.Stats().Lossless || time.Now().After(deadline) {
			b.T.Fatalf("%d of %d directories are deaf: %q\nthe last calls:\n%s", len(deaf), len(probes), deaf[:min(10, len(deaf))], b.Tail())
		}
	}
}
