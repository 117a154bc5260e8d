package screen

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"wsync/client/live"
	"wsync/daemon/api"
)

var update = flag.Bool("update", false, "rewrite the screens in testdata instead of comparing them")

var start = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

// someRows are a remote of each kind.
func someRows() []live.Row {
	ms := func(n ...int) (all []time.Duration) {
		for _, n := range n {
			all = append(all, time.Duration(n)*time.Millisecond)
		}
		return all
	}
	details := func(name string) func() []string {
		return func() []string {
			return []string{name, "  state      as it is", "  hint       " + strings.Repeat("word ", 30)}
		}
	}
	return []live.Row{
		{
			Workspace: "docs", Remote: "nas", Destination: "me@nas.example.org:/backup/docs", Standing: "held", Level: live.Bad, State: "halted", Since: "4m",
			Pending: "150", Problem: "150 deletions: the workspace is empty, and was not before", Hint: "if this is meant: wsync approve docs nas", Held: "h1",
			Details: details("docs/nas"),
		},
		{
			Workspace: "site", Remote: "web", Destination: "web:/srv/www", Standing: "failing", Level: live.Bad, State: "retrying in 8s", Since: "2h",
			Pending: "3", Latencies: ms(1, 3, 40, 4, 6000), Problem: "img/日本.png: Permission denied", ErrorPath: "img/日本.png", Details: details("site/web"),
		},
		{
			Workspace: "site", Remote: "a-remote-with-a-name-that-is-long-enough", Destination: "/media/disk", Standing: "behind", Level: live.Busy, State: "syncing",
			Since: "2s", Pending: "all", Rate: "12.3 MB/s", Latencies: ms(2, 2, 2, 2, 2, 2, 2, 2, 100, 40_000), Details: details("site/long"),
		},
		{Workspace: "site", Remote: "laptop", Standing: "paused", Level: live.Off, State: "paused", Since: "3d", Details: details("site/laptop")},
		{Workspace: "site", Remote: "near", Standing: "in sync", Level: live.Good, State: "in sync", Since: "1h", Latencies: ms(1), Details: details("site/near")},
		{Workspace: "new", Standing: "no remotes", Level: live.Off, State: "no remotes yet", Since: "-", Hint: "wsync attach new REMOTE DEST", Details: details("new")},
	}
}

// scene is a model whose status is what it says.
type scene struct {
	t       *testing.T
	rows    []live.Row
	notes   []string
	model   Model
	effects []Effect // all so far
}

func newScene(t *testing.T, rows []live.Row, width, height int) *scene {
	s := &scene{t: t, rows: rows}
	words := func(*api.Status, time.Time) live.Board {
		return live.Board{Summary: fmt.Sprintf("3 workspaces, %d remotes: 1 held, 4 other", len(s.rows)), Notes: s.notes, Rows: slices.Clone(s.rows)}
	}
	s.model = NewModel(words, &api.Status{}, start, Options{Unicode: true})
	s.tell(Resized{width, height})
	return s
}

// tell lets things happen.
func (s *scene) tell(all ...any) *scene {
	for _, what := range all {
		var effects []Effect
		s.model, effects = s.model.Update(what)
		s.effects = append(s.effects, effects...)
	}
	return s
}

// press presses keys, by their names.
func (s *scene) press(keys ...string) *scene {
	for _, key := range keys {
		text := ""
		if len([]rune(key)) == 1 {
			text = key
		}
		s.tell(Key{key, text})
	}
	return s
}

// wants expects that effects were asked for since the last time, but for those of events.
func (s *scene) wants(effects ...Effect) *scene {
	s.t.Helper()
	got := slices.DeleteFunc(s.effects, func(e Effect) bool { _, of := e.(FollowEvents); return of })
	if !slices.Equal(got, effects) {
		s.t.Errorf("it wants %+v, expected %+v", got, effects)
	}
	s.effects = nil
	return s
}

// shows expects a text on the screen.
func (s *scene) shows(text string) *scene {
	s.t.Helper()
	if screen := strings.Join(s.model.View(), "\n"); !strings.Contains(screen, text) {
		s.t.Errorf("%q is not on the screen:\n%s", text, screen)
	}
	return s
}

