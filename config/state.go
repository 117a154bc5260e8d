package config

// What is known of a workspace and of its remotes, such as until when they were equal and
// what is held, is kept in files that are called by their names. So that none of it has to
// be moved when a name changes, which could be interrupted, it stays under the first name.

// State is the name under which what is known of the workspace is kept. No other
// workspace has it.
func (w Workspace) State() string { return stateName(w.Name, w.StateName) }

// State is the name under which what is known of the remote is kept. Together with the
// destination it belongs to no other remote of the workspace.
func (r Remote) State() string { return stateName(r.Name, r.StateName) }

func stateName(name, state string) string {
	if state != "" {
		return state
	}
	return name
}

// Rename gives the workspace another name.
func (w *Workspace) Rename(name string) { rename(&w.Name, &w.StateName, name) }

// Rename gives the remote another name.
func (r *Remote) Rename(name string) { rename(&r.Name, &r.StateName, name) }

func rename(name, state *string, to string) {
	kept := stateName(*name, *state)
	*name, *state = to, kept
	if kept == to {
		*state = ""
	}
}
