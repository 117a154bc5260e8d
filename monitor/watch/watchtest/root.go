package watchtest

import (
	"os"
	"strings"
	"testing"

	"wsync/monitor/watch"
)

// rootScene starts a watcher of a root that is below, or a symbolic link to
// something below, a directory of the test. outside is that directory.
func rootScene(t *testing.T, create New, root string, prepare func(s *Scene)) *Scene {
	t.Helper()
	s := &Scene{T: t, Outside: t.TempDir()}
	prepare(s)
	s.Bench = Start(t, create, s.Out(root), watch.Options{}, nil)
	s.Verify()
	return s
}

// twoReleases makes two directories, and a link that leads to the first.
func twoReleases(s *Scene) {
	s.Plant(s.Out("releases", "1"), 2, 2, 2)
	s.Plant(s.Out("releases", "2"), 3, 1, 1)
	s.Must(os.Symlink("releases/1", s.Out("current")))
}

// releaseTheSecond makes the link lead to the second.
func releaseTheSecond(s *Scene) {
	s.Must(os.Symlink("releases/2", s.Out("next")))
	s.Rename(s.Out("next"), s.Out("current"))
}

// RootBehindLink has the root's path lead through a symbolic link that was
// not there, or that led elsewhere, when the watching began.
func RootBehindLink(t *testing.T, create New) {
	t.Parallel()
	for name, c := range map[string]struct {
		root          string
		prepare, play func(s *Scene)
	}{
		"the root was moved, and a link leads to it": {
			"root",
			func(s *Scene) { s.Plant(s.Out("root"), 2, 2, 2) },
			func(s *Scene) {
				s.Rename(s.Out("root"), s.Out("elsewhere"))
				s.Must(os.Symlink("elsewhere", s.Out("root")))
			},
		},
		"a directory above was moved, and a link leads to it": {
			"up/root",
			func(s *Scene) { s.Plant(s.Out("up", "root"), 2, 2, 2) },
			func(s *Scene) {
				s.Rename(s.Out("up"), s.Out("elsewhere"))
				s.Must(os.Symlink("elsewhere", s.Out("up")))
			},
		},
		"a link leads to another directory": {
			"current",
			twoReleases,
			releaseTheSecond,
		},
		"a link leads to another directory and back": {
			"current",
			twoReleases,
			func(s *Scene) {
				releaseTheSecond(s)
				s.Await("the other directory", func() bool { return len(s.Losses()) == 1 })
				s.Verify()
				s.Remove(s.Out("current"))
				s.Must(os.Symlink("releases/1", s.Out("current")))
				s.Await("the return", func() bool { return len(s.Losses()) == 2 })
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rootScene(t, create, c.root, c.prepare)
			c.play(s)
			s.Await("the directory that is there now", func() bool { return len(s.Losses()) > 0 })
			s.Plant(s.In("new"), 2, 1, 1)
			s.Verify()
		})
	}
}

// RootGone has the root go, and come back, while it is watched.
func RootGone(t *testing.T, create New) {
	t.Parallel()
	for name, c := range map[string]struct{ leave, comeBack func(s *Scene) }{
		"removed": {
			func(s *Scene) { s.Remove(s.In()) },
			func(s *Scene) { s.Plant(s.In(), 2, 2, 2) },
		},
		"renamed away": {
			func(s *Scene) { s.Rename(s.In(), s.Out("elsewhere")) },
			func(s *Scene) {
				s.Write(s.Out("elsewhere", "dir0", "new"), "x")
				s.Rename(s.Out("elsewhere"), s.In())
			},
		},
		"replaced": {
			func(s *Scene) {
				s.Rename(s.In(), s.Out("elsewhere"))
				s.Plant(s.In(), 3, 1, 1)
			},
			func(*Scene) {},
		},
		"replaced by a file": {
			func(s *Scene) {
				s.Remove(s.In())
				s.Write(s.In(), "x")
			},
			func(s *Scene) {
				s.Remove(s.In())
				s.Plant(s.In(), 3, 1, 1)
			},
		},
		"below a directory that is renamed": {
			func(s *Scene) { s.Rename(s.In(".."), s.In("..")+"-away") },
			func(s *Scene) { s.Rename(s.In("..")+"-away", s.In("..")) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := NewScene(t, create, watch.Options{}, nil)
			s.Plant(s.In(), 2, 2, 2)
			s.Verify()
			c.leave(s)
			s.Await("the loss of the root", func() bool { return len(s.GoneFor()) > 0 })
			if !strings.Contains(s.GoneFor()[0], s.Root) {
				t.Errorf("the root is gone: %s", s.GoneFor()[0])
			}
			s.Sync()
			c.comeBack(s)
			s.Await("the root's return", func() bool { return len(s.Losses()) > 0 })
			s.Verify()
		})
	}
}

