package rsync

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/remotefs"
	"wsync/monitor/remotetest"
)

// common are the arguments of every run.
var common = []string{"--links", "--perms", "--times", "--owner", "--group", "--devices", "--specials", "--timeout=120", "--out-format=%i %l %n"}

func TestJobs(t *testing.T) {
	t.Parallel()
	plain := local("/dst", Strategy{})
	able := local("/dst/", modern)
	basic := local("/dst", Strategy{Basic: true})
	trashing, trashingBasic := local("/dst", Strategy{}), local("/dst", Strategy{Basic: true})
	trashing.Remote.Trash, trashingBasic.Remote.Trash = config.Age(time.Hour), config.Age(time.Hour)
	trashing.Began = time.Date(2026, 1, 2, 4, 4, 5, 6, time.FixedZone("", 3600))
	trashingBasic.Began = trashing.Began
	probing := trashing
	probing.Began = time.Time{}
	trash := []string{"--backup", "--backup-dir=.wsync-trash/2026-01-02T03-04-05.000000Z", "--exclude=/.wsync-trash"}
	delayed, delayedBasic := local("/dst", Strategy{}), local("/dst", Strategy{Basic: true})
	delayed.Remote.DelayUpdates, delayedBasic.Remote.DelayUpdates = true, true
	sweep, _ := SweepDelayed(delayed)
	moded, modeless := local("/dst", Strategy{}), local("/dst", Strategy{Capabilities: remotefs.Capabilities{NoModes: true}})
	moded.Remote.Chmod, moded.Remote.Umask, modeless.Remote.Chmod = "D755", "022", "D755"
	left := local("/dst", Strategy{})
	left.Remote.Devices = config.DevicesOff
	linked := local("/dst", Strategy{})
	linked.Remote.HardLinks = true
	moding := []string{"--chmod=D755,g-w,o-w"}
	delay := []string{"--delay-updates", "--partial-dir=.wsync-delayed", "--filter=-p .wsync-delayed/"}
	paths := []string{"a", "#b", "d/c"}
	except := []string{"x y", "d/*"}
	const input = "./a\x00./#b\x00./d/c\x00"
	rules := []string{"--exclude=/x y", `--exclude=/d/\*`}
	files := []string{"--relative", "--dirs", "--from0", "--files-from=-"}
	for _, test := range []struct {
		name  string
		job   Job
		args  []string // without the common ones and the last three
		input string
	}{
		{"look", Look(able, except), append([]string{"--modify-window=-1", "--recursive", "--delete", "--dry-run", "--stats", "--mkpath"}, rules...), ""},
		{"basic look", Look(basic, nil), []string{"--recursive", "--delete", "--dry-run", "--stats"}, ""},
		{"look with trash", Look(probing, nil), []string{"--recursive", "--delete", "--dry-run", "--stats", "--exclude=/.wsync-trash"}, ""},
		{"look behind delayed updates", Look(delayed, nil), []string{"--recursive", "--delete", "--dry-run", "--stats", "--filter=-p .wsync-delayed/"}, ""},
		{"look into directories", LookInto(able, paths, except), append([]string{"--modify-window=-1", "--recursive", "--delete", "--dry-run", "--relative", "--dirs", "--from0", "--files-from=-", "--delete-missing-args"}, rules...), input},
		{"basic look into directories", LookInto(basic, paths, nil).Contents(basic), []string{"--ignore-times", "--recursive", "--delete", "--dry-run", "--relative", "--dirs", "--from0", "--files-from=-"}, input},
		{"pass", Paths(able, paths, false).WithoutMissing().Making(able), append(append([]string{"--mkpath", "--modify-window=-1"}, files...), "--force", "--ignore-missing-args"), input},
		{"list of deletions", ListDeletions(able, except), append([]string{"--recursive", "--delete", "--dry-run"}, rules...), ""},
		{"removal", Remove(able, []string{"d/c"}), append(slices.Clone(files), "--delete-missing-args", "--no-perms", "--no-owner", "--no-group", "--force", "--modify-window=-1"), "./d/c\x00"},
		{"basic removal", Remove(basic, []string{"d/c"}), []string{"--recursive", "--delete", "--from0", "--include-from=-", "--exclude=*", "--no-perms", "--no-owner", "--no-group"}, "/d/\x00/d/c\x00/d/c/**\x00"},
		{"contents", Paths(able, paths, true), append(append([]string{"--modify-window=-1"}, files...), "--force", "--delete-missing-args", "--ignore-times"), input},
		{"quick", Paths(plain, paths, false), append(slices.Clone(files), "--force"), input},
		{"basic paths", Paths(basic, paths, true), append(slices.Clone(files), "--ignore-times"), input},
		{"hard links", Paths(linked, paths, false), slices.Concat([]string{"--hard-links"}, files, []string{"--force"}), input},
		{"modes with hard links", ModesAndTimes(linked, []string{"d"}), append(slices.Clone(files), "--existing", "--ignore-existing", "--no-owner", "--no-group"), "./d\x00"},
		{"without devices", Root(left).with("--devices").with("--specials"), []string{"--dirs", "--exclude=/*"}, ""},
		{"modes there", Paths(moded, paths, false), slices.Concat(moding, files, []string{"--force"}), input},
		{"look with modes there", Look(moded, nil), append(moding, "--recursive", "--delete", "--dry-run", "--stats"), ""},
		{"modes from a skeleton", Modes(moded, []string{"d"}), append([]string{"--omit-dir-times"}, append(slices.Clone(files), "--existing", "--ignore-existing", "--no-owner", "--no-group")...), "./d\x00"},
		{"removal with modes there", RemoveAlone(moded, []string{"d/c"}), []string{"--recursive", "--delete", "--from0", "--include-from=-", "--exclude=*", "--no-perms", "--no-owner", "--no-group"}, "/d/\x00/d/c\x00"},
		{"deletions", Deletions(plain, []string{"a", "d/c", "d/e*"}), []string{"--recursive", "--delete", "--from0", "--include-from=-", "--exclude=*"},
			"/a\x00/a/**\x00/d/\x00/d/c\x00/d/c/**\x00/d/e\\*\x00/d/e\\*/**\x00"},
		{"count", CountDeletions(plain, []string{"a"}), []string{"--dry-run", "--recursive", "--delete", "--from0", "--include-from=-", "--exclude=*"}, "/a\x00/a/**\x00"},
		{"root", Root(plain), []string{"--dirs", "--exclude=/*"}, ""},
		{"list of deletions with trash", ListDeletions(trashing, nil), []string{"--recursive", "--delete", "--dry-run", "--exclude=/.wsync-trash"}, ""},
		{"removal with trash", Remove(trashing, []string{"a"}), append([]string{"--recursive", "--delete", "--from0", "--include-from=-", "--exclude=*", "--no-perms", "--no-owner", "--no-group", "--force"}, trash...), "/a\x00/a/**\x00"},
		{"contents with trash", Paths(trashing, paths, true), append(append(slices.Clone(files), "--force", "--checksum"), trash...), input},
		{"deletions with trash", Deletions(trashing, []string{"a"}), append([]string{"--recursive", "--delete", "--from0", "--include-from=-", "--exclude=*"}, trash...), "/a\x00/a/**\x00"},
		{"probe with trash", Deletions(probing, []string{"a"}), []string{"--recursive", "--delete", "--from0", "--include-from=-", "--exclude=*", "--exclude=/.wsync-trash"}, "/a\x00/a/**\x00"},
		{"delayed paths", Paths(delayed, paths, true), append(append(slices.Clone(files), "--force", "--ignore-times"), delay...), input},
		{"list of deletions behind delayed updates", ListDeletions(delayed, nil), []string{"--recursive", "--delete", "--dry-run", "--filter=-p .wsync-delayed/"}, ""},
		{"sweep behind delayed updates", sweep, []string{"--recursive", "--delete", "--existing", "--ignore-existing",
			"--filter=H .wsync-delayed/", "--filter=R .wsync-delayed/***", "--filter=P *", "--filter=S */", "--filter=H *"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := slices.Clone(test.job.Args)
			i := len(got) - 3
			if i < 0 || !slices.Equal(got[i:], []string{"--", "./", "/dst/"}) {
				t.Fatalf("ends with %q", got)
			}
			got = got[:i]
			for _, arg := range common {
				j := slices.Index(got, arg)
				if j < 0 {
					t.Fatalf("no %s in %q", arg, got)
				}
				got = slices.Delete(got, j, j+1)
				// Nor is that of other mirrors, but where a remote knows no such rule.
				got = slices.DeleteFunc(got, func(a string) bool { return a == "--filter=H .wsync-tmp/" })
			}
			if !slices.Contains(got, "--filter=P *") {
				// What is wsync's own is never compared, let alone deleted.
				j := slices.Index(got, "--exclude=/.wsync-tmp")
				if j < 0 {
					t.Fatalf("nothing protects what is wsync's own in %q", got)
				}
				got = slices.Delete(got, j, j+1)
				// Nor is that of other mirrors, but where a remote knows no such rule.
				got = slices.DeleteFunc(got, func(a string) bool { return a == "--filter=H .wsync-tmp/" })
			}
			// --dry-run may stand anywhere.
			slices.Sort(got)
			want := slices.Sorted(slices.Values(test.args))
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if string(test.job.Input) != test.input {
				t.Errorf("input %q, want %q", test.job.Input, test.input)
			}
			if (test.job.Input == nil) != (test.input == "") {
				t.Error("standard input is there when it must not, or the other way round")
			}
		})
	}
}

