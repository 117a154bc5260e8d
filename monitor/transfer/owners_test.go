package transfer

import (
	"reflect"
	"testing"

	"wsync/config"
	"wsync/monitor/remotefs"
	"wsync/monitor/rsync"
)

func TestParseUser(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]user{
		"": {},
		"rsync  version 3.2.7  protocol version 31\nuid=0(root) gid=0(root) groups=0(root)\n4096\n":         {"0", []string{"0", "root", "0", "root"}},
		"uid=1000(deploy) gid=1000(deploy) groups=1000(deploy),33(www-data) context=a_u:b_r:c_t:s0-s0:c0\n": {"1000", []string{"1000", "deploy", "1000", "deploy", "33", "www-data"}},
		"uid=1000 gid=1000 groups=1000,33\n": {"1000", []string{"1000", "", "1000", "", "33", ""}},
		"sh: id: not found\n":                {},
	} {
		if got := parseUser(output); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", output, got, want)
		}
	}
}

func TestGivesTo(t *testing.T) {
	t.Parallel()
	deploy, root, nobodyKnows := user{"1000", []string{"1000", "deploy", "33", "www-data"}}, user{uid: "0"}, user{}
	const older = "one of the two rsyncs is older than 3.1.0, or openrsync, and has no --usermap and --groupmap"
	bound := rsync.Strategy{NoGiving: true}
	for _, test := range []struct {
		owner, group config.Whose
		user         user
		strategy     rsync.Strategy
		want         string
	}{
		{"", "", deploy, bound, ""},
		{"none", "none", deploy, bound, ""},
		{"www-data", "", root, rsync.Strategy{}, ""},
		{"www-data", "", deploy, bound, boundWords},
		{"keep", "", nobodyKnows, bound, boundWords},
		{"", "keep", nobodyKnows, bound, boundWords},
		// Another rsync is run there, as root.
		{"www-data", "", deploy, rsync.Strategy{}, ""},
		{"", "www-data", deploy, bound, ""},
		{"", "33", deploy, bound, ""},
		{"", "staff", deploy, bound, "the user there is neither root nor in the group staff"},
		{"", "staff", nobodyKnows, bound, ""},
		{"0:33", "", root, rsync.Strategy{NoMaps: true}, older},
		{"", "33", root, rsync.Strategy{NoMaps: true}, older},
		{"none", "", root, rsync.Strategy{NoMaps: true}, ""},
		{"33", "", root, rsync.Strategy{Capabilities: remotefs.Capabilities{NoOwners: true}}, "the file system there keeps no owners"},
	} {
		if got := test.user.givesTo(config.Remote{Owner: test.owner, Group: test.group}, test.strategy); got != test.want {
			t.Errorf("owner=%s group=%s, %+v: %q, want %q", test.owner, test.group, test.user, got, test.want)
		}
	}
}
