package config

import (
	"reflect"
	"strings"
	"testing"
)

func alias(host, path string) Remote {
	return Remote{RemotePath: path, Connection: Connection{HostAlias: &HostAlias{HostAlias: host}}}
}

func ssh(user, host string, port int, path string) Remote {
	return Remote{RemotePath: path, Connection: Connection{SSH: &SSH{Host: host, Port: port, Username: user}}}
}

func rsyncDaemon(user, host string, port int, path string) Remote {
	return Remote{RemotePath: path, Connection: Connection{RsyncDaemon: &RsyncDaemon{Host: host, Port: port, Username: user}}}
}

func local(path string) Remote {
	return Remote{RemotePath: path, Connection: Connection{Local: &Local{}}}
}

func TestParseDestination(t *testing.T) {
	for _, test := range []struct {
		dest  string
		want  Remote
		shown string // Destination()
	}{
		{"host:/path", alias("host", "/path"), "host:/path"},
		{"host:path/to", alias("host", "path/to"), "host:path/to"},
		{"host:~/path", alias("host", "path"), "host:path"},
		{"host:./path/.//to/", alias("host", "path/to"), "host:path/to"},
		{"host://path", Remote{}, ""},
		{"host:2222", alias("host", "2222"), "host:2222"},
		{"host:./2222:/path", alias("host", "2222:/path"), "host:./2222:/path"},
		{"host:/2222:/path", alias("host", "/2222:/path"), "host:/2222:/path"},
		{"host:/path//to///", alias("host", "/path/to"), "host:/path/to"},
		{"host:/a b:c@d#é", alias("host", "/a b:c@d#é"), "host:/a b:c@d#é"},
		{"host:/~/x", alias("host", "/~/x"), "host:/~/x"},
		{"me@host:/path", ssh("me", "host", 0, "/path"), "me@host:/path"},
		{"me@example.com@host:path", ssh("me@example.com", "host", 0, "path"), "me@example.com@host:path"},
		{`DOM\me@host:path`, ssh(`DOM\me`, "host", 0, "path"), `DOM\me@host:path`},
		{"[::1]:/path", alias("::1", "/path"), "[::1]:/path"},
		{"me@[fe80::1%eth0]:/path", ssh("me", "fe80::1%eth0", 0, "/path"), "me@[fe80::1%eth0]:/path"},
		{"ssh://host/path", alias("host", "/path"), "host:/path"},
		{"SSH://me@host/path/", ssh("me", "host", 0, "/path"), "me@host:/path"},
		{"ssh://me@host:2222/path", ssh("me", "host", 2222, "/path"), "ssh://me@host:2222/path"},
		{"ssh://host:2222/~/path", ssh("", "host", 2222, "path"), "ssh://host:2222/~/path"},
		{"ssh://host:2222//~/path", ssh("", "host", 2222, "/~/path"), "ssh://host:2222//~/path"},
		{"ssh://me@[::1]:2222/path", ssh("me", "::1", 2222, "/path"), "ssh://me@[::1]:2222/path"},
		{"rsync://host/module", rsyncDaemon("", "host", 0, "module"), "rsync://host/module"},
		{"rsync://me@host:8730/module/path/", rsyncDaemon("me", "host", 8730, "module/path"), "rsync://me@host:8730/module/path"},
		{"rsync://[::1]:8730/module", rsyncDaemon("", "::1", 8730, "module"), "rsync://[::1]:8730/module"},
		{"rsync://[::1]/module", rsyncDaemon("", "::1", 0, "module"), "rsync://[::1]/module"},
		{"me@host::module/path", rsyncDaemon("me", "host", 0, "module/path"), "rsync://me@host/module/path"},
		{"host::/module", rsyncDaemon("", "host", 0, "module"), "rsync://host/module"},
		{"/mnt/disk/", local("/mnt/disk"), "/mnt/disk"},
		{"/mnt/host:path", local("/mnt/host:path"), "/mnt/host:path"},
		{"/mnt/-x", local("/mnt/-x"), "/mnt/-x"},
	} {
		got, err := ParseDestination(test.dest)
		if test.shown == "" {
			if err == nil {
				t.Errorf("%q is accepted", test.dest)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q is %+v %+v, expected %+v %+v", test.dest, got, got.Connection, test.want, test.want.Connection)
		}
		if shown := got.Destination(); shown != test.shown {
			t.Errorf("%q is shown as %q, expected %q", test.dest, shown, test.shown)
		}
	}
}

func TestParseDestinationErrors(t *testing.T) {
	for _, test := range []struct{ dest, want string }{
		{"foo", `cannot understand destination "foo": expected host:/path, rsync://host/module or an absolute local path`},
		{"", `expected host:/path`},
		{"./x", "must be written as an absolute path"},
		{"~/x", "must be written as an absolute path"},
		{"x/y:z", "must be written as an absolute path"},
		{"http://host/path", "http:// is not supported"},
		{"host:", "login directory itself"},
		{"host:.", "login directory itself"},
		{"host:~", "login directory itself"},
		{"host:~/", "login directory itself"},
		{"ssh://host/~", "login directory itself"},
		{"ssh://host/~/", "login directory itself"},
		{"host:~other/x", `begins with "~"`},
		{"ssh://host/~/:x", `begins with ":"`},
		{"host:2222:/x", `"2222" after the host is no port here: write ssh://host:2222/x, or give --port 2222`},
		{"me@host:22:/srv/x", "write ssh://me@host:22/srv/x,"},
		{"me@[::1]:22:x", "write ssh://me@[::1]:22/~/x,"},
		{"host:/", "the root of the remote"},
		{"host:/./", "the root of the remote"},
		{"/", "the root of the remote"},
		{"ssh://host", "the path is missing"},
		{"ssh://host/", "the path is missing"},
		{"host:../x", `".."`},
		{"host:/a/../b", `".."`},
		{"/a/..", `".."`},
		{"host:-x", `begins with "-"`},
		{"-oProxyCommand=x:/path", `begins with "-"`},
		{"me@-host:/path", `begins with "-"`},
		{"-me@host:/path", `begins with "-"`},
		{":/path", "the host is empty"},
		{"@host:/path", `before "@" is empty`},
		{"me@:/path", "the host is empty"},
		{"ho st:/path", "space or a control character"},
		{"host\n:/path", "space or a control character"},
		{"host:/pa\nth", "control character"},
		{"host:/pa\x00th", "control character"},
		{"host:/pa\xffth", "not UTF-8"},
		{"$(x):/path", `has "$" in it`},
		{"::1:/path", "the host is empty"},
		{"[::1:/path", "cannot understand"},
		{"[host]:/path", "not an IPv6 address"},
		{"ssh://::1/path", "cannot understand"},
		{"ssh://host:/path", "a number from 1 to 65535"},
		{"ssh://host:0/path", "a number from 1 to 65535"},
		{"ssh://host:65536/path", "a number from 1 to 65535"},
		{"ssh://host:ssh/path", "a number from 1 to 65535"},
		{"ssh://me:secret@host/path", "password must not stand"},
		{"rsync://me:secret@host/module", "password must not stand"},
		{"rsync://host", "the module is missing"},
		{"rsync://host/", "the module is missing"},
		{"host::", "the module is missing"},
		{"rsync://host/-m", `begins with "-"`},
		{"rsync://host/m/../n", `".."`},
	} {
		r, err := ParseDestination(test.dest)
		if err == nil {
			t.Errorf("%q is accepted as %+v", test.dest, r)
			continue
		}
		if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "cannot understand destination ") {
			t.Errorf("%q: error %q, expected %q in one line", test.dest, err, test.want)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows the password: %v", test.dest, err)
		}
	}
}

