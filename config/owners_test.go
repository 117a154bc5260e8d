package config

import "testing"

func TestWhose(t *testing.T) {
	for _, test := range []struct {
		value, rsync string
		demands      bool
		id           uint32
		to           uint32
		how          Becoming
	}{
		{"auto", "", false, 5, 5, Same},
		{"keep", "", true, 5, 5, Same},
		{"none", "", false, 5, 0, Left},
		{"www-data", "*:www-data", true, 5, 77, Other},
		{"33", "*:33", true, 5, 77, Other},
		{"0-9:33,*:34", "0-9:33,*:34", true, 9, 33, Other},
		{"0-9:33,*:34", "0-9:33,*:34", true, 10, 34, Other},
		{"5:33", "5:33", true, 6, 6, Same},
		{"5:www", "5:www", true, 5, 0, Unknown},
		{"5:www", "5:www", true, 6, 6, Same},
		{"root:33", "root:33", true, 5, 0, Unknown},
		{":33", ":33", true, 5, 0, Unknown},
	} {
		w, err := ParseWhose(test.value)
		if err != nil || w.Map() != test.rsync || w.Demands() != test.demands || w.String() != test.value {
			t.Errorf("%s: %v, map %q, demands %v, %q", test.value, err, w.Map(), w.Demands(), w)
		}
		if to, how := w.Of(test.id, 77); how != test.how || how != Unknown && to != test.to {
			t.Errorf("%s: of %d comes %d, %v", test.value, test.id, to, how)
		}
	}
	for _, wrong := range []string{"", "-rf", "a b", "a;b", "$(id)", "a:b:c", "a:", "a:b,", "4294967295", "99999999999", "*:-x", "a\nb:c", "keep,none", "`id`:a", "a:auto;b", "*"} {
		if w, err := ParseWhose(wrong); err == nil {
			t.Errorf("%q is taken for %q", wrong, w)
		}
	}
}
