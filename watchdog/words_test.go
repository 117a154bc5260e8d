package watchdog

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestLastWords: what says why a process died is kept, in one line that does no harm.
func TestLastWords(t *testing.T) {
	for said, want := range map[string]string{
		"":                                "",
		"\n\n":                            "",
		"a\nb\n":                          "b",
		"a\n\n \n":                        "a",
		"a\nnot ended":                    "not ended",
		"wsync: cannot do it":             "cannot do it",
		"wsync: no\nhint: do\n":           "no",
		"\x1b]0;title\a\tred\r\n\x1b[31m": "?[31m",
		"\t\x1b[2Jgone\xff\u202e\n":       "?[2Jgone??",
		"a warning\npanic: oh\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:7 +0x1\n":     "panic: oh",
		"fatal error: all goroutines are asleep\n\ngoroutine 1:\npanic: not this\nexit 2\n": "fatal error: all goroutines are asleep",
		"SIGQUIT: quit\nPC=0x1\n":                     "SIGQUIT: quit",
		strings.Repeat("x", 10*maxLine) + "\nshort\n": "short",
		strings.Repeat("é", maxWords) + "\n":          strings.Repeat("é", maxWords),
	} {
		whole, pieces := lastWords{name: "wsync"}, lastWords{name: "wsync"}
		fmt.Fprint(&whole, said)
		for i := range len(said) {
			fmt.Fprint(&pieces, said[i:i+1])
		}
		if got, again := whole.text(), pieces.text(); got != want || again != want {
			t.Errorf("%.50q: %q, in pieces %q, want %q", said, got, again, want)
		}
	}
	long := lastWords{}
	fmt.Fprint(&long, "begin", strings.Repeat("€", maxLine/3-10), "end", strings.Repeat("no", maxLine))
	if got := long.text(); utf8.RuneCountInString(got) > maxWords || !strings.HasPrefix(got, "begin") || len(long.line) > maxLine {
		t.Errorf("of a long line: %q", got)
	}
}
