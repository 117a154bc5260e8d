package hook

import (
	"strings"
	"testing"
)

// TestQueue plays what happens, a letter or a word at a time: names that were changed, with "!"
// by a transfer that failed; "ok" and "bad" are ends of runs, "other" is another
// command, "try" a request to try again.
// What a run is told stands in brackets.
func TestQueue(t *testing.T) {
	for events, want := range map[string]string{
		"a":               "[a]",
		"a ok b":          "[a] ok [b]",
		"a b c ok":        "[a] ok [b c]", // one run for all that came meanwhile
		"a b bad":         "[a] bad [a b]",
		"a bad":           "[a] bad",
		"a bad -":         "[a] bad", // nothing new, such as a pass that found nothing
		"a bad b":         "[a] bad [a b]",
		"a bad try":       "[a] bad [a]",
		"a ok try":        "[a] ok",
		"a other ok":      "[a] [a] ok",
		"a b other ok":    "[a] [a b] ok",
		"a! -":            "[a]", // it was there already when it was tried again
		"a!":              "",
		"a! b":            "[a b]",
		"a! try":          "",
		"a b! ok":         "[a] ok",
		"a b! ok -":       "[a] ok [b]",
		"-":               "",
		"a ok - try b ok": "[a] ok [b] ok",
	} {
		var q queue
		var got []string
		for _, event := range strings.Fields(events) {
			switch event {
			case "ok", "bad":
				q.end(event == "bad")
				got = append(got, event)
			case "other":
				q.giveUp()
			case "try":
				q.retry()
			case "-":
				q.take(Paths{}, true)
			default:
				name, failed := strings.CutSuffix(event, "!")
				var p Paths
				p.Add(name)
				q.take(p, !failed)
			}
			if p, ok := q.begin(); ok {
				got = append(got, "["+strings.Join(strings.Fields(p.Lines()), " ")+"]")
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s: %s, want %s", events, got, want)
		}
	}
	var q queue
	for _, name := range []string{"a", "b"} {
		var p Paths
		p.Add(name)
		q.take(p, true)
		q.begin()
	}
	if left := q.left(); left.Lines() != "a\nb\n" {
		t.Errorf("left is %q", left.Lines())
	}
}
