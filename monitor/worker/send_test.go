package worker

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"wsync/monitor/remote"
	"wsync/monitor/report"
)

// TestLogOutcome: what fails again and again in the same way is in the log once.
func TestLogOutcome(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	w := &Worker{Options: Options{Log: zap.New(core), World: System{}}}
	for _, outcome := range []string{"refused", "refused", "no room", "no room", "", "no room", "refused"} {
		out := remote.Outcome{}
		if outcome != "" {
			out.Failure = &remote.Failure{Message: outcome}
		}
		w.logOutcome(remote.Order{}, out, time.Now())
	}
	var got []string
	for _, entry := range logs.All() {
		got = append(got, entry.ContextMap()["error"].(string))
	}
	if got, want := strings.Join(got, ", "), "refused, no room, no room, refused"; got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestLogEvent(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	w := &Worker{Options: Options{Log: zap.New(core), World: System{}}}
	var paths report.PathList
	for range report.MaxLoggedPaths + 1 {
		paths.Add(report.NewEventPath("a", ""), report.MaxDeletedPaths)
	}
	for kind, want := range map[report.EventKind]string{
		report.EventDeleted: "Deleted", report.EventRepaired: "Repaired what nothing had told of", report.EventFailing: "Paths fail",
		report.EventSent: "", report.EventFullPass: "",
	} {
		w.logEvent(report.Event{Kind: kind, PathList: paths})
		all := logs.TakeAll()
		switch {
		case want == "" && len(all) == 0:
		case len(all) != 1 || all[0].Message != want || all[0].ContextMap()["count"] != int64(paths.Count) || len(all[0].ContextMap()["paths"].([]any)) != report.MaxLoggedPaths:
			t.Errorf("%s: logged %v", kind, all)
		}
	}
}
