package doctor

import (
	"slices"
	"strings"
	"testing"

	"wsync/monitor/report"
)

func TestSpace(t *testing.T) {
	const gigabyte = 1 << 30
	for _, test := range []struct {
		r    room
		want string
	}{
		{room{bytes: 5 * gigabyte, files: 1 << 20, allFiles: 1 << 21}, "ok room: 5 GB are free; ok inodes: 1048576 more files can be made"},
		{room{bytes: gigabyte - 1}, "warn room: 1023 MB are free"},
		{room{bytes: gigabyte, files: 9999, allFiles: 10000}, "ok room: 1 GB are free; warn inodes: 9999 more files can be made there, whatever their sizes: 1 inodes are taken"},
	} {
		a, all := told(nil)
		a.space(test.r, true)
		var got []string
		for _, c := range *all {
			got = append(got, string(c.Status)+" "+c.Name+": "+c.Found)
			if (c.Status == report.CheckOK) != (c.Remedy == "") {
				t.Errorf("%+v: remedy %q", c, c.Remedy)
			}
		}
		if text := strings.Join(got, "; "); text != test.want {
			t.Errorf("%+v: %s, want %s", test.r, text, test.want)
		}
	}
	a, all := told(nil)
	if a.space(room{}, false); len(*all) > 0 {
		t.Errorf("where nothing is known: %+v", *all)
	}
}

// Of what is said on a remote, what a quota(1) says of quotas that are exceeded counts.
func TestQuotas(t *testing.T) {
	for said, want := range map[string][]string{
		"": nil,
		"Welcome to web1!\nsh: 1: quota: not found\n":                                                        nil,
		"Disk quotas for user me (uid 1000): none\n":                                                         nil,
		"Disk quotas for user me (uid 1000): \n\tBlock limit reached on /dev/sda2\n":                         {"Block limit reached on /dev/sda2"},
		"hello\n\tIn block grace period on /dev/a\n\tOver file quota on /dev/b\n\tFile limit reached on c\n": {"In block grace period on /dev/a", "Over file quota on /dev/b", "File limit reached on c"},
	} {
		if got := exceededQuotas(said); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}
