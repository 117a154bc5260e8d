package watch

import (
	"os"
	"testing"
)

// rootScene starts a watcher of a root that is below, or a symbolic link to
// something below, a directory of the test. outside is that directory.
func rootScene(t *testing.T, opts Options, root string, prepare func(s *scene)) *scene {
	t.Helper()
	s := &scene{t: t, outside: t.TempDir()}
	prepare(s)
	s.bench = start(t, s.out(root), opts, nil)
	s.verify()
	return s
}

// twoReleases makes two directories, and a link that leads to the first.
func twoReleases(s *scene) {
	s.plant(s.out("releases", "1"), 2, 2, 2)
	s.plant(s.out("releases", "2"), 3, 1, 1)
	s.must(os.Symlink("releases/1", s.out("current")))
}

// releaseTheSecond makes the link lead to the second.
func releaseTheSecond(s *scene) {
	s.must(os.Symlink("releases/2", s.out("next")))
	s.rename(s.out("next"), s.out("current"))
}

// TestRootBehindLink has the root's path lead through a symbolic link that was
// not there, or that led elsewhere, when the watching began.
func TestRootBehindLink(t *testing.T) {
	for name, c := range map[string]struct {
		root          string
		prepare, play func(s *scene)
	}{
		"the root was moved, and a link leads to it": {
			"root",
			func(s *scene) { s.plant(s.out("root"), 2, 2, 2) },
			func(s *scene) {
				s.rename(s.out("root"), s.out("elsewhere"))
				s.must(os.Symlink("elsewhere", s.out("root")))
			},
		},
		"a directory above was moved, and a link leads to it": {
			"up/root",
			func(s *scene) { s.plant(s.out("up", "root"), 2, 2, 2) },
			func(s *scene) {
				s.rename(s.out("up"), s.out("elsewhere"))
				s.must(os.Symlink("elsewhere", s.out("up")))
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
			func(s *scene) {
				releaseTheSecond(s)
				s.await("the other directory", func() bool { return len(s.lost) == 1 })
				s.verify()
				s.remove(s.out("current"))
				s.must(os.Symlink("releases/1", s.out("current")))
				s.await("the return", func() bool { return len(s.lost) == 2 })
			},
		},
	} {
		for _, backend := range backends {
			t.Run(name+" "+backend, func(t *testing.T) {
				t.Parallel()
				s := rootScene(t, Options{Backend: backend}, c.root, c.prepare)
				c.play(s)
				s.await("the directory that is there now", func() bool { return len(s.lost) > 0 })
				s.plant(s.in("new"), 2, 1, 1)
				s.verify()
			})
		}
	}
}

// TestRootMissing has the root come when the watcher runs already.
func TestRootMissing(t *testing.T) {
	for name, c := range map[string]struct{ before, come func(s *scene) }{
		"renamed away": {
			func(s *scene) { s.rename(s.in(), s.out("away")) },
			func(s *scene) { s.rename(s.out("away"), s.in()) },
		},
		"a file": {
			func(s *scene) {
				s.rename(s.in(), s.out("away"))
				s.write(s.in(), "x")
			},
			func(s *scene) {
				s.remove(s.in())
				s.rename(s.out("away"), s.in())
			},
		},
		"below what is not there": {
			func(s *scene) { s.rename(s.out("up"), s.out("away")) },
			func(s *scene) { s.rename(s.out("away"), s.out("up")) },
		},
		"a link that leads nowhere": {
			func(s *scene) {
				s.rename(s.in(), s.out("away"))
				s.must(os.Symlink("../there", s.in()))
			},
			func(s *scene) { s.rename(s.out("away"), s.out("there")) },
		},
	} {
		for _, backend := range backends {
			t.Run(name+" "+backend, func(t *testing.T) {
				t.Parallel()
				s := &scene{t: t, outside: t.TempDir()}
				s.plant(s.out("up", "root"), 2, 2, 2)
				e := newEngine(t, s.out("up", "root"))
				s.bench = &bench{engine: e}
				c.before(s)
				w, err := New(e.root, Options{Backend: backend, CookieDir: t.TempDir()}, e)
				s.must(err)
				s.bench = launch(t, w, e)
				s.await("the loss of the root", func() bool { return len(s.goneFor) == 1 })
				s.barrier()
				select {
				case <-s.armed:
					t.Error("the tree is armed, although it is not there")
				default:
				}
				c.come(s)
				s.awaitArmed()
				s.verify()
			})
		}
	}
}

// TestBarrierLooksForTheRoot has a barrier asked for when the root is there, but
// is not, or not yet again, the one that is watched.
func TestBarrierLooksForTheRoot(t *testing.T) {
	for name, play := range map[string]func(s *scene){
		"a directory above is back": func(s *scene) {
			s.rename(s.out("up"), s.out("away"))
			s.await("the loss of the root", func() bool { return len(s.goneFor) == 1 })
			s.barrier()
			s.rename(s.out("away"), s.out("up"))
		},
		"it was away for a moment": func(s *scene) {
			s.rename(s.in(), s.out("away"))
			s.rename(s.out("away"), s.in())
		},
		"it was replaced": func(s *scene) {
			s.rename(s.out("up"), s.out("away"))
			s.plant(s.in(), 3, 1, 1)
		},
		"a link took the place of a directory above": func(s *scene) {
			s.rename(s.out("up"), s.out("elsewhere"))
			s.must(os.Symlink("elsewhere", s.out("up")))
		},
	} {
		for _, backend := range backends {
			t.Run(name+" "+backend, func(t *testing.T) {
				t.Parallel()
				s := rootScene(t, Options{Backend: backend}, "up/root", func(s *scene) {
					s.plant(s.out("up", "root"), 2, 2, 2)
				})
				play(s)
				s.plant(s.in("new"), 2, 1, 1)
				s.barrier()
				if d := s.difference(); d != "" && s.w.Stats().Lossless {
					t.Errorf("the mirror differs from the disk:\n%s\nthe last calls:\n%s", d, s.tail())
				}
				s.mu.Lock()
				away := len(s.goneFor) - len(s.lost)
				s.mu.Unlock()
				if away != 0 {
					t.Errorf("the root is still away:\n%s", s.tail())
				}
				s.verify()
			})
		}
	}
}
