package cli

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestBuildOf(t *testing.T) {
	settings := []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-05-06T12:00:00Z"}, {Key: "vcs.modified", Value: "true"}}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	for _, test := range []struct {
		info *debug.BuildInfo
		want build
	}{
		{nil, build{Version: "v1", Go: runtime.Version(), Platform: platform}},
		{&debug.BuildInfo{Settings: settings}, build{"v1", "abc", "2026-05-06T12:00:00Z", true, runtime.Version(), platform}},
	} {
		if got := buildOf("v1", test.info); got != test.want {
			t.Errorf("got %+v, want %+v", got, test.want)
		}
	}
}

func TestVersion(t *testing.T) {
	home := home(t)
	code, stdout, stderr := wsync(t, home, "version")
	if lines := strings.Split(stdout, "\n"); code != 0 || stderr != "" || lines[0] != "wsync test" || !strings.Contains(stdout, "\ngo             "+runtime.Version()) {
		t.Errorf("exit code %d, stderr %q, stdout %q", code, stderr, stdout)
	}
	_, stdout, _ = wsync(t, home, "version", "--json")
	var b build
	if err := json.Unmarshal([]byte(stdout), &b); err != nil || b.Version != "test" || b.Go != runtime.Version() {
		t.Errorf("--json: %v, %+v", err, b)
	}
}
