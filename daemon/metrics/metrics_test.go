package metrics

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

// full is a snapshot in which everything is known of docs/disk, and little of docs/"new".
func full() Snapshot {
	now := time.Unix(1000, 0)
	ago := func(seconds int) *time.Time { t := now.Add(-time.Duration(seconds) * time.Second); return &t }
	totals := report.Totals{Changes: 1, FullPasses: 2, Confirmations: 3, FailedPaths: 4, Files: 5, Bytes: 6, Deleted: 7, Renamed: 8}
	totals.Failures = report.Failures{Offline: 1, Attention: 2, Conflict: 3, Other: 4}
	for _, d := range []time.Duration{-1, time.Millisecond, 2 * time.Millisecond, time.Minute, 2 * time.Hour} {
		totals.Latency.Observe(d)
	}
	return Snapshot{
		Now:    now,
		Daemon: api.DaemonStatus{Version: "1.0", PID: 1, Since: *ago(500), LogProblem: "no"},
		Workspaces: []api.WorkspaceStatus{{
			Workspace: config.Workspace{Name: "docs", Paused: true},
			Monitor:   api.MonitorStatus{State: "backing off", PID: 2, Restarts: 3},
			Watch:     report.Watch{Backend: "inotify", Directories: 10, Polled: 1, Silent: 2, Overflows: 4},
			Halted:    &report.Halt{},
			Remotes: []report.RemoteStatus{{
				Name: "disk", State: report.Confirming, Attention: true, Pending: 1, PendingEverything: true, OldestPending: ago(90), Unconfirmed: 2,
				Unsupported: 3, Held: &report.Held{Count: 4}, LastSuccess: ago(100), LastFullPass: ago(200), Drift: 5,
				Verified: &report.Verification{Ended: *ago(300), Open: 6}, Totals: &totals, Hook: &report.HookStatus{Error: "no", Runs: 8, Failures: 7},
			}, {Name: `"n\` + "\n", State: report.Starting}},
		}},
		Processes:  map[int]Process{1: {CPU: time.Second, Resident: 1 << 20}, 2: {CPU: 1500 * time.Millisecond, Children: 2 * time.Second, Resident: 2 << 20}},
		WatchLimit: 8192, MaxWatches: 100,
	}
}

func text(t *testing.T, s Snapshot) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	got := text(t, full())
	for _, want := range []string{
		`wsync_build_info{version="1.0"} 1`,
		`wsync_problem{of="journal"} 0`,
		`wsync_problem{of="log"} 1`,
		"process_start_time_seconds 500",
		"process_cpu_seconds_total 1",
		"process_resident_memory_bytes 1048576",
		`wsync_workspace_halted{workspace="docs"} 1`,
		`wsync_workspace_paused{workspace="docs"} 1`,
		`wsync_workspace_watches{workspace="docs"} 10`,
		`wsync_workspace_watch_limit{workspace="docs"} 100`,
		`wsync_workspace_polled_directories{workspace="docs"} 3`,
		`wsync_workspace_queue_overflows_total{workspace="docs"} 4`,
		`wsync_monitor_state{workspace="docs",state="running"} 0`,
		`wsync_monitor_state{workspace="docs",state="backing_off"} 1`,
		`wsync_monitor_restarts_total{workspace="docs"} 3`,
		`wsync_monitor_cpu_seconds_total{workspace="docs",process="monitor"} 1.5`,
		`wsync_monitor_cpu_seconds_total{workspace="docs",process="children"} 2`,
		`wsync_monitor_resident_memory_bytes{workspace="docs"} 2097152`,
		`wsync_remote_state{workspace="docs",remote="disk",state="in_sync"} 0`,
		`wsync_remote_state{workspace="docs",remote="disk",state="in_sync_confirming"} 1`,
		`wsync_remote_state{workspace="docs",remote="\"n\\\n",state="starting"} 1`,
		`wsync_remote_attention{workspace="docs",remote="disk"} 1`,
		`wsync_remote_pending_paths{workspace="docs",remote="disk"} 1`,
		`wsync_remote_pending_full_pass{workspace="docs",remote="disk"} 1`,
		`wsync_remote_oldest_pending_seconds{workspace="docs",remote="disk"} 90`,
		`wsync_remote_oldest_pending_seconds{workspace="docs",remote="\"n\\\n"} 0`,
		`wsync_remote_unconfirmed_paths{workspace="docs",remote="disk"} 2`,
		`wsync_remote_unsupported_paths{workspace="docs",remote="disk"} 3`,
		`wsync_remote_held{workspace="docs",remote="disk"} 1`,
		`wsync_remote_held_deletions{workspace="docs",remote="disk"} 4`,
		`wsync_remote_last_acknowledged_timestamp_seconds{workspace="docs",remote="disk"} 900`,
		`wsync_remote_last_full_pass_timestamp_seconds{workspace="docs",remote="disk"} 800`,
		`wsync_remote_last_verified_timestamp_seconds{workspace="docs",remote="disk"} 700`,
		`wsync_remote_verify_differences{workspace="docs",remote="disk"} 6`,
		`wsync_remote_drift_total{workspace="docs",remote="disk"} 5`,
		`wsync_remote_transfers_total{workspace="docs",remote="disk",kind="changes"} 1`,
		`wsync_remote_transfers_total{workspace="docs",remote="disk",kind="confirmation"} 3`,
		`wsync_remote_transfers_total{workspace="docs",remote="disk",kind="full_pass"} 2`,
		`wsync_remote_transfer_failures_total{workspace="docs",remote="disk",kind="attention"} 2`,
		`wsync_remote_transfer_failures_total{workspace="docs",remote="disk",kind="conflict"} 3`,
		`wsync_remote_transfer_failures_total{workspace="docs",remote="disk",kind="offline"} 1`,
		`wsync_remote_transfer_failures_total{workspace="docs",remote="disk",kind="other"} 4`,
		`wsync_remote_path_failures_total{workspace="docs",remote="disk"} 4`,
		`wsync_remote_sent_files_total{workspace="docs",remote="disk"} 5`,
		`wsync_remote_sent_bytes_total{workspace="docs",remote="disk"} 6`,
		`wsync_remote_deletions_total{workspace="docs",remote="disk"} 7`,
		`wsync_remote_renames_total{workspace="docs",remote="disk"} 8`,
		`wsync_remote_latency_seconds_bucket{workspace="docs",remote="disk",le="0.001"} 2`,
		`wsync_remote_latency_seconds_bucket{workspace="docs",remote="disk",le="0.0025"} 3`,
		`wsync_remote_latency_seconds_bucket{workspace="docs",remote="disk",le="30"} 3`,
		`wsync_remote_latency_seconds_bucket{workspace="docs",remote="disk",le="60"} 4`,
		`wsync_remote_latency_seconds_bucket{workspace="docs",remote="disk",le="3600"} 4`,
		`wsync_remote_latency_seconds_bucket{workspace="docs",remote="disk",le="+Inf"} 5`,
		`wsync_remote_latency_seconds_sum{workspace="docs",remote="disk"} 7260.003`,
		`wsync_remote_latency_seconds_count{workspace="docs",remote="disk"} 5`,
		`wsync_remote_hook_failed{workspace="docs",remote="disk"} 1`,
		`wsync_remote_hook_runs_total{workspace="docs",remote="disk"} 8`,
		`wsync_remote_hook_failures_total{workspace="docs",remote="disk"} 7`,
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	for _, never := range []string{`transfers_total{workspace="docs",remote="\"n`, `last_verified_timestamp_seconds{workspace="docs",remote="\"n`} {
		if strings.Contains(got, never) {
			t.Errorf("%s is told though it is not known", never)
		}
	}
}

// TestLint: the text is as Prometheus wants it, whatever is known.
func TestLint(t *testing.T) {
	for name, s := range map[string]Snapshot{"full": full(), "nothing": {}} {
		problems, err := promlint.New(strings.NewReader(text(t, s))).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("%s: %v, %v", name, problems, err)
		}
	}
	got := text(t, full())
	for _, f := range Families() {
		if strings.Count(got, "# TYPE "+f.Name+" ") != 1 {
			t.Errorf("%s is not told once", f.Name)
		}
	}
}

// TestHelp holds wsync help metrics to what there is.
func TestHelp(t *testing.T) {
	help, err := os.ReadFile("../../client/cli/topics/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]string)
	for _, row := range regexp.MustCompile(`(?m)^  (\w+) +(gauge|counter|histogram)\b`).FindAllStringSubmatch(string(help), -1) {
		told[row[1]] = row[2]
	}
	for _, f := range Families() {
		if told[f.Name] != string(f.Kind) {
			t.Errorf("%s is a %s, told is %q", f.Name, f.Kind, told[f.Name])
		}
		delete(told, f.Name)
	}
	for name := range told {
		t.Errorf("there is no metric %s", name)
	}
	for _, state := range slices.Concat(monitorStates, remoteStates) {
		if !regexp.MustCompile(`\b` + word(state) + `\b`).Match(help) {
			t.Errorf("the state %s is not told", word(state))
		}
	}
	const buckets = "[1ms 2.5ms 5ms 10ms 25ms 50ms 100ms 250ms 500ms 1s 2.5s 5s 10s 30s 1m0s 5m0s 1h0m0s]"
	const inWords = "1, 2.5, 5, 10, 25, 50, 100, 250 and 500 ms, 1, 2.5, 5, 10 and 30 s, 1 and 5 min, and 1 h"
	if got := fmt.Sprint(report.LatencyBounds()); got != buckets || !strings.Contains(strings.Join(strings.Fields(string(help)), " "), inWords) {
		t.Errorf("the buckets are %s", got)
	}
}

// TestShare holds the alert rules and the dashboard to the metrics that there are.
func TestShare(t *testing.T) {
	for _, file := range []string{"prometheus-rules.yml", "grafana-dashboard.json"} {
		content, err := os.ReadFile("../../.release/share/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(content) {
			t.Errorf("%s is not valid", file)
		}
		names := regexp.MustCompile(`\b(wsync|process)_[a-z]+_\w+\b`).FindAllString(string(content), -1)
		if len(names) < 10 {
			t.Errorf("%s names %d metrics", file, len(names))
		}
		for _, name := range names {
			if !slices.ContainsFunc(families, func(f Family) bool {
				return name == f.Name || f.Kind == Histogram && name == f.Name+"_bucket"
			}) {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
	}
}
