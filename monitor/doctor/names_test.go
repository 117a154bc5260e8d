package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"wsync/config"
	"wsync/monitor/remotefs"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
)

// Names that are one file somewhere are found, those that are left out excepted, and a
// remote is told of those only that cannot be there.
func TestMeetingNames(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"README", "readme", "sub/a.o", "sub/A.o", "sub/caf\u00e9", "sub/cafe\u0301", "other/readme", "left/x", "left/X", ".wsyncignore"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("left\n*.o\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := os.ReadDir(root); err != nil || len(entries) < 6 {
		remotetest.Skip(t, "the file system here takes names for one itself")
	}
	meeting := meetingNames(t.Context(), config.Workspace{LocalPath: root})
	for _, test := range []struct {
		c    remotefs.Capabilities
		want []string
	}{
		{foldsMost, []string{"readme (as README)", "sub/caf\u00e9 (as cafe\u0301)"}},
		{remotefs.Capabilities{FoldsCase: true}, []string{"readme (as README)"}},
		{remotefs.Capabilities{FoldsUnicode: true}, []string{"sub/caf\u00e9 (as cafe\u0301)"}},
		{remotefs.Capabilities{}, nil},
	} {
		if got, all := losers(meeting, test.c); !slices.Equal(got, test.want) || all != len(test.want) {
			t.Errorf("%+v: %q, %d", test.c, got, all)
		}
	}

	a, all := told(nil)
	a.x.meeting = meeting
	a.meeting()
	a.names(config.Remote{Name: "r"}, remotefs.Capabilities{})
	a.names(config.Remote{Name: "r"}, remotefs.Capabilities{FoldsCase: true})
	if len(*all) != 2 || (*all)[0].Status != report.CheckOK ||
		(*all)[1].Found != "1 cannot be there, since they are one file with others: readme (as README)" ||
		(*all)[1].Remedy != "rename them, or wsync set w r skip-unsupported=on to do without them" {
		t.Errorf("%+v", *all)
	}
}