// TestScreens compares screens with those of testdata, which -update writes.
func TestScreens(t *testing.T) {
	told := EventsTold{live.Key{Workspace: "docs", Remote: "nas"}, []string{"11:58:00  in sync", "11:59:00  sent 1 path, 4 B: a", "12:00:00  held 150 deletions"}}
	for _, size := range [][2]int{{40, 10}, {80, 24}, {200, 50}} {
		for name, scene := range map[string]func(*scene){
			"list":  func(s *scene) {},
			"moved": func(s *scene) { s.press("down", "down", "down", "down", "down") },
			"notes": func(s *scene) {
				s.notes = []string{"the daemon cannot log: no space left on device"}
				s.tell(Ticked{start})
			},
			"gone": func(s *scene) {
				s.tell(Updated{live.Update{Err: errors.New("the daemon is not running")}}, Ticked{start.Add(3 * time.Second)})
			},
			"confirm": func(s *scene) { s.press("s") },
			"input":   func(s *scene) { s.press("down", "e") },
			"details": func(s *scene) { s.press("enter") },
			"help":    func(s *scene) { s.press("?") },
			"held": func(s *scene) {
				s.press("a").tell(PageTold{"1", []string{"delete  a", "delete  b"}}, PageEnded{"1", nil})
			},
			"empty": func(s *scene) { s.rows = nil; s.tell(Ticked{start}) },
		} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				s := newScene(t, someRows(), size[0], size[1])
				s.tell(told)
				scene(s)
				lines := s.model.View()
				for i := range lines {
					lines[i] = strings.TrimRight(lines[i], " ")
				}
				compare(t, filepath.Join("testdata", fmt.Sprintf("%s-%dx%d.txt", name, size[0], size[1])), strings.Join(lines, "\n")+"\n")
			})
		}
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s; -update writes it.\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

// Whatever the size, there are as many lines as the terminal has at most, none is too long,
// and the selected row is there. With colours it is the same text.
func TestFits(t *testing.T) {
	rows := someRows()
	for i := range 200 {
		rows = append(rows, live.Row{Workspace: fmt.Sprint("w", i), Remote: "r", State: "in sync", Level: live.Good, Details: func() []string { return nil }})
	}
	for _, keys := range [][]string{nil, {"end"}, {"pgdown", "pgdown", "up"}, {"enter", "end"}, {"?", "end"}, {"s"}, {"down", "e"}, {"a"}} {
		s := newScene(t, rows, 80, 24)
		s.notes = []string{strings.Repeat("note ", 50), "b", "c"}
		s.press(keys...)
		for _, width := range []int{1, 2, 5, 13, 40, 41, 79, 120, 200} {
			for height := 1; height <= 60; height += 5 {
				s.tell(Resized{width, height}, Ticked{start})
				lines := s.model.View()
				if len(lines) > height {
					t.Fatalf("%v, %dx%d: %d lines", keys, width, height, len(lines))
				}
				for _, line := range lines {
					if w := ansi.StringWidth(line); w > width || strings.Contains(line, "\n") {
						t.Fatalf("%v, %dx%d: a line of %d columns: %q", keys, width, height, w, line)
					}
				}
				if s.model.page == nil && height >= 3 && width >= 3 && !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "> ") }) {
					t.Fatalf("%v, %dx%d: the selected row is not there:\n%s", keys, width, height, strings.Join(lines, "\n"))
				}
				coloured := s.model
				coloured.options.Colour = true
				if text := ansi.Strip(strings.Join(coloured.View(), "\n")); text != strings.Join(lines, "\n") {
					t.Fatalf("%v, %dx%d: with colours it is\n%s\nwithout\n%s", keys, width, height, text, strings.Join(lines, "\n"))
				}
			}
		}
	}
}

// As long as nobody moves, the worst is selected, whichever that is; afterwards the one that
// was selected, wherever it is, and its events are followed.
func TestSelection(t *testing.T) {
	s := newScene(t, someRows(), 80, 24)
	selected := func(want string) {
		t.Helper()
		if got := s.model.chosen.String(); got != want {
			t.Errorf("selected: %s, expected %s", got, want)
		}
		if last := s.effects[len(s.effects)-1]; last != (FollowEvents{s.model.chosen}) {
			t.Errorf("it wants %+v at last", last)
		}
	}
	rows := someRows()
	s.rows = append(rows[3:4:4], rows...)
	s.tell(Ticked{start})
	selected("site/laptop")
	s.rows = rows
	s.tell(Ticked{start}).press("down")
	selected("site/web")
	slices.Reverse(s.rows)
	s.tell(Ticked{start})
	selected("site/web")
	s.rows = slices.DeleteFunc(s.rows, func(r live.Row) bool { return r.Remote == "web" })
	s.tell(Ticked{start})
	selected("new")
	s.press("end")
	selected("docs/nas")
	s.press("home")
	selected("new")

	s.tell(EventsTold{s.model.chosen, []string{"this"}}, EventsTold{live.Key{Workspace: "docs", Remote: "nas"}, []string{"another"}})
	if !slices.Equal(s.model.events.lines, []string{"this"}) {
		t.Errorf("events %q", s.model.events.lines)
	}
	// They could not be told, and are asked for again when there is a daemon again.
	s.tell(EventsEnded{s.model.chosen, errors.New("no\x1bdaemon")}).shows("no·daemon")
	s.effects = nil
	s.tell(Updated{live.Update{Err: errors.New("no daemon")}}, Updated{live.Update{At: start}})
	selected("new")
}

