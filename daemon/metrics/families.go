package metrics

import (
	"slices"
	"time"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// Families are all metrics there are, without samples.
func Families() []Family { return slices.Clone(families) }

var families = []Family{
	{"wsync_build_info", "The version of the daemon.", Gauge, func(s Snapshot, e *emitter) { e.add(1, label{"version", s.Daemon.Version}) }},
	{"wsync_problem", "Whether something of the daemon itself does not work.", Gauge, func(s Snapshot, e *emitter) {
		d := s.Daemon
		for _, p := range []struct{ of, why string }{{"journal", d.JournalProblem}, {"log", d.LogProblem}, {"metrics", d.MetricsProblem}, {"notify", d.NotifyProblem}} {
			e.add(boolean(p.why != ""), label{"of", p.of})
		}
	}},
	{"process_start_time_seconds", "When the daemon was started.", Gauge, func(s Snapshot, e *emitter) { e.add(seconds(s.Daemon.Since)) }},
	{"process_cpu_seconds_total", "Processor time of the daemon, without its monitors.", Counter, func(s Snapshot, e *emitter) {
		if p, ok := s.Processes[s.Daemon.PID]; ok {
			e.add(p.CPU.Seconds())
		}
	}},
	{"process_resident_memory_bytes", "Memory of the daemon.", Gauge, func(s Snapshot, e *emitter) {
		if p, ok := s.Processes[s.Daemon.PID]; ok {
			e.add(float64(p.Resident))
		}
	}},

	{"wsync_workspace_halted", "Whether nothing is sent because of the workspace's directory.", Gauge, ofWorkspace(func(_ Snapshot, w api.WorkspaceStatus) (float64, bool) { return boolean(w.Halted != nil), true })},
	{"wsync_workspace_paused", "Whether the workspace is paused.", Gauge, ofWorkspace(func(_ Snapshot, w api.WorkspaceStatus) (float64, bool) { return boolean(w.Workspace.Paused), true })},
	{"wsync_workspace_watches", "Directories that are watched.", Gauge, ofWatch(func(w report.Watch) float64 { return float64(w.Directories) })},
	{"wsync_workspace_watch_limit", "Directories that may be watched: the system's limit, which all programs of the user share, or MaxWatches.", Gauge, ofWorkspace(watchLimit)},
	{"wsync_workspace_polled_directories", "Directories that are polled, for want of watches or because their file system tells nothing.", Gauge, ofWatch(func(w report.Watch) float64 { return float64(w.Polled + w.Silent) })},
	{"wsync_workspace_queue_overflows_total", "How often changes were missed and all was compared.", Counter, ofWatch(func(w report.Watch) float64 { return float64(w.Overflows) })},

	{"wsync_monitor_state", "What the monitor of the workspace does: 1 for the state that it is in.", Gauge, func(s Snapshot, e *emitter) {
		for _, w := range s.Workspaces {
			e.oneOf("state", w.Monitor.State, monitorStates, label{"workspace", w.Workspace.Name})
		}
	}},
	{"wsync_monitor_restarts_total", "Restarts of the monitor that nobody had asked for.", Counter, ofWorkspace(func(_ Snapshot, w api.WorkspaceStatus) (float64, bool) { return float64(w.Monitor.Restarts), true })},
	{"wsync_monitor_cpu_seconds_total", "Processor time of the monitor, and of its children that have ended: ssh, rsync and commands.", Counter, func(s Snapshot, e *emitter) {
		for _, w := range s.Workspaces {
			if p, ok := s.Processes[w.Monitor.PID]; ok {
				e.add(p.CPU.Seconds(), label{"workspace", w.Workspace.Name}, label{"process", "monitor"})
				e.add(p.Children.Seconds(), label{"workspace", w.Workspace.Name}, label{"process", "children"})
			}
		}
	}},
	{"wsync_monitor_resident_memory_bytes", "Memory of the monitor.", Gauge, ofWorkspace(func(s Snapshot, w api.WorkspaceStatus) (float64, bool) {
		p, ok := s.Processes[w.Monitor.PID]
		return float64(p.Resident), ok
	})},

	{"wsync_remote_state", "What the remote does: 1 for the state that it is in.", Gauge, func(s Snapshot, e *emitter) {
		eachRemote(s, func(r report.RemoteStatus, labels []label) {
			e.oneOf("state", string(r.State), remoteStates, labels...)
		})
	}},
	{"wsync_remote_attention", "Whether somebody must do something before the remote gets in sync.", Gauge, ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) { return boolean(r.Attention), true })},
	{"wsync_remote_pending_paths", "Paths that the remote has not acknowledged.", Gauge, ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) { return float64(r.Pending), true })},
	{"wsync_remote_pending_full_pass", "Whether a comparison of the whole workspace is due or under way.", Gauge, ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) { return boolean(r.PendingEverything), true })},
	{"wsync_remote_oldest_pending_seconds", "Age of the oldest change that the remote has not acknowledged, 0 without one.", Gauge, ofRemote(func(s Snapshot, r report.RemoteStatus) (float64, bool) {
		if r.OldestPending == nil {
			return 0, true
		}
		return max(s.Now.Sub(*r.OldestPending).Seconds(), 0), true
	})},
	{"wsync_remote_unconfirmed_paths", "Paths that are acknowledged and not yet compared by rsync.", Gauge, ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) { return float64(r.Unconfirmed), true })},
	{"wsync_remote_unsupported_paths", "Paths that the file system of the remote cannot hold.", Gauge, ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) { return float64(r.Unsupported), true })},
	{"wsync_remote_held", "Whether something waits for wsync approve.", Gauge, ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) { return boolean(r.Held != nil), true })},
	{"wsync_remote_held_deletions", "Deletions that wait for wsync approve.", Gauge, ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) {
		if r.Held == nil {
			return 0, true
		}
		return float64(r.Held.Count), true
	})},
	{"wsync_remote_last_acknowledged_timestamp_seconds", "When the remote has acknowledged a transfer last.", Gauge, ofTime(func(r report.RemoteStatus) *time.Time { return r.LastSuccess })},
	{"wsync_remote_last_full_pass_timestamp_seconds", "When all was compared last, by names, sizes and times.", Gauge, ofTime(func(r report.RemoteStatus) *time.Time { return r.LastFullPass })},
	{"wsync_remote_last_verified_timestamp_seconds", "When all was compared last, by contents.", Gauge, ofTime(func(r report.RemoteStatus) *time.Time {
		if r.Verified == nil {
			return nil
		}
		return &r.Verified.Ended
	})},
	{"wsync_remote_verify_differences", "Differences that the last verification has found and that are still there.", Gauge, ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) {
		if r.Verified == nil {
			return 0, false
		}
		return float64(r.Verified.Open), true
	})},
	{"wsync_remote_drift_total", "Entries that full passes had to repair though nothing had told of them.", Counter, ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) { return float64(r.Drift), r.Totals != nil })},
	{"wsync_remote_transfers_total", "Transfers that succeeded.", Counter, func(s Snapshot, e *emitter) {
		eachTotals(s, func(t report.Totals, labels []label) {
			for _, kind := range []struct {
				name  string
				count int
			}{{"changes", t.Changes}, {"confirmation", t.Confirmations}, {"full_pass", t.FullPasses}} {
				e.add(float64(kind.count), append(labels[:len(labels):len(labels)], label{"kind", kind.name})...)
			}
		})
	}},
	{"wsync_remote_transfer_failures_total", "Transfers that failed as a whole.", Counter, func(s Snapshot, e *emitter) {
		eachTotals(s, func(t report.Totals, labels []label) {
			for _, kind := range []struct {
				name  string
				count int
			}{{"attention", t.Failures.Attention}, {"conflict", t.Failures.Conflict}, {"offline", t.Failures.Offline}, {"other", t.Failures.Other}} {
				e.add(float64(kind.count), append(labels[:len(labels):len(labels)], label{"kind", kind.name})...)
			}
		})
	}},
	{"wsync_remote_path_failures_total", "Paths that began to fail while others were sent.", Counter, ofTotals(func(t report.Totals) float64 { return float64(t.FailedPaths) })},
	{"wsync_remote_sent_files_total", "Files that were sent.", Counter, ofTotals(func(t report.Totals) float64 { return float64(t.Files) })},
	{"wsync_remote_sent_bytes_total", "Bytes that were sent.", Counter, ofTotals(func(t report.Totals) float64 { return float64(t.Bytes) })},
	{"wsync_remote_deletions_total", "Entries that were deleted on the remote.", Counter, ofTotals(func(t report.Totals) float64 { return float64(t.Deleted) })},
	{"wsync_remote_renames_total", "Renames that were repeated on the remote.", Counter, ofTotals(func(t report.Totals) float64 { return float64(t.Renamed) })},
	{"wsync_remote_latency_seconds", "Time from the event of a change to the acknowledgement by the remote.", Histogram, func(s Snapshot, e *emitter) {
		eachTotals(s, func(t report.Totals, labels []label) { e.histogram(t.Latency, labels) })
	}},
	{"wsync_remote_hook_failed", "Whether a command of on-sync or on-sync-remote failed last.", Gauge, ofHook(func(h report.HookStatus) float64 { return boolean(h.Error != "") })},
	{"wsync_remote_hook_runs_total", "Runs of the commands of on-sync and on-sync-remote.", Counter, ofHook(func(h report.HookStatus) float64 { return float64(h.Runs) })},
	{"wsync_remote_hook_failures_total", "Runs of these commands that failed.", Counter, ofHook(func(h report.HookStatus) float64 { return float64(h.Failures) })},
}

