package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// workspace makes a workspace with remotes "r0", "r1"...
func workspace(name, path string, remotes ...Remote) Workspace {
	w := Workspace{Name: name, LocalPath: path}
	for i, r := range remotes {
		r.Name = "r" + string(rune('0'+i))
		w.Remotes = append(w.Remotes, r)
	}
	return w
}

// expectError compares an error with a part of it, where "" is none.
func expectError(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s:\n got %v\nwant %s", what, err, want)
	case want != "" && strings.Contains(err.Error(), "\n"):
		t.Errorf("%s: the error has two lines: %v", what, err)
	}
}

func TestValidateWorkspace(t *testing.T) {
	twice := workspace("w", "/w", alias("a", "/1"), alias("a", "/2"))
	twice.Remotes[1].Name = "r0"
	onEmpty := workspace("w", "/w")
	onEmpty.OnEmpty = "maybe"
	ignore := func(patterns ...string) Workspace {
		w := workspace("w", "/w")
		w.Ignore = patterns
		return w
	}
	tagged := func(names ...string) Workspace {
		w := workspace("w", "/w")
		w.IgnoreTagged = names
		return w
	}
	for name, test := range map[string]struct {
		w    Workspace
		want string
	}{
		"good":                {workspace("w", "/w", alias("a", "/1"), local("/mnt")), ""},
		"name":                {workspace("a b", "/w"), `workspace "a b": the name "a b" is not allowed`},
		"empty path":          {workspace("w", ""), `workspace "w": the local path is empty`},
		"relative":            {workspace("w", "x"), "is relative"},
		"unclean":             {workspace("w", "/x/"), `expected "/x"`},
		"NUL":                 {workspace("w", "/x\x00"), "NUL"},
		"Latin-1":             {workspace("w", "/x\xe9"), "not UTF-8"},
		"newline":             {workspace("w", "/x\ny"), ""},
		"root":                {workspace("w", "/"), "local path is /"},
		"on_empty":            {onEmpty, `on_empty: expected halt or allow, found "maybe"`},
		"patterns":            {ignore("*.o", "!a", "a/b\tc", "Icon\r", "[a", ""), ""},
		"pattern, newline":    {ignore("a", "a\nb"), `workspace "w": the pattern "a\nb" has a newline or a NUL byte in it`},
		"pattern, NUL":        {ignore("a\x00"), "has a newline or a NUL byte"},
		"pattern, Latin-1":    {ignore("\xe9"), `the pattern "\xe9" is not UTF-8`},
		"tags":                {tagged("CACHEDIR.TAG", ".nobackup", "é a"), ""},
		"tag, empty":          {tagged("a", ""), `workspace "w": the name of a tag file is empty`},
		"tag, slash":          {tagged("a/b"), `"a/b" is no name of a tag file`},
		"tag, dots":           {tagged(".."), `".." is no name of a tag file`},
		"tag, newline":        {tagged("a\n"), "control character"},
		"tag, Latin-1":        {tagged("\xe9"), "not UTF-8"},
		"two of a name":       {twice, `workspace "w": remote "r0": there are two of that name`},
		"same destination":    {workspace("w", "/w", alias("host", "/1"), ssh("me", "HOST", 22, "/1")), `remote "r1": ssh://me@HOST:22/1 is or overlaps the destination host:/1 of remote "r0"`},
		"nested destination":  {workspace("w", "/w", local("/m/1"), local("/m")), "overlaps"},
		"other user":          {workspace("w", "/w", ssh("a", "host", 0, "/1"), ssh("b", "host", 0, "/1")), ""},
		"other port":          {workspace("w", "/w", ssh("", "host", 1, "/1"), ssh("", "host", 2, "/1")), ""},
		"other path":          {workspace("w", "/w", alias("host", "/1"), alias("host", "/12"), alias("host", "1")), ""},
		"same module":         {workspace("w", "/w", rsyncDaemon("a", "host", 0, "m"), rsyncDaemon("b", "host", 873, "m/x")), "overlaps"},
		"daemon and ssh":      {workspace("w", "/w", rsyncDaemon("", "host", 0, "m"), alias("host", "m")), ""},
		"local inside":        {workspace("w", "/w", local("/w/x")), "inside the workspace's directory"},
		"local around":        {workspace("w", "/w/x", local("/w")), "is inside the destination"},
		"local itself":        {workspace("w", "/w", local("/w")), "workspace's own directory"},
		"local, similar name": {workspace("w", "/w", local("/wx")), ""},
	} {
		expectError(t, name, test.w.Validate(), test.want)
	}
}

