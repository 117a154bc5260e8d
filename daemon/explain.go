package daemon

import (
	"context"
	"net/http"
	"slices"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
	"wsync/watchdog"
)

// explainTime bounds how long a monitor may take to say what it knows of a path.
const explainTime = 5 * time.Second

// askTime bounds how long remotes may take to say what they have there: contents may have to
// be read, and a login made. Clients wait for 30 seconds.
const askTime = 20 * time.Second

// explain handles POST /v1/workspaces/{workspace}/explain: the status of the workspace, in
// which each remote of which something is known has one element in Paths.
func (d *Daemon) explain(r *http.Request) (any, error) {
	var req api.Explain
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	d.ping(r.Context(), r.PathValue("workspace")) // what has changed until now is known
	question := report.Question{ID: config.NewID(), Path: req.Path, PathBytes: req.PathBytes}
	var e *entry
	var err error
	d.lock.Do(func() {
		if e, err = d.find(r); err != nil {
			return
		}
		if req.Remote != "" && e.remote(req.Remote) < 0 {
			err = unknownRemote(e, req.Remote)
			return
		}
		e.questions = append(slices.Clone(e.questions), question)
		e.supervisor.Define(d.definition(e))
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), explainTime)
	defer cancel()
	d.until(ctx, func() bool {
		if s := e.process.State; s != watchdog.Starting && s != watchdog.Running {
			return true
		}
		for _, remote := range e.workspace.Remotes {
			if asked := req.Remote == "" || remote.Name == req.Remote; asked && len(answerTo(question, d.remoteStatus(e, remote))) == 0 {
				return false
			}
		}
		return true
	})
	var status api.WorkspaceStatus
	d.lock.Do(func() {
		e.questions = slices.DeleteFunc(slices.Clone(e.questions), func(q report.Question) bool { return q.ID == question.ID })
		e.supervisor.Define(d.definition(e))
		status = d.workspaceStatus(e)
		for i, remote := range e.workspace.Remotes {
			status.Remotes[i].Paths = answerTo(question, d.remoteStatus(e, remote))
		}
		if req.Remote != "" {
			err = narrow(&status, e, req.Remote)
		}
	})
	if err == nil && req.Ask {
		d.look(r.Context(), e, question, &status)
	}
	return status, err
}

// look asks the remotes of a status what they have at a path, all at the same time.
func (d *Daemon) look(ctx context.Context, e *entry, question report.Question, status *api.WorkspaceStatus) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	trials := make([]report.Trial, len(status.Remotes))
	d.lock.Do(func() {
		for i, r := range status.Workspace.Remotes {
			trials[i] = report.Trial{ID: config.NewID(), Remote: r, Looks: true, Path: question.Path, PathBytes: question.PathBytes}
		}
		e.trials = append(slices.Clone(e.trials), trials...)
		e.supervisor.Define(d.definition(e))
	})
	for i := range status.Remotes {
		remote := &status.Remotes[i]
		end := d.awaitTrial(ctx, e, remote.Name, trials[i])
		if end.Look == nil {
			end.Look = &report.Look{Unknown: end.Unknown}
		}
		if len(remote.Paths) > 0 {
			remote.Paths[0].Look = end.Look
		}
	}
}

// answerTo is what a remote's status says about one question.
func answerTo(q report.Question, s report.RemoteStatus) (answer []report.PathStatus) {
	for _, p := range s.Paths {
		if p.ID == q.ID {
			answer = append(answer, p)
		}
	}
	return answer
}