func TestListsInArguments(t *testing.T) {
	t.Parallel()
	e := local("/dst", modern)
	short := Paths(e, []string{"a", "-b c", "#d"}, true)
	want := slices.DeleteFunc(slices.Clone(short.Args), func(a string) bool { return a == fromList || a == "./" || a == "/dst/" })
	want = append(want, "./a", "./-b c", "./#d", "/dst/")
	if got := short.inArguments(); !slices.Equal(got.Args, want) || got.Input != nil {
		t.Errorf("got  %q and %q\nwant %q", got.Args, got.Input, want)
	}
	if !slices.Contains(short.Args, fromList) {
		t.Error("the job itself has changed")
	}
	long := strings.Repeat("x", 200)
	for name, job := range map[string]Job{
		"no list":         Look(e, nil),
		"a list of rules": Deletions(e, []string{"a"}),
		"an empty list":   Paths(e, nil, true),
		"a long list":     Paths(e, slices.Repeat([]string{long}, listRoom/len(long)), true),
	} {
		if got := job.inArguments(); !slices.Equal(got.Args, job.Args) || !slices.Equal(got.Input, job.Input) {
			t.Errorf("%s goes as arguments", name)
		}
	}
}

func TestSweepDelayedWhereThereIsNothing(t *testing.T) {
	t.Parallel()
	basic := local("/d", Strategy{Basic: true})
	basic.Remote.DelayUpdates = true
	for _, e := range []Endpoint{local("/d", modern), basic} {
		if job, ok := SweepDelayed(e); ok {
			t.Errorf("%q", job.Args)
		}
	}
	if s := strings.Join(basic.Describe(), "\n"); !strings.Contains(s, "one by one") {
		t.Error(s)
	}
}