func TestValidateRemote(t *testing.T) {
	both := alias("h", "/p")
	both.Connection.Local = &Local{}
	identity := func(path string) Remote {
		r := ssh("", "h", 0, "/p")
		r.Connection.SSH.IdentityFile = path
		return r
	}
	password := func(path string) Remote {
		r := rsyncDaemon("", "h", 0, "m")
		r.Connection.RsyncDaemon.PasswordFile = path
		return r
	}
	for name, test := range map[string]struct {
		r    Remote
		want string
	}{
		"no connection":          {Remote{RemotePath: "/p"}, `remote "r": the connection is missing`},
		"two connections":        {both, "more than one connection"},
		"host with port":         {alias("h:22", "/p"), `has ":" in it`},
		"host in brackets":       {alias("[::1]", "/p"), `has "[" in it`},
		"IPv6":                   {alias("::1", "/p"), ""},
		"IPv6 with strange zone": {alias("::1%a b", "/p"), "space"},
		"host with user":         {alias("me@h", "/p"), `has "@" in it`},
		"host with slash":        {alias("a/b", "/p"), `has "/" in it`},
		"host with tab":          {alias("a\tb", "/p"), "space or a control"},
		"host with wide space":   {alias("a\u2003b", "/p"), "space or a control"},
		"negative port":          {ssh("", "h", -1, "/p"), "the port is -1"},
		"port":                   {rsyncDaemon("", "h", 65536, "m"), "the port is 65536"},
		"user with space":        {ssh("a b", "h", 0, "/p"), "space"},
		"user with backslash":    {ssh(`a\`, "h", 0, "/p"), "backslash"},
		"identity":               {identity("/id"), ""},
		"identity at home":       {identity("~/.ssh/id"), ""},
		"relative identity":      {identity("id"), "expected an absolute one"},
		"other's identity":       {identity("~you/id"), "expected an absolute one"},
		"password file":          {password("/p"), ""},
		"password at home":       {password("~/p"), "expected an absolute one"},
		"password newline":       {password("/p\n"), "control character"},
		"path with dot":          {alias("h", "/a/./b"), `expected "/a/b"`},
		"path with slash":        {alias("h", "/a/"), `expected "/a"`},
		"local relative":         {local("x"), "expected an absolute local path"},
		"local empty":            {local(""), "expected an absolute local path"},
		"slashes":                {alias("h", "//"), "the root of the remote"},
		"empty":                  {alias("h", ""), "login directory"},
		"module dot":             {rsyncDaemon("", "h", 0, "."), "module is missing"},
		"module slash":           {rsyncDaemon("", "h", 0, "/m"), `expected "m"`},
		"option in path":         {rsyncDaemon("", "h", 0, "-m"), `begins with "-"`},
		"escape character":       {alias("h", "/a\x1b[2J"), "control character"},
		"delete character":       {alias("h", "/a\x7f"), "control character"},
	} {
		test.r.Name = "r"
		expectError(t, name, test.r.Validate(), test.want)
	}
	expectError(t, "name", Remote{Name: "-r"}.Validate(), `remote "-r": the name "-r" begins with "-"`)
}

func TestValidateAll(t *testing.T) {
	for name, test := range map[string]struct {
		all  []Workspace
		want string
	}{
		"none":       {nil, ""},
		"two":        {[]Workspace{workspace("a", "/a", alias("h", "/a")), workspace("b", "/b", alias("h", "/b"))}, ""},
		"no name":    {[]Workspace{workspace("a", "/a"), workspace("", "/b")}, "workspace number 2: the name is empty"},
		"invalid":    {[]Workspace{workspace("a", "/a", alias("", "/x"))}, `workspace "a": remote "r0": the host is empty`},
		"same name":  {[]Workspace{workspace("a", "/a"), workspace("a", "/b")}, `workspace "a": there are two of that name`},
		"same path":  {[]Workspace{workspace("a", "/a"), workspace("b", "/a")}, `workspace "b": its directory /a is that of workspace "a" already`},
		"inside":     {[]Workspace{workspace("a", "/a"), workspace("b", "/a/b")}, `workspace "b": its directory /a/b is inside /a of workspace "a"`},
		"around":     {[]Workspace{workspace("a", "/a/b"), workspace("b", "/a")}, `workspace "b": its directory /a holds /a/b of workspace "a"`},
		"similar":    {[]Workspace{workspace("a", "/a"), workspace("b", "/ab")}, ""},
		"same place": {[]Workspace{workspace("a", "/a", alias("h", "/x")), workspace("b", "/b", alias("h", "/x/y"))}, `workspace "b": remote "r0": h:/x/y is or overlaps the destination h:/x of remote "r0" of workspace "a"`},
		"overwrites": {[]Workspace{workspace("a", "/a"), workspace("b", "/b", local("/a"))}, `workspace "b": remote "r0": the destination /a is or holds the directory /a of workspace "a"`},
		"overwritten": {[]Workspace{workspace("a", "/a", local("/m")), workspace("b", "/m/b")},
			`workspace "b": remote "r0" of workspace "a": the destination /m is or holds the directory /m/b of workspace "b"`},
		"backup of a mirror": {[]Workspace{workspace("a", "/a", local("/m/a")), workspace("b", "/m")}, ""},
		"mirror into each other": {[]Workspace{workspace("a", "/a", local("/b/a")), workspace("b", "/b", local("/a/b"))},
			`workspace "b": remote "r0": the destination /a/b is inside workspace "a"`},
	} {
		expectError(t, name, ValidateAll(test.all), test.want)
	}
}

func TestCheckLocalPath(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expectError(t, "directory", CheckLocalPath(dir), "")
	expectError(t, "missing", CheckLocalPath(filepath.Join(dir, "x")), "does not exist")
	expectError(t, "file", CheckLocalPath(file), "is not a directory")
	expectError(t, "below a file", CheckLocalPath(filepath.Join(file, "x")), "cannot look at the directory")
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o300); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		expectError(t, "unreadable", CheckLocalPath(closed), "cannot read the directory")
	}
}

func TestCheckAgainst(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"src/sub", "mnt", "home/me"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"link": "src", "up": "..", "mnt/home": "../home"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ source, dest, want string }{
		{"src", "mnt", ""},
		{"src", "mnt/new/dir", ""},
		{"src", "src2", ""},
		{"src", "src", "own directory"},
		{"src", "src/new", "inside the workspace's directory"},
		{"src", "link", "own directory"},
		{"src", "link/new/dir", "inside the workspace's directory"},
		{"src", "up", "is inside the destination"},
		{"link/sub", "src", "is inside the destination"},
		{"link", "src/new", "inside the workspace's directory"},
		{"src", "home", "is or holds the home directory"},
		{"src", "home/me", "is or holds the home directory"},
		{"src", "mnt/home/me", "is or holds the home directory"},
		{"src", "home/me/mirror", ""},
		{"src", "home/you", ""},
	} {
		r := local(filepath.Join(dir, test.dest))
		r.Name = "r"
		expectError(t, test.source+" to "+test.dest, r.CheckAgainst(filepath.Join(dir, test.source), filepath.Join(dir, "home/me")), test.want)
	}
	if err := alias("h", dir).CheckAgainst(dir, dir); err != nil {
		t.Errorf("a remote on another machine: %v", err)
	}
	if err := local("/x").CheckAgainst("/y", ""); err != nil {
		t.Errorf("without a home: %v", err)
	}
}
