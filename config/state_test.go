package config

import "testing"

func TestRename(t *testing.T) {
	w, r := Workspace{Name: "a"}, Remote{Name: "a"}
	for _, to := range []string{"b", "c", "a", "b"} {
		w.Rename(to)
		r.Rename(to)
		if w.Name != to || r.Name != to || w.State() != "a" || r.State() != "a" || (w.StateName == "") != (to == "a") {
			t.Errorf("renamed to %s: %+v, %+v", to, w, r)
		}
	}
}

// TestStateNames: two workspaces never keep what is known of them in one place.
func TestStateNames(t *testing.T) {
	for _, test := range []struct {
		name      string
		workspace []Workspace
		want      string
	}{
		{"of another", []Workspace{{Name: "b", LocalPath: "/b", StateName: "a"}, {Name: "a", LocalPath: "/a"}},
			`workspace "a": what is known of it is kept under the name "a", as is that of workspace "b"`},
		{"wrong", []Workspace{{Name: "b", LocalPath: "/b", StateName: "../a"}}, `workspace "b": state_name: the name "../a" begins with ".": expected a letter, a digit or "_"`},
		{"its own", []Workspace{{Name: "b", LocalPath: "/b", StateName: "a"}, {Name: "a", LocalPath: "/a", StateName: "a.2"}}, ""},
	} {
		got := ""
		if err := ValidateAll(test.workspace); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
