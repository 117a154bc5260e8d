package worker

import (
	"context"

	"wsync/monitor/report"
)

// A trial finds out whether the remote can be served with other options. It goes beside all
// else, and the account of the remote knows nothing of it.

// trial is one that somebody waits for.
type trial struct {
	report.Trial
	// cancel ends it; nil before it has begun. end is how it ended, nil before.
	cancel context.CancelFunc
	end    *report.TrialStatus
}

// defineTrials takes in which trials somebody waits for. The caller holds mu.
func (w *Worker) defineTrials(wanted []report.Trial) {
	trials := make(map[string]*trial, len(wanted))
	for _, t := range wanted {
		if trials[t.ID] = w.trials[t.ID]; trials[t.ID] == nil {
			trials[t.ID] = &trial{Trial: t}
		}
	}
	for id, t := range w.trials {
		if trials[id] == nil && t.cancel != nil {
			t.cancel()
		}
	}
	w.trials = trials
}

// beginTrials begins those that have not begun. The caller holds mu.
func (w *Worker) beginTrials(ctx context.Context) {
	for _, t := range w.trials {
		if t.cancel != nil {
			continue
		}
		trying, cancel := context.WithCancel(ctx)
		t.cancel = cancel
		w.goes(func() {
			defer cancel()
			end := w.tryOne(trying, t.Trial)
			end.ID = t.ID
			w.mu.Lock()
			t.end = &end
			w.mu.Unlock()
			w.Changed(true)
		})
	}
}

// tryOne asks what a trial is about.
func (w *Worker) tryOne(ctx context.Context, t report.Trial) report.TrialStatus {
	if !t.Looks {
		return w.Carrier.Try(ctx, t.Remote)
	}
	look := w.Carrier.Ask(ctx, t.Remote, report.Question{Path: t.Path, PathBytes: t.PathBytes}.Name())
	return report.TrialStatus{Look: &look}
}

// endedTrials are how those have ended that have. The caller holds mu.
func (w *Worker) endedTrials() (ended []report.TrialStatus) {
	for _, t := range w.trials {
		if t.end != nil {
			ended = append(ended, *t.end)
		}
	}
	return ended
}
