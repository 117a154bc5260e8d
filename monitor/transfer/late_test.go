package transfer

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/remote"
	"wsync/monitor/watch"
)

// What a flight that broke was for is compared once more when nothing of it can
// arrive any more, and not before.
func TestLateRequestsAreRepaired(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	write(t, b.src, "d/f") // where no look at the destination itself shows it
	b.pass()
	b.drain()
	broke := b.now
	b.change(watch.Content, "d/f")
	s := b.Send(noRepositories{}, b.seq, true, broke.Add(time.Second))
	broke = broke.Add(time.Second)
	late := []*dirty.Entry{{Path: "d/f", Change: watch.Content, Seq: 1, Since: broke}}
	b.End(s, remote.Outcome{Failure: &remote.Failure{Kind: remote.Canceled}, Late: late}, nil, broke).Marked()
	for range 5 { // the pass that follows, and the confirmations
		b.begin(broke.Add(10 * time.Second))
	}
	if step, at := b.Next(broke.Add(10*time.Second), nil); step != remote.Sleep || !at.Equal(broke.Add(remote.LateTime)) {
		t.Errorf("it is due after %v", at.Sub(broke))
	}
	check(t, os.Remove(filepath.Join(b.dst, "d/f"))) // as a request that is late does
	for _, step := range []struct {
		after time.Duration
		there bool
	}{{remote.LateTime - 1, false}, {remote.LateTime, true}} {
		b.begin(broke.Add(step.after))
		if there := exists(filepath.Join(b.dst, "d/f")); there != step.there {
			t.Errorf("after %v the file is there: %v", step.after, there)
		}
	}
	b.equal()
	if step, at := b.Next(broke.Add(remote.LateTime), nil); step != remote.Sleep || at.Before(broke.Add(10*remote.LateTime)) {
		t.Errorf("something is due again after %v", at.Sub(broke))
	}
}
