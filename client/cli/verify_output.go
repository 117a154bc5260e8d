package cli

import (
	"fmt"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// verifiedText says when a remote was verified last, and how many differences are known
// since, "" if it never was.
func (p *printer) verifiedText(v *report.Verification) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%s ago, %s", age(v.Ended, p.now()), count(v.Open, "difference"))
}

// anyVerified reports whether one of the remotes was ever verified.
func anyVerified(workspaces []api.WorkspaceStatus) bool {
	for _, workspace := range workspaces {
		for _, remote := range workspace.Remotes {
			if remote.Verified != nil {
				return true
			}
		}
	}
	return false
}

// verification adds what the last verification has found, and how far one is that has
// begun in the background.
func (p *printer) verification(b *block, remote report.RemoteStatus) {
	if v := remote.Verified; v != nil {
		text := p.verifiedText(v)
		switch {
		case v.Repaired > 0:
			text += fmt.Sprintf(", %d repaired", v.Repaired)
		case v.Differences > v.Open:
			text += fmt.Sprintf(" of %d left", v.Differences)
		}
		b.field(4, "verified", fmt.Sprintf("%s; %s, %s", text, count(v.Files, "file"), size(v.Bytes)))
		p.open(b, v)
	}
	if v := remote.Verifying; v != nil {
		text := "for " + age(v.Since, p.now())
		if v.TotalFiles > 0 {
			text += fmt.Sprintf(": %d of %s, %s of %s", v.Files, count(v.TotalFiles, "file"), size(v.Bytes), size(v.TotalBytes))
		}
		if v.Error != "" {
			text += "; it waits: " + v.Error
		}
		b.field(4, "verifying", text)
	}
}

// open lists the differences that are there still.
func (p *printer) open(b *block, v *report.Verification) {
	var some []string
	for _, d := range v.Found {
		if d.State != report.StateRepaired {
			some = append(some, fmt.Sprintf("%s  %s", d.Kind, wholeName(d.Name())))
		}
	}
	b.sample(4, some, v.Open)
}
