package report

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"wsync/config"
)

func exampleDefinition() Definition {
	return Definition{
		Workspace: config.Workspace{
			Name:      "site",
			LocalPath: "/src/site",
			Remotes: []config.Remote{{
				Name:       "web",
				RemotePath: "/srv/www",
				Connection: config.Connection{HostAlias: &config.HostAlias{HostAlias: "web"}},
			}},
		},
		Settings:    Settings{LogFile: "/log", LogLevel: "info", FullPassInterval: time.Hour, HoldDeletionsShare: 0.5, HoldDeletionsCount: 100},
		SSHAuthSock: "/agent",
		Barrier:     7,
		Orders:      map[string]Orders{"web": {Resync: 1, Retry: 2, Approve: "x"}},
	}
}

func exampleReport() Report {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return Report{
		Version: Version,
		PID:     42,
		Watch:   Watch{Armed: true, Backend: "inotify", Lossless: true, Directories: 3, IgnoreProblems: []string{".gitignore:3: no"}, IgnoreProblemCount: 1},
		Halted:  &Halt{Reason: "gone", Since: now},
		Remotes: []RemoteStatus{{
			Name: "web", State: Retrying, Since: now, Pending: 2, OldestPending: &now,
			Transfer: &Transfer{Kind: "changes", Since: now, Paths: 2, Files: 1, Bytes: 10},
			Error:    "no", ErrorPath: "a\nb", NextRetry: &now,
			Held: &Held{ID: "1", Count: 3, Sample: []string{"a"}, Reason: "many"},
			Kept: &Kept{Count: 2, Sample: []string{"a/b"}},
		}},
	}
}

// What one side writes is what the other reads.
func TestRoundTrip(t *testing.T) {
	var d Definition
	roundTrip(t, exampleDefinition(), &d)
	if !reflect.DeepEqual(d, exampleDefinition()) {
		t.Errorf("a definition came back as %+v", d)
	}
	var r Report
	roundTrip(t, exampleReport(), &r)
	if !reflect.DeepEqual(r, exampleReport()) {
		t.Errorf("a report came back as %+v", r)
	}
}

func roundTrip(t *testing.T, in, out any) {
	t.Helper()
	line, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsRune(line, '\n') {
		t.Fatalf("more than one line: %s", line)
	}
	if err := json.Unmarshal(line, out); err != nil {
		t.Fatal(err)
	}
}

// Whatever arrives as a line, it is refused or understood: then it is the same
// after another trip.
func FuzzDefinition(f *testing.F) {
	line, err := json.Marshal(exampleDefinition())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"workspace":{"name":"a","remote_workspaces":null},"orders":null}`))
	f.Add([]byte(`{"workspace":[]}`))
	f.Fuzz(func(t *testing.T, line []byte) { stable(t, line, new(Definition), new(Definition)) })
}

func FuzzReport(f *testing.F) {
	line, err := json.Marshal(exampleReport())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"version":1,"remotes":[{"state":"in sync","since":"2026-01-02T03:04:05Z"}]}`))
	f.Add([]byte(`{"version":-1}`))
	f.Fuzz(func(t *testing.T, line []byte) { stable(t, line, new(Report), new(Report)) })
}

// stable decodes line into first, and what that is encoded to into second.
func stable(t *testing.T, line []byte, first, second any) {
	t.Helper()
	if json.Unmarshal(line, first) != nil {
		return
	}
	once, err := json.Marshal(first)
	if err != nil {
		return // a time beyond the year 9999, for example
	}
	if err := json.Unmarshal(once, second); err != nil {
		t.Fatalf("cannot decode what was encoded: %v\n%s", err, once)
	}
	twice, err := json.Marshal(second)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(once, twice) {
		t.Fatalf("not stable:\n%s\n%s", once, twice)
	}
}
