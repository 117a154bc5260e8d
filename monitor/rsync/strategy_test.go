package rsync

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]Version{
		"rsync  version 3.5.0  protocol version 32\nCopyright":                   {3, 5, 0, 32, "rsync"},
		"rsync  version v3.2.7  protocol version 31\n":                           {3, 2, 7, 31, "rsync"},
		"rsync  version 3.1.3pre1  protocol version 31":                          {3, 1, 3, 31, "rsync"},
		"rsync  version 2.6.9  protocol version 29":                              {2, 6, 9, 29, "rsync"},
		"rsync  version 3.4  protocol version 32":                                {3, 4, 0, 32, "rsync"},
		"openrsync: protocol version 29\nrsync version 2.6.9 compatible\n":       {Protocol: 29, Flavour: "openrsync"},
		"a banner of the login shell\nrsync  version 3.0.9  protocol version 30": {3, 0, 9, 30, "rsync"},
	} {
		if got, ok := ParseVersion(output); !ok || got != want {
			t.Errorf("%q: %+v, %v", output, got, ok)
		}
	}
	for _, output := range []string{"", "rsync", "sh: rsync: not found", "rrsync: rejected"} {
		if got, ok := ParseVersion(output); ok || got != (Version{}) {
			t.Errorf("%q: %+v, %v", output, got, ok)
		}
	}
}

func TestLocalVersion(t *testing.T) {
	v, err := LocalVersion(t.Context())
	if err != nil || v.Protocol == 0 || v.Flavour == "" {
		t.Errorf("%+v, %v", v, err)
	}
	d := dir(t, 0)
	t.Setenv("PATH", d)
	remotetest.WriteScript(t, filepath.Join(d, "rsync"), "echo hello")
	if _, err := LocalVersion(t.Context()); err == nil {
		t.Error("a version that nobody understands is no error")
	}
}

func TestParseDaemonBanner(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{"@RSYNCD: 31.0": 31, "@RSYNCD: 32.0 sha512 sha256 md5\n": 32, "@RSYNCD: 30": 30, "SSH-2.0-x": 0, "": 0} {
		if got, ok := ParseDaemonBanner(line); got != (Version{Protocol: want}) || ok != (want != 0) {
			t.Errorf("%q: %+v, %v", line, got, ok)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("rsync  version 3.5.0  protocol version 32")
	f.Add("openrsync: protocol version 29")
	f.Add("@RSYNCD: 99999999999999999999.1")
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (Version, bool){ParseVersion, ParseDaemonBanner} {
			v, ok := parse(s)
			if !ok && v != (Version{}) || v.Major < 0 || v.Protocol < 0 || v.String() == "" {
				t.Errorf("%q: %+v, %v", s, v, ok)
			}
		}
	})
}