func TestTrash(t *testing.T) {
	t.Parallel()
	ssh := Endpoint{Remote: config.Remote{RemotePath: "/srv/x", Trash: config.Age(time.Hour), DelayUpdates: true,
		Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "backup"}}}, SSH: []string{"ssh"}, Began: time.Now()}
	args := append(slices.Clone(common), "--rsh=ssh")
	if got, want := ListTrash(ssh).Args, append(slices.Clone(args), "--list-only", "--", "backup:/srv/x/.wsync-trash/"); !slices.Equal(got, want) {
		t.Errorf("list  %q\nwant %q", got, want)
	}
	// No rule of anybody else's stands there.
	want := append(slices.Clone(args), "--recursive", "--delete", "--include=/a", "--include=/a/**", "--include=/b", "--include=/b/**", "--exclude=*",
		"--", "./", "backup:/srv/x/.wsync-trash/")
	if got := ExpireTrash(ssh, []string{"a", "b"}).Args; !slices.Equal(got, want) {
		t.Errorf("expire %q\nwant %q", got, want)
	}

	const listing = "drwx------          4,096 2026/11/23 08:00:45 .\n" +
		"drwxr-xr-x          4,096 2026/11/23 08:00:45 2026-01-02T03-04-05.000000Z\n" +
		"drwxr-xr-x+         4,096 2026/11/23 08:00:45 2026-01-02T03-04-06.000000Z\n" +
		"drwxr-xr-x          4,096 2026/11/23 08:00:45 2026-01-02T03-04-07.000000Z\n" +
		"-rw-r--r--          4,096 2026/11/23 08:00:45 2026-01-02T03-04-04.000000Z\n" +
		"drwxr-xr-x          4,096 2026/11/23 08:00:45 2026-13-02T03-04-05.000000Z\n" +
		"drwxr-xr-x          4,096 2026/11/23 08:00:45 mine\n" +
		"drwxr-xr-x          4,096 2026/11/23 08:00:45 x2026-01-02T03-04-05.000000Z\n" +
		"drwxr-xr-x          4,096 2026/11/23 08:00:45 2026-01-02T03-04-05.000000Z*\n"
	limit := time.Date(2026, 1, 2, 4, 4, 7, 0, time.FixedZone("", 3600))
	if got := TrashBefore(listing, limit); !slices.Equal(got, []string{"2026-01-02T03-04-05.000000Z", "2026-01-02T03-04-06.000000Z"}) {
		t.Errorf("%q are too old", got)
	}
	if !IsPrivate(listing) || IsPrivate(strings.Replace(listing, "drwx------", "drwxr-x---", 1)) || IsPrivate("") {
		t.Error("who can look into the trash is not understood")
	}
	sizes := make(TrashSizes)
	for _, line := range []string{
		"drwx------          4,096 2026/11/23 08:00:45 .", "drwxr-xr-x          4,096 2026/11/23 08:00:45 2026-01-02T03-04-07.000000Z",
		"-rw-r--r--          1,000 2026/11/23 08:00:45 2026-01-02T03-04-05.000000Z/d/a", "lrwxrwxrwx             24 2026/11/23 08:00:45 2026-01-02T03-04-05.000000Z/l -> a",
		"-rw-r--r--          3,000 2026/11/23 08:00:45 2026-01-02T03-04-06.000000Z/a", "-rw-r--r--          5,000 2026/11/23 08:00:45 mine/a",
		"-rw-r--r--          5,000 2026/11/23 08:00:45 2026-01-02T03-04-05.000000Zx/a", "-rw-r--r--          5,000 2026/11/23 08:00:45 2026-13-02T03-04-05.000000Z/a",
	} {
		sizes.Add(line)
	}
	const first, second, third = "2026-01-02T03-04-05.000000Z", "2026-01-02T03-04-06.000000Z", "2026-01-02T03-04-07.000000Z"
	if want := (TrashSizes{first: 1024, second: 3000, third: 0}); !maps.Equal(sizes, want) {
		t.Errorf("the trash is %v, want %v", sizes, want)
	}
	for limit, want := range map[int64][]string{4024: nil, 4023: {first}, 3000: {first}, 2999: {first, second}, 0: {first, second}} {
		if got := sizes.Above(limit); !slices.Equal(got, want) {
			t.Errorf("above %d: %q, want %q", limit, got, want)
		}
	}
	basic := ssh
	basic.Strategy.Basic = true
	if !basic.Untrashed() || basic.Trashes() || ssh.Untrashed() || !strings.Contains(strings.Join(basic.Describe(), ""), "cannot be kept") {
		t.Error("openrsync is thought to keep a trash")
	}
}

