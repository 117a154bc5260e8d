package rsync

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"wsync/monitor/remotetest"
)

// What the real rsync says about real accidents leads back to the paths.
func TestRealFailures(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	names := slices.DeleteFunc(slices.Clone(oddNames), func(name string) bool { return name == `a" failed: b` })
	below := func(dir string, names ...string) []failed {
		var all []failed
		for _, name := range names {
			all = append(all, failed{path: filepath.Join(dir, name)})
		}
		return all
	}
	// Names of which temporary files show all.
	short := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return len(name) > 200 || name == "..." })
	for _, test := range []struct {
		name string
		// prepare makes the accident; what it does not hand to root is nobody's.
		prepare func(t *testing.T, src, dst string)
		root    bool // it takes root to prepare
		code    int
		want    []failed
	}{
		{"unreadable files", func(t *testing.T, src, dst string) {
			for _, name := range names {
				tree(t, src, map[string]string{name: "x"})
				check(t, os.Chmod(filepath.Join(src, name), 0))
			}
		}, false, 23, below("", names...)},
		{"unreadable directories", func(t *testing.T, src, dst string) {
			for _, name := range names {
				tree(t, src, map[string]string{"d/" + name + "/x": "x"})
				check(t, os.Chmod(filepath.Join(src, "d", name), 0))
			}
		}, false, 23, below("d", names...)},
		{"an unwritable directory", func(t *testing.T, src, dst string) {
			for _, name := range short {
				tree(t, src, map[string]string{"d/" + name: "x"})
			}
			tree(t, dst, map[string]string{"d/": ""})
			check(t, os.Chown(filepath.Join(dst, "d"), 0, 0))
		}, true, 23, append(below("d", short...), failed{path: "d", attribute: true})},
		{"a long name in an unwritable directory", func(t *testing.T, src, dst string) {
			for _, name := range names {
				if len(name) > 200 {
					tree(t, src, map[string]string{"d/" + name: "x"})
				}
			}
			tree(t, dst, map[string]string{"d/": ""})
			check(t, os.Chown(filepath.Join(dst, "d"), 0, 0))
		}, true, 23, []failed{{path: "d"}, {path: "d", attribute: true}}},
		{"directories and links in an unwritable directory", func(t *testing.T, src, dst string) {
			for _, name := range short {
				tree(t, src, map[string]string{"d/" + name: "-> target", "e/" + name + "/x": "x"})
			}
			tree(t, dst, map[string]string{"d/": "", "e/": ""})
			check(t, os.Chown(filepath.Join(dst, "d"), 0, 0))
			check(t, os.Chown(filepath.Join(dst, "e"), 0, 0))
		}, true, 23, append(append(below("d", short...), below("e", short...)...), failed{path: "d", attribute: true}, failed{path: "e", attribute: true})},
		{"deletions in an unwritable directory", func(t *testing.T, src, dst string) {
			for _, name := range names {
				tree(t, dst, map[string]string{"d/" + name: "x"})
			}
			tree(t, src, map[string]string{"d/": ""})
			check(t, os.Chown(filepath.Join(dst, "d"), 0, 0))
		}, true, 23, append(below("d", names...), failed{path: "d", attribute: true})},
		{"a full directory in the way", func(t *testing.T, src, dst string) {
			for _, name := range short {
				tree(t, src, map[string]string{name: "x"})
				tree(t, dst, map[string]string{name + "/x": "x"})
				check(t, os.Chown(filepath.Join(dst, name), 0, 0))
			}
		}, true, 23, append(below("", short...), func() []failed {
			var all []failed
			for _, name := range short {
				all = append(all, failed{path: name + "/x"})
			}
			return all
		}()...)},
		{"times of another's directory", func(t *testing.T, src, dst string) {
			tree(t, src, map[string]string{"d/": ""})
			tree(t, dst, map[string]string{"d/": ""})
			check(t, os.Chown(filepath.Join(dst, "d"), 0, 0))
		}, true, 23, []failed{{path: "d", attribute: true}}},
		{"times of another's root", func(t *testing.T, src, dst string) {
			check(t, os.Chown(dst, 0, 0))
		}, true, 23, []failed{{path: "", attribute: true}}},
		{"a missing destination", func(t *testing.T, src, dst string) {
			check(t, os.Remove(dst))
			check(t, os.Mkdir(dst+".d", 0o755))
			check(t, os.Symlink(dst+".d/gone", dst))
			t.Cleanup(func() { os.Remove(dst + ".d") })
		}, true, 11, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.root {
				remotetest.NeedRoot(t, "it makes what belongs to somebody else")
			}
			for _, far := range []bool{false, true} {
				src, dst := dir(t, nobody), dir(t, nobody)
				test.prepare(t, src, dst)
				if os.Geteuid() == 0 {
					giveAway(t, src)
				}
				e := local(dst, modern)
				if far {
					e = remote(t, dst, "", modern)
				}
				code, _, errs := runAsNobody(t, src, fullPass(e, nil, 1000))
				c := ParseStderr(errs, src, dst)
				got := failures(c)
				if test.want == nil && code != 0 {
					if verdict, _ := Classify(code); verdict == Done || len(got) > 0 && got[0].path != "" {
						t.Errorf("code %d, %+v\n%s", code, got, errs)
					}
					continue
				}
				if code != test.code {
					t.Errorf("code %d", code)
				}
				for _, f := range test.want {
					if !slices.Contains(got, f) {
						t.Errorf("%+v is not in\n%s", f, errs)
					}
				}
				for _, f := range got {
					if !slices.Contains(test.want, f) {
						t.Errorf("nobody expects %+v in\n%s", f, errs)
					}
				}
				if len(c.Unattributed) > 0 || len(c.Other) > 0 {
					t.Errorf("unattributed %q, other %q", c.Unattributed, c.Other)
				}
			}
		})
	}
}

// giveAway makes everything below dir nobody's.
func giveAway(t *testing.T, dir string) {
	t.Helper()
	for _, p := range listing(t, dir) {
		check(t, os.Lchown(filepath.Join(dir, p), nobody, nobody))
	}
}