func TestVersion(t *testing.T) {
	t.Parallel()
	v := Version{3, 2, 3, 31, "rsync"}
	for _, test := range []struct {
		major, minor, patch int
		want                bool
	}{{3, 2, 3, true}, {3, 2, 4, false}, {3, 2, 2, true}, {3, 1, 9, true}, {3, 3, 0, false}, {2, 9, 9, true}, {4, 0, 0, false}} {
		if got := v.AtLeast(test.major, test.minor, test.patch); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
	if (Version{Flavour: "openrsync", Major: 9}).AtLeast(1, 0, 0) || (Version{}).AtLeast(0, 0, 0) {
		t.Error("a version that is not known is at least something")
	}
	for v, want := range map[Version]string{
		v: "rsync 3.2.3 (protocol 31)", {Flavour: "openrsync", Protocol: 29}: "openrsync (protocol 29)", {Protocol: 30}: "rsync, protocol 30", {}: "unknown",
	} {
		if got := v.String(); got != want {
			t.Errorf("%+v: %s", v, got)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	today, v327, v324, v323 := Version{3, 5, 0, 32, "rsync"}, Version{3, 2, 7, 31, "rsync"}, Version{3, 2, 4, 31, "rsync"}, Version{3, 2, 3, 31, "rsync"}
	v313, v312, v309 := Version{3, 1, 3, 31, "rsync"}, Version{3, 1, 2, 31, "rsync"}, Version{3, 0, 9, 30, "rsync"}
	open := Version{Flavour: "openrsync", Protocol: 29}
	unnamed := modern
	unnamed.Unnamed = true
	for _, test := range []struct {
		local, remote Version
		want          Strategy
	}{
		{today, today, modern},
		{today, Version{}, unnamed},
		{Version{}, Version{}, unnamed},
		{today, Version{Protocol: 31}, modern},
		{today, Version{Protocol: 30}, Strategy{DeleteMissing: true, Mkpath: true}},
		{today, v323, modern},
		{today, v313, Strategy{Nanoseconds: true, DeleteMissing: true}},
		// 3.1.2 speaks protocol 31 and does not know a negative window.
		{today, v312, Strategy{DeleteMissing: true}},
		{today, v309, Strategy{NoMaps: true}},
		{today, open, Strategy{Basic: true, NoMaps: true}},
		{open, today, Strategy{Basic: true, BasicHere: true, NoProgress: true, NoMaps: true}},
		{v327, today, modern},
		{v324, today, modern},
		{v323, today, Strategy{Nanoseconds: true, DeleteMissing: true, Mkpath: true, SecludedArgs: true}},
		{v309, today, Strategy{SecludedArgs: true, NoProgress: true, NoMaps: true}},
	} {
		if got := Choose(test.local, test.remote); got != test.want {
			t.Errorf("%v to %v: %+v, expected %+v", test.local, test.remote, got, test.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	for s, want := range map[Strategy]int{modern: 2, {}: 3, {Basic: true}: 4, {WindowRefused: true}: 3} {
		if got := s.Describe(); len(got) != want || slices.Contains(got, "") {
			t.Errorf("%+v: %q", s, got)
		}
	}
}

// probe probes an endpoint, and checks that nothing is left behind.
func probe(t *testing.T, e Endpoint, dst string) (Strategy, error) {
	t.Helper()
	scratch := dir(t, 0)
	s, err := Probe(t.Context(), e, scratch, Environment(""), func(witness string) {
		if _, err := os.Lstat(filepath.Join(e.Remote.RemotePath, witness)); err != nil {
			t.Errorf("the witness is not there: %v", err)
		}
	})
	if left := listing(t, scratch); len(left) > 0 {
		t.Errorf("the probe leaves %q", left)
	}
	if _, statErr := os.Stat(dst); statErr == nil && err == nil {
		if left := listing(t, dst); !slices.Equal(left, []string{"there"}) && len(left) > 0 {
			t.Errorf("the probe leaves %q on the remote", left)
		}
	}
	return s, err
}

func TestProbe(t *testing.T) {
	t.Parallel()
	dst := dir(t, 0)
	tree(t, dst, map[string]string{"there": "x"})
	missing := filepath.Join(dir(t, 0), "no", "such dir")
	for name, test := range map[string]struct {
		e    Endpoint
		want Strategy
	}{
		"local":                     {local(dst, modern), modern},
		"remote shell":              {remote(t, dst, "", modern), modern},
		"missing destination":       {local(missing, modern), modern},
		"nothing guessed":           {local(dst, Strategy{}), Strategy{}},
		"refuses the option":        {remote(t, dst, stub(t, "2", "--delete-missing-args"), modern), Strategy{Nanoseconds: true, Mkpath: true}},
		"refuses a negative window": {remote(t, dst, stub(t, "1", "-@", "--modify-window"), modern), Strategy{DeleteMissing: true, Mkpath: true, WindowRefused: true}},
		"of 3.0":                    {remote(t, dst, stub(t, "1", "-@", "--modify-window", "--mkpath", "--delete-missing-args"), modern), Strategy{WindowRefused: true}},
		"like openrsync, unannounced": {remote(t, dst, stub(t, "1", "-@", "--modify-window", "--mkpath", "--delete-missing-args", "--force", "--max-delete"), modern),
			Strategy{Basic: true, WindowRefused: true}},
		"like openrsync": {remote(t, dst, stub(t, "1", "-@", "--modify-window", "--mkpath", "--delete-missing-args", "--force", "--max-delete"), Strategy{Basic: true}),
			Strategy{Basic: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "remote shell" && name != "like openrsync, unannounced" {
				remotetest.Long(t, testing.Short())
			}
			if got, err := probe(t, test.e, dst); err != nil || got != test.want {
				t.Errorf("%+v, %v; expected %+v", got, err, test.want)
			}
		})
	}
}

// The destination belongs to others while it is probed: it keeps its mode and owner
// at any time, and a probe that is cut off leaves nothing there.
func TestProbeLeavesTheDestinationAlone(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	for name, endpoint := range map[string]func(dst string) Endpoint{
		"local":        func(dst string) Endpoint { return local(dst, modern) },
		"remote shell": func(dst string) Endpoint { return remote(t, dst, "", modern) },
		"like openrsync": func(dst string) Endpoint {
			return remote(t, dst, stub(t, "1", "-@", "--modify-window", "--mkpath", "--delete-missing-args", "--force", "--max-delete"), modern)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dst := dir(t, 0)
			tree(t, dst, map[string]string{"there": "x"})
			check(t, os.Chmod(dst, 0o751))
			look := func(when string) {
				info, err := os.Stat(dst)
				check(t, err)
				if got := info.Mode().Perm(); got != 0o751 {
					t.Errorf("%s the destination's mode is %o", when, got)
				}
			}
			_, err := Probe(t.Context(), endpoint(dst), dir(t, 0), Environment(""), func(string) { look("in between") })
			check(t, err)
			look("behind")

			ctx, cancel := context.WithCancel(t.Context())
			_, err = Probe(ctx, endpoint(dst), dir(t, 0), Environment(""), func(string) { cancel() })
			if err == nil {
				t.Error("a probe that was cut off has found something")
			}
			look("behind a cut")
			if left := listing(t, dst); !slices.Equal(left, []string{"there"}) {
				t.Errorf("a probe that was cut off leaves %q", left)
			}
		})
	}
}

// A slow remote is given the time to remove what a probe has made there that is cut
// off, as it was given the time to make it.
func TestProbeOfASlowRemoteIsCutOff(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	dst, d := dir(t, 0), dir(t, 0)
	tree(t, dst, map[string]string{"there": "x"})
	slow := fmt.Sprintf("sleep %.1f\nexec '%s' \"$@\"", (removeTime + 200*time.Millisecond).Seconds(), programPath(t))
	remotetest.WriteScript(t, filepath.Join(d, "rsync"), slow)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Probe(ctx, remote(t, dst, d, modern), dir(t, 0), Environment(""), func(string) { cancel() }); err == nil {
		t.Error("a probe that was cut off has found something")
	}
	if left := listing(t, dst); !slices.Equal(left, []string{"there"}) {
		t.Errorf("it leaves %q", left)
	}
}

// A receiver that fails only when a path is really missing, as some do.
func TestProbeOfAReceiverThatFailsLate(t *testing.T) {
	t.Parallel()
	dst, d := dir(t, 0), dir(t, 0)
	real := programPath(t)
	script := "case \" $* \" in *' --delete-missing-args '*) set -- \"$@\"; '" + real + "' \"$@\"; echo 'ABORTING due to invalid path' >&2; exit 2;; esac\nexec '" + real + "' \"$@\""
	remotetest.WriteScript(t, filepath.Join(d, "rsync"), script)
	got, err := probe(t, remote(t, dst, d, modern), dst)
	if err != nil || got != (Strategy{Nanoseconds: true, Mkpath: true}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// An openrsync that is to delete at most nothing does not tell that it has left
// something. Whoever does not know that it is one would take the remote for equal.
// This one forgets the limit, and is as silent.
func TestProbeOfAReceiverThatIsSilentAboutALimit(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	dst, d := dir(t, 0), dir(t, 0)
	script := "for a; do shift; case $a in --max-delete=*) ;; *) set -- \"$@\" \"$a\";; esac; done\nexec '" + programPath(t) + "' \"$@\""
	remotetest.WriteScript(t, filepath.Join(d, "rsync"), script)
	for unnamed, want := range map[bool]Strategy{
		true:  {Nanoseconds: true, Mkpath: true, Basic: true, Unnamed: true},
		false: modern, // a real one is believed
	} {
		guess := modern
		guess.Unnamed = unnamed
		got, err := probe(t, remote(t, dst, d, guess), dst)
		if err != nil || got != want {
			t.Errorf("unnamed %v: %+v, %v; expected %+v", unnamed, got, err, want)
		}
		guess.Unnamed = true
		if got, err = probe(t, remote(t, dst, "", guess), dst); err != nil || got != guess {
			t.Errorf("a real one: %+v, %v", got, err)
		}
	}
}

// An openrsync that lists no deletions cannot be served: they would never happen, and
// nobody would know.
func TestProbeOfAReceiverThatListsNoDeletions(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	dst, d := dir(t, 0), dir(t, 0)
	tree(t, dst, map[string]string{"there": "x"})
	// What is not there is not listed.
	script := "case \" $* \" in *' --delete '*) for last; do :; done; rm -f \"$last/removed\";; esac\nexec '" + programPath(t) + "' \"$@\""
	remotetest.WriteScript(t, filepath.Join(d, "rsync"), script)
	_, err := probe(t, remote(t, dst, d, Strategy{Basic: true}), dst)
	var failure *ProbeError
	if !errors.As(err, &failure) || failure.Unreachable || !failure.Busy || !strings.Contains(failure.Error(), "does not tell what it would delete") || failure.Hint == "" {
		t.Errorf("%v", err)
	}
	if left := listing(t, dst); !slices.Equal(left, []string{"there"}) {
		t.Errorf("the probe leaves %q", left)
	}
}

// A receiver that has no place for one of the specimens says so of each run, in words
// that are known or not: all else is found out as if there were no such thing.
func TestProbeOfAReceiverThatRefusesASpecimen(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	for _, complaint := range []string{
		`rsync: [receiver] mkstemp "$d/.AUX.XGz1Ab" failed: Invalid argument (22)`,
		`rsync: [receiver] has never seen a name like this`,
	} {
		dst, d := dir(t, 0), dir(t, 0)
		script := "for last; do :; done\n'" + programPath(t) + "' \"$@\" || exit\nfor d in \"$last\" \"$last\"/.wsync-probe-*; do\n" +
			"d=${d%/}; [ ! -e \"$d/AUX\" ] || { rm \"$d/AUX\"; echo \"" + strings.ReplaceAll(complaint, `"`, `\"`) + "\" >&2; exit 23; }\ndone\n"
		remotetest.WriteScript(t, filepath.Join(d, "rsync"), script)
		got, err := probe(t, remote(t, dst, d, modern), dst)
		want := modern
		want.Capabilities.NoDeviceNames = true
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", complaint, got, err)
		}
	}
}

// A receiver that leaves what is there as it is, and says nothing, as rrsync
// -no-overwrite makes it.
func TestProbeOfAReceiverThatKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	dst, d := dir(t, 0), dir(t, 0)
	script := "shift\nexec '" + programPath(t) + "' --server --ignore-existing \"$@\""
	remotetest.WriteScript(t, filepath.Join(d, "rsync"), script)
	got, err := probe(t, remote(t, dst, d, modern), dst)
	want := modern
	want.KeepsExisting = true
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func programPath(t *testing.T) string {
	t.Helper()
	for _, d := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(d, "rsync")); err == nil {
			return filepath.Join(d, "rsync")
		}
	}
	t.Fatal("no rsync in PATH")
	return ""
}

// Where nothing can be learnt, the guess stays.
func TestProbeFails(t *testing.T) {
	t.Parallel()
	e := remote(t, "/x", "", modern)
	e.SSH = []string{"/bin/sh", "-c", "echo 'ssh: connect to host h port 22: Connection refused' >&2; exit 255"}
	got, err := probe(t, e, "/x")
	if err == nil || !strings.Contains(err.Error(), "Connection refused") || !reflect.DeepEqual(got, modern) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Probe(t.Context(), e, "/no/such/dir", nil, func(string) {}); err == nil {
		t.Error("a probe without a directory is no error")
	}
}
