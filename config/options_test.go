package config

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestSetOptions(t *testing.T) {
	local := Connection{Local: &Local{}}
	for words, want := range map[string]string{
		"":                                           "",
		"trash=7d":                                   "trash=7d",
		"trash=7d delay-updates=on":                  "delay-updates=on trash=7d",
		"trash=7d; trash=":                           "",
		"trash=7d; trash=off":                        "",
		"trash=7d; trash=36h":                        "trash=36h",
		"full-pass=90":                               "full-pass=1m30s",
		"full-pass=1d":                               "full-pass=1d",
		"verify=1w verify-repair=on":                 "verify=7d verify-repair=on",
		"verify=off":                                 "verify=off",
		"verify=off; verify=":                        "",
		"skip-unsupported=on":                        "skip-unsupported=on",
		"chmod=D2755,F644 umask=27":                  "chmod=D2755,F644 umask=027",
		"umask=22; umask=0":                          "",
		"delete=keep":                                "delete=keep",
		"delete=keep; delete=mirror":                 "",
		"delete-after=168h":                          "delete-after=7d",
		"delete-after=90; delete-after=":             "",
		"delete-after=1h; delete-after=off":          "",
		"delete-after=1h; delete=keep delete-after=": "delete=keep",
		"delete=keep; delete-after=1h delete=mirror": "delete-after=1h",
		"trash=7d trash-size=10g":                    "trash=7d trash-size=10G",
		"trash-size=1536M":                           "trash-size=1536M",
		"trash-size=1T; trash-size=":                 "",
		"bandwidth=2m":                               "bandwidth=2M",
		"bandwidth=1536K":                            "bandwidth=1536K",
		"bandwidth=1M; bandwidth=off":                "",
		"owner=www-data group=33":                    "owner=www-data group=33",
		"owner=auto group=none":                      "group=none",
		"owner=0-99:nobody,*:1000":                   "owner=0-99:nobody,*:1000",
		"acls=on xattrs=on sparse=on":                "acls=on xattrs=on sparse=on",
		"hard-links=on":                              "hard-links=on",
		"devices=off":                                "devices=off",
		"sparse=off; sparse=auto":                    "",
		"numeric-ids=on":                             "numeric-ids=on",
		"compress=off":                               "compress=off",
		"compress=off; compress=auto":                "",
		"skip-unsupported=on; skip-unsupported=off":  "",
	} {
		r := Remote{Name: "r", RemotePath: "/r", Connection: local}
		for step := range strings.SplitSeq(words, ";") {
			if err := r.SetOptions(assign(t, step)); err != nil {
				t.Errorf("%s: %v", words, err)
			}
		}
		if got := shownOptions(r); got != want {
			t.Errorf("%s: got %q, want %q", words, got, want)
		}
		// The file has the same.
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var read Remote
		if err := json.Unmarshal(data, &read); err != nil || read.Validate() != nil || shownOptions(read) != want {
			t.Errorf("%s: %s: %v, %v, %q", words, data, err, read.Validate(), shownOptions(read))
		}
	}
}

// TestSetOptionsRefuses: nothing changes if anything is wrong.
func TestSetOptionsRefuses(t *testing.T) {
	for words, want := range map[string]string{
		"trash=1d delay-updates=perhaps": `delay-updates: expected on or off, found "perhaps"`,
		"trash=1d trash=2d":              "trash is given twice",
		"delete=keep delete-after=1h":    "delete: nothing can be deleted after 1h (delete-after) where all is kept",
		"delete-after=0":                 `delete-after: expected off, or a duration from 1s to 3650d, such as 1h or 7d, found "0"`,
		"delete=never":                   `delete: expected mirror or keep, found "never"`,
		"trash-size=10":                  `trash-size: expected off, or a number of bytes from 1K to 1024T, such as 500M or 10G, found "10"`,
		"trash-size=9999999T":            `trash-size: expected`,
		"trash-size=+1G":                 `trash-size: expected`,
		"compress=on":                    "compress: rsync never compresses on one machine",
		"compress=zstd":                  `compress: expected auto, on or off, found "zstd"`,
		"bandwidth=1K":                   `bandwidth: expected off, or a number of bytes a second from 10K to 100G, such as 500K or 2M, found "1K"`,
		"bandwidth=9999999G":             `bandwidth: expected`,
		"full-pass=10":                   `full-pass: expected a duration from 1m to 30d, such as 10m or 1d, found "10"`,
		"verify=10":                      `verify: expected off, or a duration from 1m to 365d, such as 7d or 1w, found "10"`,
		"verify=2000d":                   "verify: expected",
		"rsync-path=/usr/bin/rsync":      "rsync-path: it is for remotes that are reached by ssh",
		"trash=1d on-empty=allow":        "on-empty is an option of the workspace: name no remote",
		"trash=1d trashes=1d":            `a remote has no option "trashes": did you mean trash?`,
		"trash=1d colour=red":            `a remote has no option "colour": it has delay-updates, trash, trash-size, delete, delete-after, skip-unsupported, full-pass, `,
	} {
		r := Remote{Name: "r", RemotePath: "/r", Connection: Connection{Local: &Local{}}}
		err := r.SetOptions(assign(t, words))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", words, err, want)
		}
		if got := shownOptions(r); got != "" {
			t.Errorf("%s: it has %s", words, got)
		}
	}
}