// No job may ever ignore read errors, which would turn them into deletions.
func TestNoJobIgnoresErrors(t *testing.T) {
	t.Parallel()
	for _, s := range []Strategy{{}, modern, {Basic: true}, {SecludedArgs: true}} {
		e := local("/d", s)
		for _, job := range []Job{Look(e, nil), LookInto(e, nil, nil), ListDeletions(e, nil), Remove(e, nil),
			Paths(e, nil, true), Paths(e, nil, false), Deletions(e, nil), CountDeletions(e, nil), Root(e)} {
			for _, arg := range job.Args {
				if strings.Contains(arg, "ignore-errors") || arg == "--delete-excluded" {
					t.Errorf("%q", job.Args)
				}
			}
		}
	}
}

func TestDestination(t *testing.T) {
	t.Parallel()
	ssh := []string{"ssh", "-p", "22"}
	for _, test := range []struct {
		connection config.Connection
		path       string
		want       string
		extra      []string
	}{
		{config.Connection{Local: &config.Local{}}, "/a b", "/a b/", nil},
		{config.Connection{HostAlias: &config.HostAlias{HostAlias: "backup"}}, "/srv/x", "backup:/srv/x/", []string{"--rsh=ssh -p 22"}},
		{config.Connection{HostAlias: &config.HostAlias{HostAlias: "backup"}}, "rel/x", "backup:rel/x/", []string{"--rsh=ssh -p 22"}},
		{config.Connection{SSH: &config.SSH{Host: "fe80::1", Username: "u", Port: 3}}, "/x/", "[fe80::1]:/x/", []string{"--rsh=ssh -p 22"}},
		{config.Connection{SSH: &config.SSH{Host: "h"}}, "/x", "h:/x/", nil},
		{config.Connection{RsyncDaemon: &config.RsyncDaemon{Host: "h"}}, "mod", "rsync://h/mod/", []string{"--contimeout=10"}},
		{config.Connection{RsyncDaemon: &config.RsyncDaemon{Host: "::1", Port: 8873, Username: "u", PasswordFile: "/p w"}}, "mod/a b",
			"rsync://u@[::1]:8873/mod/a b/", []string{"--contimeout=10", "--password-file=/p w"}},
	} {
		e := Endpoint{Remote: config.Remote{RemotePath: test.path, Connection: test.connection}, SSH: ssh, Strategy: Strategy{SecludedArgs: true}}
		args := Root(e).Args
		if got := args[len(args)-1]; got != test.want {
			t.Errorf("%q: got %q, want %q", test.path, got, test.want)
		}
		for _, arg := range append(test.extra, "--protect-args") {
			if !slices.Contains(args, arg) {
				t.Errorf("%q: no %q in %q", test.path, arg, args)
			}
		}
		if slices.Contains(args, "--rsh=ssh -p 22") != (test.connection.Kind() == config.KindSSH) {
			t.Errorf("%q: --rsh in %q", test.path, args)
		}
	}
}

