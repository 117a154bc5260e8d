package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestLoadWorkspaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ws.json")
	if ws, err := LoadWorkspaces(path); ws != nil || err != nil {
		t.Errorf("a missing file holds %v (%v)", ws, err)
	}
	writeFile(t, path, " [ ] \n")
	if ws, err := LoadWorkspaces(path); ws != nil || err != nil {
		t.Errorf("an empty list holds %v (%v)", ws, err)
	}
	// What hand-written files and those of the original may have.
	writeFile(t, path, `[{"name":"a","local_path":"/a//b/","remote_workspaces":[
		{"name":"r","remote_path":"~/x/","connection_info":{"HostAlias":{"host_alias":"h"}}},
		{"name":"d","remote_path":"/m/x/","connection_info":{"RsyncDaemon":{"host":"h"}}}]},
		{"name":"b","local_path":"/b","remote_workspaces":null}]`)
	ws, err := LoadWorkspaces(path)
	if err != nil {
		t.Fatal(err)
	}
	r, d := alias("h", "x"), rsyncDaemon("", "h", 0, "m/x")
	r.Name, d.Name = "r", "d"
	if want := []Workspace{{Name: "a", LocalPath: "/a/b", Remotes: []Remote{r, d}}, {Name: "b", LocalPath: "/b"}}; !reflect.DeepEqual(ws, want) {
		t.Errorf("loaded %+v, expected %+v", ws, want)
	}
}

func TestLoadWorkspacesErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ws.json")
	for _, test := range []struct{ content, want string }{
		{"", path + ": the file is empty: restore it from a backup, or remove it to begin without workspaces"},
		{" \n", "the file is empty"},
		{"\x00\x00\x00", path + ":1:1: not valid JSON: "},
		{"[\n  {\"name\": \"é\" \"x\"}]", path + ":2:16: not valid JSON: invalid character '\"' after object key:value pair"},
		{"[{", path + ":1:2: not valid JSON: unexpected end of JSON input"},
		{"[]\n[]", path + ":2:1: not valid JSON: invalid character '[' after top-level value"},
		{"[{\"name\":\"\xff\"}]", path + ":1:11: not valid JSON: expected UTF-8"},
		{"{}", path + ":1:1: expected a list, found an object"},
		{"\n{\"version\": 2, \"workspaces\": []}", path + ":2:1: it is of version 2, which a newer wsync has written; this one reads version 1"},
		{`{"version":1,"workspaces":[]}`, path + ":1:1: expected a list, found an object"},
		{`{"version":"x"}`, path + ":1:1: expected a list, found an object"},
		{" null", "expected a list of workspaces, found null"},
		{"\n [1]", path + ":2:3: [0]: expected an object, found 1"},
		{"[\n {},\n {\"name\":\n  5}]", path + ":4:3: [1].name: expected a string, found 5"},
		{"\n\n[{\"é\":\"é\", \"remote_workspaces\": [ {\"connection_info\" :\n{\"Ssh\" : { \"port\":  2.5 }}}]}]",
			path + ":4:21: [0].remote_workspaces[0].connection_info.Ssh.port: expected a whole number, found 2.5"},
		{`[{"remote_workspaces":[{"connection_info":{"Ftp":1}}]}]`, `unknown connection "Ftp": expected Ssh, HostAlias, RsyncDaemon or Local`},
		{`[{"name":"a","local_path":"x"}]`, path + `: workspace "a": the local path "x" is relative`},
		{`[{"name":"a","local_path":"/x"},{"name":"b","local_path":"/x"}]`, `workspace "b": its directory /x is that of workspace "a"`},
	} {
		writeFile(t, path, test.content)
		_, err := LoadWorkspaces(path)
		expectError(t, test.content, err, test.want)
		if err != nil && !strings.HasPrefix(err.Error(), "cannot read the workspace file") {
			t.Errorf("%q: error %v", test.content, err)
		}
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: not malformed: %v", test.content, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != test.content {
			t.Errorf("%q: the file was changed to %q (%v)", test.content, after, err)
		}
	}
	_, err := LoadWorkspaces(dir)
	expectError(t, "a directory", err, "cannot read the workspace file "+dir+": is a directory")
	if errors.Is(err, ErrMalformed) {
		t.Error("a file that cannot be read is malformed")
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("nothing", link); err != nil {
		t.Fatal(err)
	}
	_, err = LoadWorkspaces(link)
	expectError(t, "a dangling link", err, "symbolic link to a file that does not exist")
	expectError(t, "a dangling link", SaveWorkspaces(link, nil), "cannot write the workspace file "+link)
}

func TestSaveWorkspaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ws.json")
	if err := SaveWorkspaces(path, nil); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "[]\n" {
		t.Errorf("no workspaces are written as %q", data)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}

	var w Workspace
	if err := json.Unmarshal([]byte(original), &w); err != nil {
		t.Fatal(err)
	}
	if err := SaveWorkspaces(path, []Workspace{w}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file is %v (%v)", info.Mode(), err)
	}
	before, _ := os.ReadFile(path)
	if !strings.HasPrefix(string(before), "[\n  {\n    \"name\": \"site\",\n    \"local_path\": \"/home/me/site\",\n") || !strings.Contains(string(before), `"aa": "<&>"`) {
		t.Errorf("written:\n%s", before)
	}
	if back, err := LoadWorkspaces(path); err != nil || !reflect.DeepEqual(back, []Workspace{w}) {
		t.Errorf("read back %+v (%v), expected %+v", back, err, w)
	}

	expectError(t, "an invalid workspace", SaveWorkspaces(path, []Workspace{{Name: "a", LocalPath: "/a\xff"}}), "not UTF-8")
	expectError(t, "no directory", SaveWorkspaces(filepath.Join(dir, "x/ws.json"), nil), "no such file or directory")
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Errorf("an error changed the file to\n%s", after)
	}
	expectEntries(t, dir, "ws.json")
}

func TestSaveWorkspacesKeepsLink(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "dotfiles/ws.json")
	writeFile(t, target, "[]")
	link := filepath.Join(dir, "ws.json")
	if err := os.Symlink("dotfiles/ws.json", link); err != nil {
		t.Fatal(err)
	}
	if err := SaveWorkspaces(link, []Workspace{{Name: "a", LocalPath: "/a"}}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink(link); err != nil || got != "dotfiles/ws.json" {
		t.Errorf("the link leads to %q (%v)", got, err)
	}
	if ws, err := LoadWorkspaces(target); err != nil || len(ws) != 1 {
		t.Errorf("the target holds %v (%v)", ws, err)
	}
	expectEntries(t, filepath.Join(dir, "dotfiles"), "ws.json")
}

// TestWriteAtomicallyCleansUp: a rename that fails leaves no temporary file.
func TestWriteAtomicallyCleansUp(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	expectError(t, "a directory", writeAtomically(filepath.Join(dir, "taken"), nil), "cannot put the new file in place")
	expectEntries(t, dir, "taken")
}

func expectEntries(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s holds %q, expected %q", dir, got, want)
	}
}

func FuzzWorkspaceFile(f *testing.F) {
	f.Add([]byte("[" + original + "]"))
	f.Add([]byte(`[{"name":"a","local_path":"/a/","x":1.0e5,"X":"\ud800\u2028<","on_empty":"allow","paused":true,"root_identity":{"device":1,"inode":2}}]`))
	f.Add([]byte(`[{"name":"a","local_path":"/\ufffd","remote_workspaces":[{"name":"r","remote_path":"~/./x","y":{ "z" : [ ] },"connection_info":{"Local":null,"RsyncDaemon":{"host":"h","password_file":"/p"}}}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ws, err := decodeWorkspaces(data)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "ws.json")
		if err := SaveWorkspaces(path, ws); err != nil {
			t.Fatalf("what was loaded cannot be saved: %v", err)
		}
		again, err := LoadWorkspaces(path)
		if err != nil || !reflect.DeepEqual(again, ws) {
			t.Errorf("saved and loaded again: %+v (%v), expected %+v", again, err, ws)
		}
		if unlike := lost(t, data, path); unlike != "" {
			t.Errorf("saving lost %s", unlike)
		}
		for i, w := range ws {
			if c := w.Clone(); !reflect.DeepEqual(c, ws[i]) {
				t.Errorf("the copy is %+v, expected %+v", c, w)
			}
		}
	})
}

// lost compares the members of each workspace before and after with the
// standard decoder, and names one that is not there any more.
func lost(t *testing.T, data []byte, path string) string {
	t.Helper()
	saved, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var before, after []map[string]any
	for data, into := range map[string]*[]map[string]any{string(data): &before, string(saved): &after} {
		decoder := json.NewDecoder(strings.NewReader(data))
		decoder.UseNumber() // others may be out of range
		if err := decoder.Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	ours := map[string]bool{}
	for _, f := range new(Workspace).fields() {
		ours[f.name] = true
	}
	for i := range before {
		for name, value := range before[i] {
			if got, ok := after[i][name]; !ours[name] && (!ok || !reflect.DeepEqual(got, value)) {
				return name
			}
		}
	}
	return ""
}
