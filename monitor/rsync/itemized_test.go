package rsync

import "testing"

func TestParseCode(t *testing.T) {
	for code, want := range map[string]Differs{
		">f+++++++++":  {Kind: '-', New: true, Sent: true},
		"<f.st......":  {Kind: '-', Sent: true, Size: true, Time: true},
		"<fc.T......":  {Kind: '-', Sent: true, Content: true, Time: true},
		".f...pog...":  {Kind: '-', Mode: true, Owner: true, Group: true},
		".d..t......":  {Kind: 'd', Time: true},
		"cd+++++++++":  {Kind: 'd', New: true},
		"cLc.t......":  {Kind: 'l', Content: true, Time: true},
		"cDc........":  {Kind: 'c', Content: true},
		".f          ": {Kind: '-'},
		".f.......a.":  {Kind: '-', ACL: true},
		".d.......ax":  {Kind: 'd', ACL: true, Xattrs: true},
		"hf          ": {Kind: '-', Link: true},
		"short":        {},
	} {
		if got := ParseCode(code); got != want {
			t.Errorf("%q: %+v, want %+v", code, got, want)
		}
	}
}

// TestAmong: a link's name, and where it leads, may look like another name.
func TestAmong(t *testing.T) {
	names := map[string]bool{"a -> b": true, "l": true, " -> ": true}
	for line, want := range map[string]Listed{
		"a -> b -> c": {Path: "a -> b", Target: "c"}, "l -> x -> y": {Path: "l", Target: "x -> y"},
		"a -> b": {Path: "a", Target: "b"}, " ->  -> z": {Path: " -> ", Target: "z"}, "no -> x -> y": {Path: "no", Target: "x -> y"},
	} {
		l, ok := ParseListed("lrwxrwxrwx              3 2026/11/29 18:07:59 " + line)
		if !ok {
			t.Fatalf("%q cannot be read", line)
		}
		if got := l.Among(names); got.Path != want.Path || got.Target != want.Target {
			t.Errorf("%q: %q, %q", line, got.Path, got.Target)
		}
	}
}

// TestList: entries of a destination are listed by name, whatever they are called.
func TestList(t *testing.T) {
	source, there := dir(t, 0), dir(t, 0)
	entries := make(map[string]string)
	var names []string
	for _, name := range oddNames {
		entries[name], entries["d/"+name] = "x", "xy"
		names = append(names, name, "d/"+name)
	}
	tree(t, there, entries)
	got := make(map[string]Listed)
	job := List(local(there, modern), append(names, "none", "d/none"), func(line string) {
		if l, ok := ParseListed(line); ok {
			got[l.Path] = l
		}
	})
	if r, err := Run(t.Context(), source, Environment(""), job, nil); err != nil || r.Code != 0 {
		t.Fatalf("%v, code %d: %s", err, r.Code, r.Stderr)
	}
	for _, name := range names {
		if l := got[name]; l.Kind != '-' || l.Size != int64(len(entries[name])) || l.Mode == "" || l.ModTime.IsZero() {
			t.Errorf("%q: %+v", name, l)
		}
	}
}