// What deletes or costs is asked about.
func TestCommands(t *testing.T) {
	s := newScene(t, someRows(), 80, 24)
	web := live.Key{Workspace: "site", Remote: "web"}
	s.press("down").wants()
	s.press("p").wants(Act{Action: api.Pause, Of: web})
	s.press("r").wants(Act{Action: api.Resume, Of: web})
	s.press("s").shows("with site/web? y/n").press("x", "n").wants()
	s.press("s", "y").wants(Act{Action: api.Resync, Of: web})
	s.press("v", "esc").wants()
	s.press("v", "y").wants(List{ID: "1", Kind: PageVerify, Of: web})
	s.tell(PageProgressed{"1", "1 of 3 files"}).shows("1 of 3 files")
	s.press("esc").wants(Leave{"1"})
	s.press("a").shows("nothing is held on site/web").wants()
	s.press("e").shows("path in site: img/日本.png").press("ctrl+u", "b", "x", "backspace", "/", "space")
	s.tell(Key{"", "c\x1b[2J\n"}).press("enter").wants(List{ID: "2", Kind: PageExplain, Of: web, Path: "b/c[2J"})
	s.tell(PageTold{"1", []string{"late"}}, PageTold{"2", []string{"there"}}, PageEnded{"2", errors.New("no\x07")}).shows("there\nno·")
	s.press("q").wants(Leave{"2"})
	s.tell(Said{"paused site/web"}).shows("paused site/web").tell(Ticked{start.Add(11 * time.Second)}, Updated{live.Update{At: start.Add(11 * time.Second)}}).shows("? help")
	s.press("end", "p").shows("new has no remotes yet").wants()
	s.press("ctrl+z", "q").wants(Suspend{}, Quit{})
	s.press("?").shows("esc back").press("?").shows("q quit").wants()
	s.press("?", "ctrl+c").wants(Quit{})
}

// What is approved is what was listed, to its end, and is held still.
func TestApprove(t *testing.T) {
	nas := live.Key{Workspace: "docs", Remote: "nas"}
	list := List{ID: "1", Kind: PageHeld, Of: nas}
	listed := func() *scene { return newScene(t, someRows(), 80, 24).press("a").wants(list) }
	listed().press("y").shows("the list is not whole yet").wants()
	listed().tell(PageTold{"1", []string{"delete  a"}}, PageEnded{"1", nil}).press("y").wants(Leave{"1"}, Act{api.Approve, nas, "h1"})
	listed().tell(PageEnded{"1", errors.New("no route")}).shows("no route").press("y").shows("wsync approve docs nas").wants()
	listed().tell(PageEnded{"1", nil}).press("esc").wants(Leave{"1"}).press("y").wants()

	s := listed().tell(PageEnded{"1", nil})
	s.rows[0].Held = "h2"
	s.tell(Ticked{start}).press("y").shows("what is held has changed").wants()
	s.rows[0].Held = ""
	s.tell(Ticked{start}).press("y").shows("nothing is held any more").wants()

	s = newScene(t, someRows(), 80, 24)
	s.rows[0].Held, s.rows[0].Halted = "", true
	s.tell(Ticked{start}).press("a").shows("wsync approve docs").wants()
}

// Without a daemon, or one that does not answer, nothing is said to be so, and nothing asked.
func TestStale(t *testing.T) {
	s := newScene(t, someRows(), 80, 24)
	s.tell(Ticked{start.Add(silentTime)}).shows("3 workspaces")
	s.tell(Ticked{start.Add(silentTime + time.Second)}).shows("no answer for 7s").shows("was in sync").press("p").shows("does not answer").wants()
	s.tell(Updated{live.Update{At: start.Add(silentTime + time.Second)}}).shows("3 workspaces").press("p").wants(Act{Action: api.Pause, Of: s.model.chosen})
	s.tell(Updated{live.Update{Err: errors.New("no daemon")}}).shows("was in sync")
}

// However much there is to tell, it is bounded.
func TestBounds(t *testing.T) {
	s := newScene(t, someRows(), 80, 24)
	for range 10 {
		s.tell(EventsTold{s.model.chosen, slices.Repeat([]string{"e"}, 400)})
	}
	if n := len(s.model.events.lines); n != mostEvents {
		t.Errorf("%d events", n)
	}
	s.press("a")
	for range 3 {
		s.tell(PageTold{"1", slices.Repeat([]string{"l"}, mostLines/2)})
	}
	s.tell(PageEnded{"1", nil}).press("end").shows(fmt.Sprintf("and %d more lines", mostLines/2))
}

func TestGraph(t *testing.T) {
	all := []time.Duration{0, 2e6, 3e6, 50e6, 51e6, 1e9, 5e9, 30e9, 31e9}
	for o, want := range map[Options]string{{Unicode: true}: "▁▁▂▃▄▅▆▇█", {}: "__.-=+*#@"} {
		if got := o.graph(all, 9); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got := o.graph(all, 2); got != string([]rune(want)[7:]) {
			t.Errorf("the last two are %s", got)
		}
	}
}

func TestCutMiddle(t *testing.T) {
	for width, want := range map[int]string{12: "abcdef/ghijk", 11: "abcde…ghijk", 5: "ab…jk", 2: "a…"} {
		if got := (Options{Unicode: true}).cutMiddle("abcdef/ghijk", width); got != want {
			t.Errorf("%d: %s, want %s", width, got, want)
		}
	}
}