// split is how rsync splits the command of --rsh, after rsync(1): at spaces
// only, outside of quotes of either kind; a quote that is doubled inside its own
// kind stands for itself; a backslash means nothing.
func split(command string) []string {
	var args []string
	var arg []byte
	inArg := false
	var quote byte
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case quote != 0 && c == quote && i+1 < len(command) && command[i+1] == quote:
			arg = append(arg, c)
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			arg = append(arg, c)
		case c == '\'' || c == '"':
			quote, inArg = c, true
		case c == ' ':
			if inArg {
				args = append(args, string(arg))
			}
			arg, inArg = nil, false
		default:
			arg, inArg = append(arg, c), true
		}
	}
	if inArg {
		args = append(args, string(arg))
	}
	return args
}

// randomWord makes a word of what quoting is about.
func randomWord(r *rand.Rand, letters string) string {
	word := make([]byte, r.IntN(8))
	for i := range word {
		word[i] = letters[r.IntN(len(letters))]
	}
	return string(word)
}

func TestQuoteCommandIsUndoneBySplitting(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		args := make([]string, 1+r.IntN(4))
		for i := range args {
			args[i] = randomWord(r, "ab  ''\"\"\\\t\n$*-=")
		}
		if got := split(quoteCommand(args)); !slices.Equal(got, args) {
			t.Fatalf("%q is quoted %s, which splits into %q", args, quoteCommand(args), got)
		}
	}
}

