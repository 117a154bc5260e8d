package config

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// original is a workspace in the original's format, with fields that this
// version does not know on every level.
const original = `{
  "name": "site", "local_path": "/home/me/site", "zz": [1, 2], "aa": "<&>",
  "remote_workspaces": [
    {"name": "web", "remote_path": "/srv/site", "priority": 7,
     "connection_info": {"Ssh": {"host": "web", "port": 2222, "username": "me", "identity_file": "/home/me/.ssh/id", "new": true}}},
    {"name": "bare", "remote_path": "/srv/site",
     "connection_info": {"Ssh": {"host": "bare", "port": null, "username": null, "identity_file": null}}},
    {"name": "alias", "remote_path": "site", "connection_info": {"HostAlias": {"host_alias": "nas", "new": {"a": 1}}}},
    {"name": "daemon", "remote_path": "module/site", "connection_info": {"RsyncDaemon": {"host": "nas", "port": null, "username": null, "new": 1}}},
    {"name": "disk", "remote_path": "/mnt/site", "connection_info": {"Local": {"new": null}}}
  ]
}`

func TestWorkspaceJSON(t *testing.T) {
	var w Workspace
	if err := json.Unmarshal([]byte(original), &w); err != nil {
		t.Fatal(err)
	}
	if err := w.Validate(); err != nil {
		t.Error(err)
	}
	wantSSH := SSH{Host: "web", Port: 2222, Username: "me", IdentityFile: "/home/me/.ssh/id", unknown: map[string]json.RawMessage{"new": json.RawMessage("true")}}
	if got := *w.Remotes[0].Connection.SSH; !reflect.DeepEqual(got, wantSSH) {
		t.Errorf("SSH is %+v, expected %+v", got, wantSSH)
	}
	data, err := encodeValue(w)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"name":"site","local_path":"/home/me/site","remote_workspaces":[` +
		`{"name":"web","remote_path":"/srv/site","connection_info":{"Ssh":{"host":"web","port":2222,"username":"me","identity_file":"/home/me/.ssh/id","new":true}},"priority":7},` +
		`{"name":"bare","remote_path":"/srv/site","connection_info":{"Ssh":{"host":"bare","port":null,"username":null,"identity_file":null}}},` +
		`{"name":"alias","remote_path":"site","connection_info":{"HostAlias":{"host_alias":"nas","new":{"a":1}}}},` +
		`{"name":"daemon","remote_path":"module/site","connection_info":{"RsyncDaemon":{"host":"nas","port":null,"username":null,"new":1}}},` +
		`{"name":"disk","remote_path":"/mnt/site","connection_info":{"Local":{"new":null}}}` +
		`],"aa":"<&>","zz":[1,2]}`
	if string(data) != want {
		t.Errorf("written:\n%s\nexpected:\n%s", data, want)
	}
}

func TestWorkspaceJSONOwnFields(t *testing.T) {
	w := Workspace{
		Name: "a", LocalPath: "/a", Paused: true, OnEmpty: OnEmptyAllow, SkipGit: true,
		GitIgnore: true, Ignore: []string{"*.o", "!a.o", "\t <&>é"}, NoDefaultIgnores: true, IgnoreTagged: []string{"CACHEDIR.TAG"}, Root: &RootIdentity{Device: 1<<64 - 1, Inode: 2},
		Remotes: []Remote{{Name: "r", RemotePath: "m", Paused: true, AdoptionPending: true, DelayUpdates: true, Trash: Age(36 * time.Hour),
			Connection: Connection{RsyncDaemon: &RsyncDaemon{Host: "h", Port: 8730, Username: "u", PasswordFile: "/p"}}}},
	}
	// Through pointers, values and other structs, as on the daemon's API.
	data, err := json.Marshal(struct{ W Workspace }{w})
	if err != nil {
		t.Fatal(err)
	}
	var back struct{ W Workspace }
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.W, w) {
		t.Errorf("read back %+v, expected %+v", back.W, w)
	}
	data, err = json.Marshal(Workspace{})
	if want := `{"name":"","local_path":"","remote_workspaces":[]}`; err != nil || string(data) != want {
		t.Errorf("a zero workspace is %s (%v), expected %s", data, err, want)
	}
}

func TestWorkspaceJSONErrors(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{`[]`, `expected an object, found a list`},
		{`{"name":5}`, `name: expected a string, found 5`},
		{`{"paused":"yes"}`, `paused: expected true or false, found "yes"`},
		{`{"ignore":"*.o"}`, `ignore: expected a list, found "*.o"`},
		{`{"ignore":["*.o",5]}`, `ignore[1]: expected a string, found 5`},
		{`{"ignore_tagged":[{}]}`, `ignore_tagged[0]: expected a string, found an object`},
		{`{"gitignore":1}`, `gitignore: expected true or false, found 1`},
		{`{"name":"a","name":"b"}`, `name: the field appears twice`},
		{`{"root_identity":{"device":-1}}`, `root_identity: expected an object with the whole numbers "device" and "inode", found an object`},
		{`{"remote_workspaces":{}}`, `remote_workspaces: expected a list, found an object`},
		{`{"remote_workspaces":[{},{"connection_info":{"Ssh":{"port":"22"}}}]}`, `remote_workspaces[1].connection_info.Ssh.port: expected a whole number, found "22"`},
		{`{"remote_workspaces":[{"connection_info":{"Sftp":{}}}]}`, `remote_workspaces[0].connection_info: unknown connection "Sftp": expected Ssh, HostAlias, RsyncDaemon or Local`},
	} {
		var w Workspace
		if err := json.Unmarshal([]byte(test.data), &w); err == nil || err.Error() != test.want {
			t.Errorf("%s:\n got %v\nwant %s", test.data, err, test.want)
		}
	}
}

// TestWorkspaceJSONCase: a name in another case is another, unknown field.
func TestWorkspaceJSONCase(t *testing.T) {
	var w Workspace
	const data = `{"name":"a","local_path":"/a","remote_workspaces":[],"NAME":"b"}`
	if err := json.Unmarshal([]byte(data), &w); err != nil || w.Name != "a" {
		t.Errorf("name is %q, error %v", w.Name, err)
	}
	if back, err := json.Marshal(w); err != nil || string(back) != data {
		t.Errorf("written back as %s (%v)", back, err)
	}
}

// TestTagsAgree compares the struct tags, which people read, with the tables
// of fields, which the program reads.
func TestTagsAgree(t *testing.T) {
	for _, test := range []struct {
		value  any
		fields []field
	}{
		{Workspace{}, new(Workspace).fields()},
		{Remote{}, new(Remote).fields()},
		{Connection{}, new(Connection).fields()},
		{SSH{}, new(SSH).fields()},
		{HostAlias{}, new(HostAlias).fields()},
		{RsyncDaemon{}, new(RsyncDaemon).fields()},
		{Local{}, nil},
	} {
		typ := reflect.TypeOf(test.value)
		var tags, names []string
		for f := range typ.Fields() {
			if f.IsExported() {
				tags = append(tags, f.Tag.Get("json"))
			}
		}
		for _, f := range test.fields {
			name := f.name
			if f.zero == leftOut {
				name += ",omitempty"
			}
			names = append(names, name)
		}
		if !reflect.DeepEqual(tags, names) {
			t.Errorf("%s: tags %q, fields %q", typ, tags, names)
		}
	}
}

func TestClone(t *testing.T) {
	var w Workspace
	if err := json.Unmarshal([]byte(original), &w); err != nil {
		t.Fatal(err)
	}
	w.Root = &RootIdentity{Device: 1, Inode: 2}
	w.Ignore, w.IgnoreTagged = []string{"*.o"}, []string{"TAG"}
	before, _ := json.Marshal(w)
	c := w.Clone()
	if !reflect.DeepEqual(c, w) {
		t.Errorf("the copy %+v differs from %+v", c, w)
	}
	c.Root.Inode = 9
	c.Ignore[0], c.IgnoreTagged[0] = "changed", "changed"
	c.unknown["aa"][0] = 'x'
	c.unknown["more"] = json.RawMessage("1")
	for i := range c.Remotes {
		r := &c.Remotes[i]
		r.Name = "changed"
		for name := range r.unknown {
			r.unknown[name][0] = 'x'
		}
		switch {
		case r.Connection.SSH != nil:
			r.Connection.SSH.Host = "changed"
			delete(r.Connection.SSH.unknown, "new")
		case r.Connection.HostAlias != nil:
			r.Connection.HostAlias.HostAlias = "changed"
			delete(r.Connection.HostAlias.unknown, "new")
		case r.Connection.RsyncDaemon != nil:
			r.Connection.RsyncDaemon.Host = "changed"
			delete(r.Connection.RsyncDaemon.unknown, "new")
		case r.Connection.Local != nil:
			delete(r.Connection.Local.unknown, "new")
		}
	}
	if after, _ := json.Marshal(w); string(after) != string(before) {
		t.Errorf("changing the copy changed the original from\n%s\nto\n%s", before, after)
	}
}

func TestKind(t *testing.T) {
	for want, c := range map[Kind][]Connection{
		KindSSH:         {{SSH: &SSH{}}, {HostAlias: &HostAlias{}}},
		KindRsyncDaemon: {{RsyncDaemon: &RsyncDaemon{}}},
		KindLocal:       {{Local: &Local{}}},
		KindNone:        {{}},
	} {
		for _, c := range c {
			if got := c.Kind(); got != want {
				t.Errorf("%+v is %q, expected %q", c, got, want)
			}
		}
	}
}

func TestValidateName(t *testing.T) {
	for _, name := range []string{"a", "A-1_2.x", "_", "0", strings.Repeat("n", 64)} {
		if err := ValidateName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "-a", ".", "..", ".a", "a b", "a/b", "é", "a\n", "a\x00", "a:b", strings.Repeat("n", 65)} {
		if err := ValidateName(name); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error is %v", name, err)
		}
	}
}