func TestApply(t *testing.T) {
	with := func(r Remote, identity, password string) Remote {
		if identity != "" {
			r.Connection.SSH.IdentityFile = identity
		}
		if password != "" {
			r.Connection.RsyncDaemon.PasswordFile = password
		}
		return r
	}
	for _, test := range []struct {
		dest  string
		flags DestinationFlags
		want  Remote
		err   string
	}{
		{"host:/p", DestinationFlags{}, alias("host", "/p"), ""},
		{"host:/p", DestinationFlags{Port: 2222}, ssh("", "host", 2222, "/p"), ""},
		{"host:/p", DestinationFlags{User: "me", IdentityFile: "/id"}, with(ssh("me", "host", 0, "/p"), "/id", ""), ""},
		{"me@host:/p", DestinationFlags{User: "me", Port: 1}, ssh("me", "host", 1, "/p"), ""},
		{"ssh://host:1/p", DestinationFlags{Port: 1}, ssh("", "host", 1, "/p"), ""},
		{"host::m", DestinationFlags{Port: 1, User: "me", PasswordFile: "/pw"}, with(rsyncDaemon("me", "host", 1, "m"), "", "/pw"), ""},
		{"/p", DestinationFlags{}, local("/p"), ""},

		{"me@host:/p", DestinationFlags{User: "you"}, Remote{}, "the user is given twice: me in the destination, you with --user"},
		{"ssh://host:1/p", DestinationFlags{Port: 2}, Remote{}, "the port is given twice"},
		{"rsync://host:1/p", DestinationFlags{Port: 2}, Remote{}, "the port is given twice"},
		{"host:/p", DestinationFlags{Port: -1}, Remote{}, "from 1 to 65535"},
		{"host:/p", DestinationFlags{Port: 65536}, Remote{}, "from 1 to 65535"},
		{"host:/p", DestinationFlags{User: "-me"}, Remote{}, `begins with "-"`},
		{"host:/p", DestinationFlags{User: "me:secret"}, Remote{}, `has ":" in it`},
		{"host:/p", DestinationFlags{IdentityFile: "id"}, Remote{}, "expected an absolute one"},
		{"host:/p", DestinationFlags{PasswordFile: "/pw"}, Remote{}, "--password-file is for rsync daemons"},
		{"host::m", DestinationFlags{IdentityFile: "/id"}, Remote{}, "--identity-file is for ssh"},
		{"host::m", DestinationFlags{PasswordFile: "pw"}, Remote{}, "expected an absolute one"},
		{"/p", DestinationFlags{Port: 1}, Remote{}, "directory of this machine"},
	} {
		r, err := ParseDestination(test.dest)
		if err != nil {
			t.Fatal(err)
		}
		before := r.Clone()
		err = r.Apply(test.flags)
		switch {
		case test.err == "" && err != nil:
			t.Errorf("%q with %+v: %v", test.dest, test.flags, err)
		case test.err == "" && !reflect.DeepEqual(r, test.want):
			t.Errorf("%q with %+v is %+v, expected %+v", test.dest, test.flags, r, test.want)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%q with %+v: error %v, expected %q", test.dest, test.flags, err, test.err)
		case test.err != "" && !reflect.DeepEqual(r, before):
			t.Errorf("%q with %+v: the error changed the remote to %+v", test.dest, test.flags, r)
		}
	}
}

func FuzzParseDestination(f *testing.F) {
	for _, seed := range []string{"host:/path", "me@[::1]:~/x/../y", "ssh://me@host:22/~/x", "ssh://h:1//~/x", "rsync://[::1]:1/m//p/.", "a@b@h::m", "/a/./b/", "h:~/~", "h:::x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dest string) {
		r, err := ParseDestination(dest)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has two lines: %q", err)
			}
			return
		}
		again, err := ParseDestination(r.Destination())
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("%q is shown as %q, which is %+v (%v), expected %+v", dest, r.Destination(), again, err, r)
		}
		r.Name = "r"
		if err := r.Validate(); err != nil {
			t.Errorf("%q is accepted and not valid: %v", dest, err)
		}
	})
}

// TestMisplacedPort: what is advised leads to the same place.
func TestMisplacedPort(t *testing.T) {
	for dest, want := range map[string]string{
		"h:2222:/x/y": "write ssh://h:2222/x/y, or", "me@h:2222:x": "write ssh://me@h:2222/~/x, or", "h:2222:~/x": "write ssh://h:2222/~/x, or",
	} {
		if _, err := ParseDestination(dest); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", dest, err, want)
		}
	}
}