// The real rsync splits as split does.
func TestQuoteCommandWithRsync(t *testing.T) {
	t.Parallel()
	d := dir(t, 0)
	said, shell := filepath.Join(d, "said"), filepath.Join(d, "it's a \"shell\"")
	remotetest.WriteScript(t, shell, "printf '%s\\0' \"$@\" >'"+said+"'\nexit 1")
	r := rand.New(rand.NewPCG(3, 4))
	e := remote(t, "/x", "", Strategy{})
	for range 10 {
		args := []string{"", "'", `"`, "''", `'"`, `\`, `a\ b`, " ", "\t", "a'b", `a"b`}
		for range 100 {
			args = append(args, randomWord(r, "ab  ''\"\"\\\t\n$*-="))
		}
		e.SSH = append([]string{shell}, args...)
		run(t, d, Root(e), 1, 12, 14)
		got, err := os.ReadFile(said)
		check(t, err)
		words := strings.Split(string(bytes.TrimSuffix(got, []byte{0})), "\x00")
		if len(words) < len(args) || !slices.Equal(words[:len(args)], args) {
			t.Fatalf("rsync called it with\n%q, expected\n%q", words, args)
		}
	}
}

// FuzzQuoteCommand: any arguments survive.
func FuzzQuoteCommand(f *testing.F) {
	f.Add("ssh", "a b")
	f.Add("", "'\"")
	f.Fuzz(func(t *testing.T, a, b string) {
		if got := split(quoteCommand([]string{a, b})); !slices.Equal(got, []string{a, b}) {
			t.Errorf("%q, %q became %q", a, b, got)
		}
	})
}

// Each odd name is left alone by a pattern made of it, and nothing else is.
func TestPatternsMatchLiterally(t *testing.T) {
	t.Parallel()
	src := dir(t, 0)
	names := append([]string{"axb", "ab", "abc", "a", "x", "aXXb", "plain"}, oddNames...)
	entries := make(map[string]string)
	for _, name := range names {
		entries[name] = name
		entries["dir/"+name] = name
	}
	tree(t, src, entries)
	all := listing(t, src)
	dst := dir(t, 0)
	if testing.Short() {
		names = oddNames[:14] // of all kinds of wildcards
	}
	for _, name := range names {
		job := fullPass(local(dst, modern), []string{name, "dir/" + name}, 1000)
		job.Args[slices.Index(job.Args, "--out-format=%i %l %n")] = "--out-format=%n%%"
		job.Args = append([]string{"--dry-run", "-8"}, job.Args...)
		code, out, errs := runAsNobody(t, src, job)
		if code != 0 {
			t.Fatalf("%q: %d\n%s", name, code, errs)
		}
		out = strings.TrimPrefix(out, "./%\n")
		if hidden := len(all) - strings.Count(out, "%\n"); hidden != 2 {
			t.Errorf("%s hides %d entries", quotePattern(name), hidden)
		}
		for _, path := range []string{name, "dir/" + name} {
			if strings.Contains("\n"+out, "\n"+unprintable(path)+"%\n") {
				t.Errorf("%q is not hidden by --exclude=/%s", path, quotePattern(path))
			}
		}
	}
}

// unprintable writes a name as rsync does with -8 in the C locale.
func unprintable(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c < ' ' && c != '\t' || c == 0x7f:
			b.WriteString("\\#" + string([]byte{'0' + c>>6, '0' + c>>3&7, '0' + c&7}))
		case c == '\\' && i+4 < len(name) && name[i+1] == '#' && strings.Trim(name[i+2:i+5], "01234567") == "":
			b.WriteString(`\#134`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Holes are asked for where there are any, and where they can be had.
// All runs keep to the rate, but those of an openrsync, which cannot.
func TestRate(t *testing.T) {
	e := Endpoint{Remote: config.Remote{RemotePath: "/r", Connection: config.Connection{Local: &config.Local{}}}}
	limits := func(j Job) string {
		for _, a := range j.Args {
			if limit, ok := strings.CutPrefix(a, "--bwlimit="); ok {
				return limit
			}
		}
		return ""
	}
	for _, test := range []struct {
		rate  config.Rate
		basic bool
		want  string
	}{{0, false, ""}, {1 << 20, false, "1024"}, {1000, false, "1"}, {1 << 20, true, ""}} {
		e.Rate, e.Strategy.Basic = test.rate, test.basic
		for _, j := range []Job{Paths(e, []string{"a"}, true), Beside(e, []string{"a"}), Look(e, nil), Root(e), Remove(e, []string{"a"})} {
			if got := limits(j); got != test.want {
				t.Errorf("%+v: limited to %q", test, got)
			}
		}
	}
}

// Where it is asked for, and can be, what is sent is compressed.
func TestCompresses(t *testing.T) {
	for _, test := range []struct {
		e    Endpoint
		want bool
	}{
		{Endpoint{}, false},
		{Endpoint{Compress: true}, true},
		{Endpoint{Compress: true, Strategy: Strategy{Basic: true}}, false},
		{Endpoint{Compress: true, Strategy: Strategy{Uncompressed: true}}, false},
	} {
		test.e.Remote = config.Remote{RemotePath: "/r", Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "h"}}}
		for _, j := range []Job{Paths(test.e, []string{"a"}, true), Beside(test.e, []string{"a"}), Look(test.e, nil)} {
			if got := slices.Contains(j.Args, "--compress"); got != test.want {
				t.Errorf("%+v: %v", test.e.Strategy, got)
			}
		}
	}
}

func TestSparseJobs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ basic, holes, want bool }{
		{false, true, true}, {false, false, false}, {true, true, false},
	} {
		e := Endpoint{Remote: config.Remote{RemotePath: "/dst"}, Strategy: Strategy{Basic: test.basic}}
		job := Paths(e, []string{"a"}, true).Sparse(e, test.holes)
		if got := slices.Contains(job.Args, "--sparse"); got != test.want {
			t.Errorf("%+v: %q", test, job.Args)
		}
	}
}

