package worker

import (
	"slices"
	"time"

	"wsync/monitor/remote"

	"go.uber.org/zap"
)

// lookAtHold finds out what the machine wants to know about what is held.
func (w *Worker) lookAtHold(now time.Time) {
	w.mu.Lock()
	look, ok := w.machine.LookAtHold(now)
	w.mu.Unlock()
	if !ok {
		return
	}
	if len(look.Back) > 0 {
		there := w.find(look.Back)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.machine.Returned(look, there, now)
		return
	}
	verdict := look.Judge(w.Carrier.Workspace())
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.machine.Judged(look, verdict, now) {
		w.Log.Warn("Deletions are held", zap.String("reason", verdict.Reason), zap.Int("deletions", look.Deletions.Entries))
	}
}

// find returns those of the paths that exist, with all that is below them, and
// whether each is a directory.
func (w *Worker) find(paths map[string]bool) (there map[string]bool) {
	there = make(map[string]bool)
	for p := range paths {
		w.Carrier.Walk(p, func(name string, dir bool) { there[name] = dir })
	}
	return there
}

// lookAtMounts looks at what is mounted, and returns where something was that is not
// any more, and the turn of the table by which that is so. The caller holds mu.
func (w *Worker) lookAtMounts(now time.Time) (away []string, turn uint64) {
	below, turn := w.Mounts.Now()
	if err := w.memory.Compare(below, turn); err != nil {
		w.Log.Warn("Only this monitor knows of them", zap.Error(err))
	}
	w.machine.SetAway(w.memory.Away, now)
	return w.memory.Away, turn
}

// sameMounts reports whether nothing was mounted or unmounted since turn.
func (w *Worker) sameMounts(turn uint64) bool {
	_, now := w.Mounts.Now()
	return now == turn
}

// forgetMounts forgets what was mounted at paths, and that is not missed any more. The
// caller holds mu.
func (w *Worker) forgetMounts(paths []string) {
	if len(paths) == 0 {
		return
	}
	if err := w.memory.Forget(paths); err != nil {
		w.Log.Warn("It will be asked for again", zap.Error(err))
	}
}

// MountsChanged takes in that something was mounted or unmounted: what is not
// mounted any more is dirty, and a transfer that may have seen half of it ends.
func (w *Worker) MountsChanged(seq uint64, now time.Time) {
	w.mu.Lock()
	before := w.memory.Away
	away, _ := w.lookAtMounts(now)
	added := slices.DeleteFunc(slices.Clone(away), func(path string) bool { return slices.Contains(before, path) })
	w.effects(w.machine.Unmounted(added, seq, now))
	w.mu.Unlock()
	w.poke()
}

// lookForDrift finds out whether somebody else has changed the destination.
func (w *Worker) lookForDrift(look remote.DriftLook) {
	drifted := w.Carrier.Drifted()
	w.mu.Lock()
	pass := w.machine.Looked(look, drifted, w.NextMark(), w.World.Now())
	w.mu.Unlock()
	if pass {
		w.Log.Warn("A full pass follows: somebody else has changed the destination")
	}
	w.poke()
}
