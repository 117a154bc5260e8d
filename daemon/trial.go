package daemon

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// trialTime bounds how long a trial may take, of which a login may be part: less than
// clients wait for the answer.
const trialTime = 25 * time.Second

// tryOptions has it tried out whether a remote can follow options of which only a trial
// tells, and refuses them if it cannot. The notes say why nobody knows, if so.
func (d *Daemon) tryOptions(r *http.Request, remote string, options []config.Assignment) (notes []string, err error) {
	if remote == "" {
		return nil, nil
	}
	trial := report.Trial{ID: config.NewID()}
	var e *entry
	var unknown string
	tries := false
	d.lock.Do(func() {
		if e, err = d.find(r); err != nil {
			return
		}
		changed := e.workspace.Clone()
		if _, err = e.setRemoteOptions(&changed, remote, options); err != nil {
			return
		}
		i := e.remote(remote)
		if trial.Remote, tries = config.Trial(e.workspace.Remotes[i], changed.Remotes[i]); !tries {
			return
		}
		if unknown = e.cannotTry(remote); unknown == "" {
			e.trials = append(slices.Clone(e.trials), trial)
			e.supervisor.Define(d.definition(e))
		}
	})
	if err != nil || !tries {
		return nil, err
	}
	if unknown == "" {
		end := d.awaitTrial(r.Context(), e, remote, trial)
		switch {
		case r.Context().Err() != nil:
			return nil, r.Context().Err()
		case end.Refused != "":
			return nil, &api.Error{Kind: api.Conflict, Message: end.Refused, Hint: end.Hint}
		}
		unknown = end.Unknown
	}
	if unknown == "" {
		return nil, nil
	}
	return []string{fmt.Sprintf("nobody knows yet whether %s can do that: %s; wsync status will tell", remote, unknown)}, nil
}

// cannotTry says why nothing can be tried out on a remote, "" if it can. The lock is held.
func (e *entry) cannotTry(remote string) string {
	if why := e.cannotAsk(); why != "" {
		return why
	}
	if s := e.status(remote); s != nil && s.State == report.Offline {
		return "it cannot be reached"
	}
	return ""
}

// cannotAsk says why no remote can be asked anything, "" if that can be tried. The lock is
// held.
func (e *entry) cannotAsk() string {
	if s := e.process.State; s != watchdog.Starting && s != watchdog.Running {
		return "its monitor does not run"
	}
	return ""
}

// awaitTrial waits until a trial has ended, and forgets it.
func (d *Daemon) awaitTrial(ctx context.Context, e *entry, remote string, trial report.Trial) (end report.TrialStatus) {
	ctx, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	cannot := e.cannotTry
	if trial.Looks { // it is only now that is asked whether it can be reached
		cannot = func(string) string { return e.cannotAsk() }
	}
	end.Unknown = "it has not answered in time"
	d.until(ctx, func() bool {
		if s := e.status(remote); s != nil {
			if i := slices.IndexFunc(s.Trials, func(t report.TrialStatus) bool { return t.ID == trial.ID }); i >= 0 {
				end = s.Trials[i]
				return true
			}
		}
		why := cannot(remote)
		if why != "" {
			end.Unknown = why
		}
		return why != "" || e.remote(remote) < 0
	})
	d.lock.Do(func() {
		e.trials = slices.DeleteFunc(slices.Clone(e.trials), func(t report.Trial) bool { return t.ID == trial.ID })
		e.supervisor.Define(d.definition(e))
	})
	return end
}