// A directory of the destination is named from the top of what the other side sees
// where that may be an rrsync.
func TestFromTop(t *testing.T) {
	t.Parallel()
	far := config.Connection{HostAlias: &config.HostAlias{HostAlias: "h"}}
	for _, test := range []struct {
		to   string
		by   config.Connection
		s    Strategy
		want string
	}{
		{"/srv/x", far, modern, "trash"},
		{"x", far, modern, "trash"},
		{"/srv/x", far, Strategy{Unnamed: true}, "/srv/x/trash"},
		{"x/y", far, Strategy{Unnamed: true}, "trash"},
		{"x/y", far, Strategy{Unnamed: true, WindowRefused: true}, "/x/y/trash"},
		{"mod/x", config.Connection{RsyncDaemon: &config.RsyncDaemon{Host: "h"}}, Strategy{Unnamed: true, WindowRefused: true}, "trash"},
		{"/srv/x", config.Connection{Local: &config.Local{}}, Strategy{Unnamed: true}, "trash"},
	} {
		e := Endpoint{Strategy: test.s, Remote: config.Remote{Name: "r", RemotePath: test.to, Connection: test.by}}
		if got := e.fromTop("trash"); got != test.want {
			t.Errorf("%s, %+v: %s, want %s", test.to, test.s, got, test.want)
		}
	}
}