// TestTrashLeft: what a trash has is wsync's own after it is turned off.
func TestTrashLeft(t *testing.T) {
	var r Remote
	for _, step := range []struct {
		words string
		left  bool
	}{{"trash=", false}, {"trash=7d", false}, {"trash=", true}, {"trash=off", true}, {"trash=1d", false}, {"trash=off", true}} {
		if err := r.SetOptions(assign(t, step.words)); err != nil || r.TrashLeft != step.left {
			t.Errorf("%s: %v, %v, want %v", step.words, err, r.TrashLeft, step.left)
		}
	}
}

func TestOptionsChanged(t *testing.T) {
	for words, want := range map[string]Effect{
		"":                    {},
		"skip-unsupported=on": {},
		"full-pass=1d":        {},
		"verify=1d":           {},
		"chmod=a+r":           {Transfers: true, Pass: true},
		"umask=077":           {Transfers: true, Pass: true},
		"owner=0":             {Transfers: true, Pass: true, Trial: true},
		"group=none":          {Transfers: true, Pass: true, Trial: true},
		"sudo=on":             {Transfers: true, Pass: true, Trial: true},
		"xattrs=on":           {Transfers: true, Pass: true},
		"sparse=on":           {Transfers: true},
		"rsync-path=/r":       {Transfers: true, Trial: true},
		"trash=1d":            {Transfers: true, Pass: true},
		"delay-updates=on":    {Transfers: true, Pass: true},
	} {
		before := Remote{Connection: Connection{HostAlias: &HostAlias{HostAlias: "h"}}}
		after := before
		if err := after.SetOptions(assign(t, words)); err != nil {
			t.Fatal(err)
		}
		if got := OptionsChanged(before, after); got != want {
			t.Errorf("%s: got %+v, want %+v", words, got, want)
		}
	}
}

// TestTrial: what is asked for anew is tried out, and nothing that was there already.
func TestTrial(t *testing.T) {
	for _, test := range []struct {
		before, change string
		want           string // what the options demand that are tried out, "" for no trial
	}{
		{"", "trash=1d", ""},
		{"", "owner=none", ""},
		{"owner=a", "owner=auto", ""},
		{"owner=a", "trash=1d", ""},
		{"", "owner=a", "owner=a"},
		{"", "owner=keep group=0:b", "owner=keep group=0:b"},
		{"owner=a", "group=b", "group=b"},
		{"owner=a", "owner=b", "owner=b"},
		{"owner=a", "sudo=on", "owner=a sudo=on"},
		{"owner=a sudo=on", "sudo=off", "owner=a"},
		{"sudo=on", "sudo=off", ""},
		{"sudo=on", "group=b", "group=b sudo=on"},
		{"", "rsync-path=/r", "rsync-path=/r"},
		{"rsync-path=/r", "rsync-path=", ""},
	} {
		before := Remote{Connection: Connection{HostAlias: &HostAlias{HostAlias: "h"}}}
		if err := before.SetOptions(assign(t, test.before)); err != nil {
			t.Fatal(err)
		}
		after := before.Clone()
		if err := after.SetOptions(assign(t, test.change)); err != nil {
			t.Fatal(err)
		}
		tried, ok := Trial(before, after)
		want := Remote{Connection: before.Connection}
		if err := want.SetOptions(assign(t, test.want)); err != nil {
			t.Fatal(err)
		}
		if ok != (test.want != "") || ok && !reflect.DeepEqual(tried, want) {
			t.Errorf("%s, then %s: %v, %+v", test.before, test.change, ok, tried)
		}
	}
}

func assign(t *testing.T, words string) (all []Assignment) {
	t.Helper()
	for word := range strings.FieldsSeq(words) {
		a, err := ParseAssignment(word)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// shownOptions are the options of r that do not have their defaults.
func shownOptions(r Remote) string {
	var shown []string
	for _, o := range r.Options() {
		if o.Value != o.Default {
			shown = append(shown, o.Name+"="+o.Value)
		}
	}
	return strings.Join(shown, " ")
}

// TestRsyncPath: nothing that a shell would run, or split, is taken.
func TestRsyncPath(t *testing.T) {
	for path, right := range map[string]bool{
		"/usr/local/bin/rsync": true, "/opt/rsync-3.4/bin/rsync": true, "rsync": false, "/": false, "/opt/": false,
		"sudo rsync": false, "/usr/bin/rsync;id": false, "/bin/$(id)": false, "/bin/rsync -x": false, "/a\nb": false, "~/rsync": false,
	} {
		r := Remote{Name: "r", RemotePath: "/r", Connection: Connection{HostAlias: &HostAlias{HostAlias: "h"}}}
		err := r.SetOptions([]Assignment{{Name: "rsync-path", Value: path}})
		if (err == nil) != right || right != (r.RsyncPath == path) {
			t.Errorf("%q: %v, %q", path, err, r.RsyncPath)
		}
	}
}