// monitorStates are those of api.MonitorStatus.
var monitorStates = []string{"stopped", "starting", "running", "backing off", "stopping", "failed"}

var remoteStates = []string{
	string(report.Starting), string(report.InSync), string(report.Confirming), string(report.Pending), string(report.Syncing), string(report.Retrying),
	string(report.Offline), string(report.Paused), string(report.Halted), string(report.Failed), string(report.Unknown),
}

// ofWorkspace is one sample for each workspace that has it.
func ofWorkspace(value func(Snapshot, api.WorkspaceStatus) (float64, bool)) func(Snapshot, *emitter) {
	return func(s Snapshot, e *emitter) {
		for _, w := range s.Workspaces {
			if v, ok := value(s, w); ok {
				e.add(v, label{"workspace", w.Workspace.Name})
			}
		}
	}
}

// ofWatch is one sample for each workspace that is watched.
func ofWatch(value func(report.Watch) float64) func(Snapshot, *emitter) {
	return ofWorkspace(func(_ Snapshot, w api.WorkspaceStatus) (float64, bool) { return value(w.Watch), w.Watch.Backend != "" })
}

func watchLimit(s Snapshot, w api.WorkspaceStatus) (float64, bool) {
	limit := s.WatchLimit
	if s.MaxWatches > 0 && (limit == 0 || s.MaxWatches < limit) {
		limit = s.MaxWatches
	}
	return float64(limit), limit > 0 && w.Watch.Backend != ""
}

