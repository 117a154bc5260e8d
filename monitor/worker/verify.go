package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"go.uber.org/zap"

	"wsync/monitor/remote"
	"wsync/monitor/report"
)

// Turns let one of the workers of a workspace verify in the background at a time. The zero
// value is ready.
type Turns struct {
	mu      sync.Mutex
	has     *Worker   // guarded by mu
	waiting []*Worker // guarded by mu
}

// take gives the turn to a worker, and reports whether it has it. Otherwise it is told when
// the turn is free.
func (t *Turns) take(w *Worker) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.has == nil {
		t.has = w
	}
	if t.has != w && !slices.Contains(t.waiting, w) {
		t.waiting = append(t.waiting, w)
	}
	return t.has == w
}

// release takes the turn back from a worker, if it has it or waits for it.
func (t *Turns) release(w *Worker) {
	t.mu.Lock()
	t.waiting = slices.DeleteFunc(t.waiting, func(other *Worker) bool { return other == w })
	var free []*Worker
	if t.has == w {
		t.has, free, t.waiting = nil, t.waiting, nil
	}
	t.mu.Unlock()
	for _, other := range free {
		other.tell((*remote.Machine).TurnFree)
	}
}

// A file beside the stamp remembers what was verified, and when that is due again.
func verifyPath(stamp string) string { return stamp + ".verify" }

// verifyFile is what is in it: of the remote with an identity.
type verifyFile struct {
	Remote string `json:"remote"`
	remote.VerifyState
}

// readVerify returns what is remembered of a remote. What cannot be read, or is about one
// that was detached, is not known.
func readVerify(world World, stamp, id string) remote.VerifyState {
	var file verifyFile
	data, err := world.Read(verifyPath(stamp))
	if err != nil || json.Unmarshal(data, &file) != nil || file.Remote != id {
		return remote.VerifyState{}
	}
	return file.VerifyState
}

// writeVerify replaces what is remembered.
func writeVerify(world World, stamp, id string, s remote.VerifyState) error {
	data, err := json.Marshal(verifyFile{id, s})
	if err != nil {
		return fmt.Errorf("cannot remember what was verified: %w", err)
	}
	if err = world.Write(verifyPath(stamp), data); err != nil && !errors.Is(err, fs.ErrNotExist) { // the workspace was removed
		return fmt.Errorf("cannot remember what was verified: %w", err)
	}
	return nil
}

// rememberVerify has the next monitor know what was verified. The caller holds mu.
func (w *Worker) rememberVerify(leaving bool) {
	s, ok := w.machine.SaveVerify(leaving, w.World.Now())
	if !ok {
		return
	}
	if err := writeVerify(w.World, w.Stamp, w.machine.Remote().ID, s); err != nil {
		w.Log.Warn("Only this monitor knows", zap.Error(err))
	}
}

// tellVerified tells of a part of a comparison that is complete, and of v, the last
// verification.
func (w *Worker) tellVerified(f *flight, p *remote.Part, v report.Verification) {
	for _, e := range remote.PartEvents(f.Order, p, v, w.World.Now()) {
		w.Happened(e)
	}
	for _, d := range p.Found {
		w.Log.Warn("A difference was found", zap.String("path", d.Path), zap.String("kind", string(d.Kind)),
			zap.String("state", string(d.State)), zap.Bool("background", f.Order.Position != nil))
	}
	if p.Last {
		w.Log.Info("Verified", zap.Int("files", v.Files), zap.Int64("bytes", v.Bytes), zap.Int("differences", v.Differences),
			zap.Int("repaired", v.Repaired), zap.Bool("background", v.Background), zap.Duration("took", v.Ended.Sub(v.Began)))
	}
}
