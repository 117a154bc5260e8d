package daemon

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/exclude"
	"wsync/monitor/report"
)

// changeIgnore handles POST /v1/workspaces/{workspace}/ignore. A monitor that runs goes on
// with the new rules.
func (d *Daemon) changeIgnore(r *http.Request) (any, error) {
	var req api.ChangeIgnore
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	var err error
	if !req.Remove {
		if req.Ignore, err = ignorePatterns(req.Ignore); err != nil {
			return nil, invalid(err)
		}
	}
	var notes []string
	answer, err := d.change(func() (*entry, error) {
		e, err := d.find(r)
		if err != nil {
			return nil, err
		}
		before := e.workspace
		changed := before.Clone()
		if notes, err = applyIgnore(&changed, req); err != nil {
			return nil, err
		}
		if err := changed.Validate(); err != nil {
			return nil, invalid(unnamed(err, changed.Name, ""))
		}
		e.workspace = changed
		if err := d.commit(e, before); err != nil {
			return nil, err
		}
		e.tell(report.Event{Kind: report.EventIgnore})
		d.apply(e)
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	// What happens in the tree after the answer is judged by the new rules.
	d.ping(r.Context(), r.PathValue("workspace"))
	status := answer.(api.WorkspaceStatus)
	status.Notes = notes
	return status, nil
}

// applyIgnore changes what a workspace ignores. notes tell of what was to be removed and
// is not there, though something else was, or of what looks like a mistake.
func applyIgnore(w *config.Workspace, req api.ChangeIgnore) (notes []string, err error) {
	for value, wanted := range map[*bool]*bool{&w.SkipGit: req.SkipGit, &w.GitIgnore: req.GitIgnore, &w.NoDefaultIgnores: req.NoDefaultIgnores} {
		if wanted != nil {
			*value = *wanted
		}
	}
	if !req.Remove {
		w.Ignore, w.IgnoreTagged = appendLast(w.Ignore, req.Ignore), appendNew(w.IgnoreTagged, req.IgnoreTagged)
		return mistaken(req.Ignore, w.LocalPath), nil
	}
	patterns, tags := w.Ignore, w.IgnoreTagged
	var missing []string
	w.Ignore, missing = without(patterns, req.Ignore, asKept)
	notes = append(notes, absent("pattern", missing)...)
	w.IgnoreTagged, missing = without(tags, req.IgnoreTagged, func(name string) string { return name })
	notes = append(notes, absent("tag file", missing)...)
	if len(w.Ignore) < len(patterns) || len(w.IgnoreTagged) < len(tags) || len(notes) == 0 {
		return notes, nil
	}
	var has []string
	if len(req.Ignore) > 0 {
		has = append(has, known("pattern", patterns))
	}
	if len(req.IgnoreTagged) > 0 {
		has = append(has, known("tag file", tags))
	}
	return nil, &api.Error{Kind: api.NotFound, Message: strings.Join(notes, "; "), Hint: strings.Join(has, "; ")}
}

// mistaken tells of patterns that are paths of this machine: all patterns begin in the
// workspace.
func mistaken(patterns []string, root string) (notes []string) {
	for _, pattern := range patterns {
		path, negated := strings.CutPrefix(pattern, "!")
		if rest, ok := strings.CutPrefix(path, root+"/"); ok {
			meant := "/" + rest
			if negated {
				meant = "!" + meant
			}
			notes = append(notes, fmt.Sprintf("%q is looked for below the workspace: did you mean %q?", pattern, meant))
		}
	}
	return notes
}

// absent says of each of the things that the workspace does not have it.
func absent(thing string, missing []string) (notes []string) {
	for _, m := range missing {
		notes = append(notes, fmt.Sprintf("it has no %s %q", thing, m))
	}
	return notes
}

// known says which things the workspace has.
func known(thing string, all []string) string {
	if len(all) == 0 {
		return fmt.Sprintf("it has no %ss at all", thing)
	}
	return fmt.Sprintf("its %ss are: %s", thing, strings.Join(all, "  "))
}

// ignorePatterns returns patterns as they are kept. It refuses those that can match
// nothing.
func ignorePatterns(patterns []string) (kept []string, err error) {
	for _, pattern := range patterns {
		clean, err := exclude.CleanPattern(pattern)
		if err != nil {
			return nil, err
		}
		kept = append(kept, clean)
	}
	return kept, nil
}

// asKept returns a pattern as it is kept. One that somebody has written into the file may
// be wrong.
func asKept(pattern string) string {
	if clean, err := exclude.CleanPattern(pattern); err == nil {
		return clean
	}
	return pattern
}

// appendLast puts more behind all; what is there already moves.
func appendLast(all, more []string) []string {
	for _, s := range more {
		all = append(slices.DeleteFunc(all, func(other string) bool { return other == s }), s)
	}
	return all
}

// appendNew puts what is not there yet behind all.
func appendNew(all, more []string) []string {
	for _, s := range more {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// without returns all without those in remove, of which it compares what form returns,
// and those in remove that are not there.
func without(all, remove []string, form func(string) string) (left, missing []string) {
	left = slices.Clone(all)
	for _, s := range remove {
		n := len(left)
		left = slices.DeleteFunc(left, func(other string) bool { return form(other) == form(s) })
		if len(left) == n {
			missing = append(missing, s)
		}
	}
	return left, missing
}
