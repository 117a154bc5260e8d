package remotefs

import (
	"io/fs"
	"maps"
	"strings"
	"testing"
	"time"
)

func TestLosers(t *testing.T) {
	both := Capabilities{FoldsCase: true, FoldsUnicode: true}
	full := Capabilities{FoldsCase: true, FoldsFull: true}
	for name, test := range map[string]struct {
		c     Capabilities
		names []string
		want  map[string]string
	}{
		"nothing folds":         {Capabilities{}, []string{"a", "A"}, nil},
		"one":                   {both, []string{"Readme"}, nil},
		"two":                   {both, []string{"Readme", "README", "other"}, map[string]string{"Readme": "README"}},
		"in any order":          {both, []string{"README", "Readme"}, map[string]string{"Readme": "README"}},
		"three":                 {both, []string{"b", "aA", "Aa", "AA"}, map[string]string{"aA": "AA", "Aa": "AA"}},
		"not ASCII":             {both, []string{"É", "é"}, map[string]string{"é": "É"}},
		"normalisation":         {both, []string{"\u00e9", "e\u0301"}, map[string]string{"\u00e9": "e\u0301"}},
		"both":                  {both, []string{"\u00e9", "E\u0301"}, map[string]string{"\u00e9": "E\u0301"}},
		"normalisation only":    {Capabilities{FoldsUnicode: true}, []string{"\u00e9", "e\u0301", "E\u0301"}, map[string]string{"\u00e9": "e\u0301"}},
		"case only":             {Capabilities{FoldsCase: true}, []string{"\u00e9", "e\u0301"}, nil},
		"simple folding":        {both, []string{"straße", "strasse", "STRASSE"}, map[string]string{"strasse": "STRASSE"}},
		"full folding":          {full, []string{"straße", "strasse"}, map[string]string{"straße": "strasse"}},
		"not UTF-8":             {both, []string{"\xff", "\xfe", "A\xff", "a\xff"}, map[string]string{"a\xff": "A\xff"}},
		"a sign and its letter": {both, []string{"\u212a", "K", "k"}, map[string]string{"\u212a": "K", "k": "K"}},
	} {
		if got := test.c.Losers(test.names); !maps.Equal(got, test.want) {
			t.Errorf("%s: %q, expected %q", name, got, test.want)
		}
	}
}

// What is folded stays as it is when it is folded again, so that the way in which
// two names meet depends on no third.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"Readme", "\u00c9", "e\u0301", "\u1e9e", "\u0345\u0399", "\xff", "\u212a", "İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range []Capabilities{{FoldsCase: true}, {FoldsUnicode: true}, {FoldsCase: true, FoldsUnicode: true}} {
			once := c.Fold(s)
			if twice := c.Fold(once); twice != once {
				t.Errorf("%q is %q, and that is %q", s, once, twice)
			}
		}
	})
}

func TestRefusal(t *testing.T) {
	windows := Capabilities{NoSymlinks: true, NoSpecials: true, Refused: SuspectCharacters, NoInvalidUTF8: true, NoTrailingDot: true, NoTrailingSpace: true, NoDeviceNames: true}
	for name, want := range map[string]string{
		"a": "", "a.b": "", " a": "", ".a": "", "console": "", "com10": "", "lpt": "", "com0": "", "grüße": "",
		"a:b": "with :", "what?": "with ?", "tab\t": "control character", "a.": "with a dot", "a ": "with a space", "\xff": "not UTF-8",
		"con": "device", "Aux.c": "device", "COM1": "device", "lpt9.txt": "device", "nul .x": "device",
	} {
		got := windows.Refusal(name, 0)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: %q, expected %q", name, got, want)
		}
		if got := (Capabilities{}).Refusal(name, fs.ModeSymlink); got != "" {
			t.Errorf("%q: %q", name, got)
		}
	}
	if got := windows.Refusal("link", fs.ModeSymlink|0o777); !strings.Contains(got, "no symbolic links") {
		t.Error(got)
	}
	for _, kind := range []fs.FileMode{fs.ModeNamedPipe, fs.ModeSocket, fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice} {
		if got := windows.Refusal("special", kind|0o644); !strings.Contains(got, "no FIFOs") {
			t.Errorf("%v: %q", kind, got)
		}
	}
}

func TestDescribe(t *testing.T) {
	if lines := (Capabilities{}).Describe(); len(lines) > 0 {
		t.Errorf("of what keeps everything is said: %q", lines)
	}
	all := Capabilities{true, true, true, true, true, true, true, true, true, true, 2 * time.Second, SuspectCharacters, true, true, true, true, 1024}
	said := strings.Join(all.Describe(), "\n")
	for _, want := range []string{"case", "normalisation", "modes", "owners and groups", "2s", "times of symbolic links", "links cannot", "FIFOs", `with any of " * : < > ? \ |`, "control", "UTF-8", "dot", "space", "AUX", "1021 bytes"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in\n%s", want, said)
		}
	}
}