// eachRemote calls f for all remotes, with the labels that say which one it is.
func eachRemote(s Snapshot, f func(r report.RemoteStatus, labels []label)) {
	for _, w := range s.Workspaces {
		for _, r := range w.Remotes {
			f(r, []label{{"workspace", w.Workspace.Name}, {"remote", r.Name}})
		}
	}
}

// ofRemote is one sample for each remote that has it.
func ofRemote(value func(Snapshot, report.RemoteStatus) (float64, bool)) func(Snapshot, *emitter) {
	return func(s Snapshot, e *emitter) {
		eachRemote(s, func(r report.RemoteStatus, labels []label) {
			if v, ok := value(s, r); ok {
				e.add(v, labels...)
			}
		})
	}
}

// ofTime is a point in time for each remote that has one.
func ofTime(at func(report.RemoteStatus) *time.Time) func(Snapshot, *emitter) {
	return ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) {
		t := at(r)
		if t == nil {
			return 0, false
		}
		return seconds(*t), true
	})
}

// eachTotals calls f for all remotes whose monitor counts.
func eachTotals(s Snapshot, f func(t report.Totals, labels []label)) {
	eachRemote(s, func(r report.RemoteStatus, labels []label) {
		if r.Totals != nil {
			f(*r.Totals, labels)
		}
	})
}

func ofTotals(value func(report.Totals) float64) func(Snapshot, *emitter) {
	return func(s Snapshot, e *emitter) {
		eachTotals(s, func(t report.Totals, labels []label) { e.add(value(t), labels...) })
	}
}

// ofHook is one sample for each remote that has commands.
func ofHook(value func(report.HookStatus) float64) func(Snapshot, *emitter) {
	return ofRemote(func(_ Snapshot, r report.RemoteStatus) (float64, bool) {
		if r.Hook == nil {
			return 0, false
		}
		return value(*r.Hook), true
	})
}
