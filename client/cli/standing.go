package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// worstFirst is a copy of workspaces in which the worst come first, by their worst
// remotes, and the worst remotes first in each. What stands alike keeps its order.
func worstFirst(workspaces []api.WorkspaceStatus) []api.WorkspaceStatus {
	sorted := slices.Clone(workspaces)
	for i := range sorted {
		sorted[i].Remotes = slices.Clone(sorted[i].Remotes)
		slices.SortStableFunc(sorted[i].Remotes, func(a, b report.RemoteStatus) int { return cmp.Compare(a.Standing(), b.Standing()) })
	}
	worst := func(w api.WorkspaceStatus) report.Standing {
		if len(w.Remotes) == 0 {
			return report.StandsInSync + 1
		}
		return w.Remotes[0].Standing()
	}
	slices.SortStableFunc(sorted, func(a, b api.WorkspaceStatus) int { return cmp.Compare(worst(a), worst(b)) })
	return sorted
}

// summary is how all remotes stand, in a line, and "" for one that would say nothing new.
func summary(workspaces []api.WorkspaceStatus) string {
	if text, remotes := standingsText(workspaces); remotes > 1 {
		return text + "\n"
	}
	return ""
}

// standingsText is how all remotes stand, and how many there are.
func standingsText(workspaces []api.WorkspaceStatus) (text string, remotes int) {
	standing := make(map[report.Standing]int)
	for _, w := range workspaces {
		for _, r := range w.Remotes {
			remotes++
			standing[r.Standing()]++
		}
	}
	text = fmt.Sprintf("%s, %s", count(len(workspaces), "workspace"), count(remotes, "remote"))
	if remotes == 0 {
		return text, 0
	}
	var parts []string
	for s := range report.StandsInSync + 1 {
		if n := standing[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return text + ": " + strings.Join(parts, ", "), remotes
}
