package rsync

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/monitor/remotefs"
	"wsync/monitor/remotetest"
)

// What rsync said when it compared with file systems that keep little.
func TestJudgeSpecimens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sent, err := makeSpecimens(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(sent) != 5+3+len([]rune(remotefs.SuspectCharacters))+2*len(meetings) {
		remotetest.Skip(t, fmt.Sprintf("the file system here can have only %d of the specimens", len(sent)))
	}
	refused := func(names ...string) (lines string) {
		for _, n := range names {
			lines += ">f+++++++++ 1 " + n + "\n"
		}
		return lines
	}
	var characters []string
	for _, r := range remotefs.SuspectCharacters {
		characters = append(characters, strings.ReplaceAll(specimenChar+string(r), "\x01", `\#001`))
	}
	for name, test := range map[string]struct {
		output string
		want   remotefs.Capabilities
	}{
		"keeps everything": {".d..t...... 4096 \n", remotefs.Capabilities{}},
		"exFAT, by FUSE": {".f...p..... 1 odd second\n>f...pog... 1 owned\n>f.s.p..... 1 case\n.f...p..... 2 CASE\ncL+++++++++ 10 link\ncS+++++++++ 0 fifo\n" + refused(characters...),
			remotefs.Capabilities{FoldsCase: true, NoModes: true, NoOwners: true, NoGroups: true, NoSymlinks: true, NoSpecials: true, Refused: remotefs.SuspectCharacters}},
		"FAT": {".f..tp..... 1 odd second\n" + refused("blank ", "dot.", "AUX", `bytes\#377`),
			remotefs.Capabilities{NoModes: true, Granularity: 2 * time.Second, NoTrailingDot: true, NoTrailingSpace: true, NoDeviceNames: true, NoInvalidUTF8: true}},
		"APFS": {">f.s....... 2 CASE\n>f.s....... 1 full\u00df\n>f.s....... 2 norme\\#314\\#201\n",
			remotefs.Capabilities{FoldsCase: true, FoldsFull: true, FoldsUnicode: true}},
		"sshfs":        {".L..t...... 10 link\ncS+++++++++ 0 fifo\n", remotefs.Capabilities{NoLinkTimes: true, NoSpecials: true}},
		"groups only":  {".f.....g... 1 owned\n", remotefs.Capabilities{NoGroups: true}},
		"nothing came": {refused("odd second", "owned", "AUX"), remotefs.Capabilities{}},
	} {
		if got := judgeSpecimens(differences(test.output), sent); got != test.want {
			t.Errorf("%s: %+v, expected %+v", name, got, test.want)
		}
	}
}

// differences are what a run says that differs, by name.
func differences(output string) map[string]string {
	differing := make(map[string]string)
	r := Result{differing: func(name, code string) { differing[name] = code }}
	for line := range strings.Lines(output) {
		r.readLine(strings.TrimSuffix(line, "\n"))
	}
	return differing
}

// What is sent of attributes is what is kept.
func TestKeptAttributes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		c       remotefs.Capabilities
		without string
		window  string
	}{
		{remotefs.Capabilities{}, "", "--modify-window=-1"},
		{remotefs.Capabilities{NoModes: true}, "--perms", "--modify-window=-1"},
		{remotefs.Capabilities{NoOwners: true}, "--owner", "--modify-window=-1"},
		{remotefs.Capabilities{NoGroups: true}, "--group", "--modify-window=-1"},
		{remotefs.Capabilities{NoLinkTimes: true}, "", "--modify-window=-1"},
		{remotefs.Capabilities{Granularity: 2 * time.Second}, "", "--modify-window=1"},
	} {
		s := modern
		s.Capabilities = test.c
		args := Paths(local("/dst", s), []string{"a"}, false).Args
		for _, option := range []string{"--perms", "--owner", "--group", "--times", "--links"} {
			if slices.Contains(args, option) == (option == test.without) {
				t.Errorf("%+v: %q", test.c, args)
			}
		}
		if slices.Contains(args, "--omit-link-times") != test.c.NoLinkTimes {
			t.Errorf("%+v: %q", test.c, args)
		}
		if !slices.Contains(args, test.window) {
			t.Errorf("%+v: %q has no %s", test.c, args, test.window)
		}
	}
}
