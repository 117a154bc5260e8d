package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHookCommands(t *testing.T) {
	for _, test := range []struct{ workspace, remote, want string }{
		{"", "", ""}, {"a", "", "a"}, {"a", "b", "b"}, {"a", "off", ""}, {"", "b", "b"}, {"", "off", ""},
	} {
		w := Workspace{OnSync: test.workspace, OnSyncRemote: test.workspace}
		r := Remote{OnSync: test.remote, OnSyncRemote: test.remote, Connection: Connection{HostAlias: &HostAlias{HostAlias: "h"}}}
		if here, there := r.HookCommands(w); here != test.want || there != test.want {
			t.Errorf("workspace %q, remote %q: got %q and %q, want %q", test.workspace, test.remote, here, there, test.want)
		}
		r.OnSyncRemote, r.Connection = "", Connection{Local: &Local{}}
		if here, there := r.HookCommands(w); here != test.want || there != "" {
			t.Errorf("workspace %q, local remote %q: got %q and %q, want %q", test.workspace, test.remote, here, there, test.want)
		}
	}
}

func TestHookOptions(t *testing.T) {
	ssh, local := Connection{HostAlias: &HostAlias{HostAlias: "h"}}, Connection{Local: &Local{}}
	for _, test := range []struct {
		connection         Connection
		name, value, wrong string
	}{
		{local, "on-sync", "sh -c 'make \"$X\"'", ""},
		{local, "on-sync", "off", ""},
		{local, "on-sync", "sh -c 'make", "on-sync: expected off, or a program and its arguments, with closed quotes, found"},
		{local, "on-sync", "''", "expected off"},
		{local, "on-sync", "a\nb", "expected off"},
		{ssh, "on-sync-remote", "systemctl --user reload site", ""},
		{local, "on-sync-remote", "reload", "on-sync-remote: it is for remotes that are reached by ssh"},
		{local, "on-sync-remote", "", ""},
		{ssh, "on-sync-remote", "off", ""},
	} {
		r := Remote{Name: "r", RemotePath: "/r", Connection: test.connection}
		err := r.SetOptions([]Assignment{{test.name, test.value}})
		if test.wrong == "" && err != nil || test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%s=%s: %v", test.name, test.value, err)
		}
	}
	w := Workspace{OnSync: "a"}
	if err := w.SetOptions([]Assignment{{"on-sync", "off"}}); err != nil || w.OnSync != "" {
		t.Errorf("%v, %q", err, w.OnSync)
	}
}

// TestHookFile: commands are taken from no file that others may have written.
func TestHookFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "workspaces.json")
	for _, test := range []struct {
		hook  string
		mode  os.FileMode
		wrong string
	}{
		{"", 0o666, ""},
		{`"on_sync": "make", `, 0o600, ""},
		{`"on_sync": "make", `, 0o644, ""},
		{`"on_sync": "make", `, 0o620, "chmod go-w"},
		{`"on_sync": "make", `, 0o602, "chmod go-w"},
		{`"on_sync_remote": "make", `, 0o602, "chmod go-w"},
	} {
		text := `[{"name": "w", ` + test.hook + `"local_path": "/w", "remote_workspaces": []}]`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadWorkspaces(path)
		if test.wrong == "" && err != nil || test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%q, %v: %v", test.hook, test.mode, err)
		}
	}
}