// RootMissing has the root come when the watcher runs already.
func RootMissing(t *testing.T, create New) {
	t.Parallel()
	for name, c := range map[string]struct{ before, come func(s *Scene) }{
		"renamed away": {
			func(s *Scene) { s.Rename(s.In(), s.Out("away")) },
			func(s *Scene) { s.Rename(s.Out("away"), s.In()) },
		},
		"a file": {
			func(s *Scene) {
				s.Rename(s.In(), s.Out("away"))
				s.Write(s.In(), "x")
			},
			func(s *Scene) {
				s.Remove(s.In())
				s.Rename(s.Out("away"), s.In())
			},
		},
		"below what is not there": {
			func(s *Scene) { s.Rename(s.Out("up"), s.Out("away")) },
			func(s *Scene) { s.Rename(s.Out("away"), s.Out("up")) },
		},
		"a link that leads nowhere": {
			func(s *Scene) {
				s.Rename(s.In(), s.Out("away"))
				s.Must(os.Symlink("../there", s.In()))
			},
			func(s *Scene) { s.Rename(s.Out("away"), s.Out("there")) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &Scene{T: t, Outside: t.TempDir()}
			s.Plant(s.Out("up", "root"), 2, 2, 2)
			e := NewEngine(t, s.Out("up", "root"))
			s.Bench = &Bench{Engine: e}
			c.before(s)
			w, err := create(e.Root, watch.Options{CookieDir: t.TempDir()}, e)
			s.Must(err)
			s.Bench = Launch(t, w, e)
			s.Await("the loss of the root", func() bool { return len(s.GoneFor()) > 0 })
			s.Sync()
			select {
			case <-s.Armed:
				t.Error("the tree is armed, although it is not there")
			default:
			}
			c.come(s)
			s.AwaitArmed()
			s.Verify()
		})
	}
}

// BarrierLooksForTheRoot has a barrier asked for when the root is there, but
// is not, or not yet again, the one that is watched.
func BarrierLooksForTheRoot(t *testing.T, create New) {
	t.Parallel()
	for name, play := range map[string]func(s *Scene){
		"a directory above is back": func(s *Scene) {
			s.Rename(s.Out("up"), s.Out("away"))
			s.Await("the loss of the root", func() bool { return len(s.GoneFor()) > 0 })
			s.Sync()
			s.Rename(s.Out("away"), s.Out("up"))
		},
		"it was away for a moment": func(s *Scene) {
			s.Rename(s.In(), s.Out("away"))
			s.Rename(s.Out("away"), s.In())
		},
		"it was replaced": func(s *Scene) {
			s.Rename(s.Out("up"), s.Out("away"))
			s.Plant(s.In(), 3, 1, 1)
		},
		"a link took the place of a directory above": func(s *Scene) {
			s.Rename(s.Out("up"), s.Out("elsewhere"))
			s.Must(os.Symlink("elsewhere", s.Out("up")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rootScene(t, create, "up/root", func(s *Scene) {
				s.Plant(s.Out("up", "root"), 2, 2, 2)
			})
			play(s)
			s.Plant(s.In("new"), 2, 1, 1)
			s.Sync()
			if d := s.Difference(); d != "" && s.W.Stats().Lossless {
				t.Errorf("the mirror differs from the disk:\n%s\nthe last calls:\n%s", d, s.Tail())
			}
			away := len(s.GoneFor()) - len(s.Losses())
			if away != 0 {
				t.Errorf("the root is still away:\n%s", s.Tail())
			}
			s.Verify()
		})
	}
}
