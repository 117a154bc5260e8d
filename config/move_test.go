package config

import "testing"

func TestMoveTo(t *testing.T) {
	for _, test := range []struct{ from, to, want, key string }{
		{"/a", "/b", "/b", ""},
		{"ssh://me@h:22/a", "h:/b", "ssh://me@h:22/b", "/key"},
		{"ssh://me@h:22/a", "you@h:/b", "ssh://you@h:22/b", "/key"},
		{"ssh://me@h:22/a", "ssh://h:23/b", "ssh://me@h:23/b", "/key"},
		{"ssh://me@h:22/a", "other:/b", "other:/b", ""},
		{"h:/a", "me@h:b", "me@h:b", ""},
		{"ssh://me@h:22/a", "/b", "/b", ""},
		{"rsync://me@h:1/m", "h::n", "rsync://me@h:1/n", "/password"},
		{"rsync://me@h:1/m", "g::n", "rsync://g/n", ""},
	} {
		parse := func(s string) Remote {
			r, err := ParseDestination(s)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := parse(test.from)
		r.Name, r.Trash, r.ID = "r", Age(day), "x"
		if c := r.Connection; c.SSH != nil {
			c.SSH.IdentityFile = "/key"
		} else if c.RsyncDaemon != nil {
			c.RsyncDaemon.PasswordFile = "/password"
		}
		from := r.Clone()
		r.MoveTo(parse(test.to))
		key := ""
		if c := r.Connection; c.SSH != nil {
			key = c.SSH.IdentityFile
		} else if c.RsyncDaemon != nil {
			key = c.RsyncDaemon.PasswordFile
		}
		if got := r.Destination(); got != test.want || key != test.key || r.Name != "r" || r.Trash != Age(day) || r.ID != "x" {
			t.Errorf("%s to %s is %s with %q: %+v", test.from, test.to, got, key, r)
		}
		if from.Destination() != test.from {
			t.Errorf("%s became %s", test.from, from.Destination())
		}
	}
}
