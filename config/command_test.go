package config

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestNotifyCommandSetting(t *testing.T) {
	home := t.TempDir()
	for _, test := range []struct {
		value string
		args  []string // nil: refused
	}{
		{`notify-send`, []string{"notify-send"}},
		{`notify-send  wsync "a b" c`, []string{"notify-send", "wsync", "a b", "c"}},
		{`sh -c 'mail -s "$WSYNC_MESSAGE" me'`, []string{"sh", "-c", `mail -s "$WSYNC_MESSAGE" me`}},
		{`sh -c "x"`, []string{"sh", "-c", "x"}},
		{`"/a b/c" "d e"`, []string{"/a b/c", "d e"}},
		{`'/a b/c'`, []string{"/a b/c"}},
		{`"notify-send wsync"`, []string{"notify-send", "wsync"}}, // quotes around a value are the file's own
		{`x a'b 'c "" '' \n $x`, []string{"x", "ab c", "", "", `\n`, "$x"}},
		{`~/bin/tell ~/x`, []string{home + "/bin/tell", "~/x"}},
		{`sh -c 'x`, nil},
		{`"x`, nil},
		{``, nil},
		{`''`, nil},
		{`"" x`, nil},
		{"x \x01", nil},
	} {
		writeFile(t, filepath.Join(home, ".wsync/wsync.config"), "NotifyCommand = "+test.value+"\n")
		s, err := LoadSettings(environment(home, ""))
		if got := s.NotifyArgs(); (err != nil) != (test.args == nil) || !slices.Equal(got, test.args) {
			t.Errorf("%s: %q (%v), expected %q", test.value, got, err, test.args)
		}
	}
}
