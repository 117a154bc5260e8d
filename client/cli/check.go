package cli

import (
	"strings"
	"time"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// problem is a remote that is not in sync, or of which a verification has found what
// differs, in JSON.
type problem struct {
	Workspace string       `json:"workspace"`
	Remote    string       `json:"remote"`
	State     report.State `json:"state"`
	// Standing is how the remote stands, in a word of report.Standing's.
	Standing string `json:"standing"`
	// Text is what people read of it. Attention: it needs somebody.
	Text      string `json:"text"`
	Attention bool   `json:"attention,omitempty"`
}

// checkStatus prints a line for each remote that is not in sync, the worst first. The error
// has the exit code of it.
func (c *command) checkStatus(workspaces []api.WorkspaceStatus, asJSON bool) error {
	problems := problemsOf(workspaces, c.now())
	for _, p := range problems {
		if asJSON {
			c.jsonLine(p)
		} else {
			c.print(target(p.Workspace, p.Remote) + "  " + p.Text + "\n")
		}
	}
	if code := checkCode(problems); code != exitDone {
		return &codedError{code: code}
	}
	return nil
}

// problemsOf are the remotes that are not in sync.
func problemsOf(workspaces []api.WorkspaceStatus, now time.Time) (all []problem) {
	for _, w := range worstFirst(workspaces) {
		for _, r := range w.Remotes {
			standing := r.Standing()
			if standing == report.StandsInSync {
				continue
			}
			all = append(all, problem{
				Workspace: w.Workspace.Name, Remote: r.Name, State: r.State, Standing: standing.String(),
				Text: checkText(w, r, now), Attention: r.Attention || standing.NeedsPerson(),
			})
		}
	}
	return all
}

// checkCode is the exit code for what is wrong: that of a wait.
func checkCode(problems []problem) int {
	code := exitDone
	for _, p := range problems {
		if p.Standing != report.StandsHeld.String() && p.Standing != report.StandsHalted.String() {
			return exitNotInSync
		}
		code = exitHeld
	}
	return code
}

// checkText says in a line how a remote stands, and why.
func checkText(w api.WorkspaceStatus, r report.RemoteStatus, now time.Time) string {
	standing := r.Standing()
	text, state, why := standing.String(), stateText(r, now), problemText(r)
	switch {
	case standing == report.StandsDifferent:
		why = count(r.Verified.Open, "difference") + ", found " + ago(&r.Verified.Ended, now)
	case r.Held != nil:
		why = heldText(r.Held)
	case w.Halted != nil && standing == report.StandsHalted:
		why = w.Halted.Reason
	case why == "":
		why = monitorText(w.Workspace.Name, w.Monitor, now)
	}
	switch {
	case standing == report.StandsDifferent: // and in sync, but for that
	case strings.HasPrefix(state, text):
		text = state
	default:
		text += ", " + state
	}
	if why != "" {
		text += ": " + why
	}
	return strings.ReplaceAll(short(plain(text)), "\n", " ")
}
