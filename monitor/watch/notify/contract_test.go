package notify

import (
	"testing"
	"time"

	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
	"wsync/monitor/watch/watchtest"
)

func create(root string, opts watch.Options, sink watch.Sink) (watch.Watcher, error) {
	return New(root, opts, sink)
}

// createQuick makes watchers that look at the root often.
func createQuick(root string, opts watch.Options, sink watch.Sink) (watch.Watcher, error) {
	w, err := New(root, opts, sink)
	if err == nil {
		w.root.LookEvery(10 * time.Millisecond)
	}
	return w, err
}

func TestMain(m *testing.M) { watchtest.Main(m) }

func long(t *testing.T) { remotetest.Long(t, testing.Short()) }

func TestContract(t *testing.T)               { long(t); watchtest.Contract(t, create, watch.Options{}) }
func TestChurn(t *testing.T)                  { watchtest.Churn(t, create) }
func TestDepthContract(t *testing.T)          { long(t); watchtest.DepthContract(t, create, watch.Options{}) }
func TestDepthsFromTheStart(t *testing.T)     { watchtest.DepthsFromTheStart(t, create) }
func TestDepthChurn(t *testing.T)             { long(t); watchtest.DepthChurn(t, create) }
func TestLookBeforeRun(t *testing.T)          { watchtest.LookBeforeRun(t, create) }
func TestLookTogether(t *testing.T)           { watchtest.LookTogether(t, create) }
func TestLookByTheSink(t *testing.T)          { watchtest.LookByTheSink(t, create) }
func TestBarrierBeforeRun(t *testing.T)       { watchtest.BarrierBeforeRun(t, create) }
func TestRootBehindLink(t *testing.T)         { watchtest.RootBehindLink(t, createQuick) }
func TestRoot(t *testing.T)                   { watchtest.RootGone(t, createQuick) }
func TestRootMissing(t *testing.T)            { watchtest.RootMissing(t, createQuick) }
func TestBarrierLooksForTheRoot(t *testing.T) { watchtest.BarrierLooksForTheRoot(t, create) }
