package transfer

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"wsync/monitor/remotetest"
	"wsync/monitor/watch"
)

// unmountBeforeDeletion has what is in a directory of the workspace disappear just
// before the first run of rsync that may delete something, as when a file system is
// unmounted: what was judged has been judged by then, and the guard knows of it only
// afterwards. The function that is returned reports whether it has, and bring brings it back.
func unmountBeforeDeletion(t *testing.T, b *bench, dir string) (happened func() bool, bring func()) {
	t.Helper()
	mounted, aside := filepath.Join(b.src, dir), filepath.Join(newDir(t), "aside")
	scriptedRsync(t, `case "$*" in
*--dry-run*|*--max-delete=0*|*--filter=R*|*.wsync-trash/) ;;
*--max-delete=*|*--delete*)
	if ! [ -e '`+aside+`' ]; then mv '`+mounted+`' '`+aside+`'; mkdir '`+mounted+`'; fi ;;
esac
exec rsync "$@"`)
	happened = func() bool { return exists(aside) }
	b.guard = func() string {
		if happened() {
			return "what is mounted has changed"
		}
		return ""
	}
	return happened, func() {
		b.guard = func() string { return "" }
		check(t, os.Remove(mounted))
		check(t, os.Rename(aside, mounted))
	}
}

// deletingWays are ways, and those that a remote is served by that cannot do much; with
// -short, those two that differ most.
func deletingWays() map[string]func(t *testing.T) *bench {
	all := map[string]func(t *testing.T) *bench{
		"daemon": func(t *testing.T) *bench { return newDaemonBench(t).bench },
		"basic": func(t *testing.T) *bench {
			b := newBench(t)
			b.remote.DelayUpdates = true
			b.pass()
			known := *b.lane.known.Load()
			known.strategy.Basic, known.strategy.DeleteMissing = true, false
			b.lane.known.Store(&known)
			return b
		},
	}
	for name, way := range ways {
		all[name] = func(t *testing.T) *bench {
			b := newBench(t)
			way(t, b)
			return b
		}
	}
	if testing.Short() {
		maps.DeleteFunc(all, func(name string, _ func(*testing.T) *bench) bool { return name != "direct" && name != "daemon" })
	}
	return all
}

// Something is unmounted between the judgement of what is gone and the run that deletes
// it: nothing goes but what was judged.
func TestUnmountedBeforeTheDeletion(t *testing.T) {
	remotetest.Long(t, testing.Short())
	for kind, remove := range map[string]func(b *bench){
		"a full pass": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "top/was")))
			b.pass()
		},
		"a tree": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "top/was")))
			b.change(madeDir, "top")
			b.transfer()
		},
		"names": func(b *bench) {
			b.lane.known.Load().direct = nil
			for _, name := range numbered("top/was/", 30) {
				check(b.t, os.Remove(filepath.Join(b.src, name)))
			}
			b.change(watch.Entry, numbered("top/was/", 30)...)
			b.change(watch.Content, numbered("top/mount/", 30)...)
			b.transfer()
		},
		"a directory that is a file now": func(b *bench) {
			check(b.t, os.RemoveAll(filepath.Join(b.src, "top/was")))
			write(b.t, b.src, "top/was")
			b.change(madeDir, "top")
			b.transfer()
		},
	} {
		for way, bench := range deletingWays() {
			t.Run(kind+", "+way, func(t *testing.T) {
				b := bench(t)
				write(t, b.src, numbered("top/mount/", 30)...)
				write(t, b.src, numbered("top/was/", 30)...)
				write(t, b.src, numbered("top/", 100)...)
				b.pass()
				emptyTrash(t, b)
				b.equal()
				happened, bring := unmountBeforeDeletion(t, b, "top/mount")
				remove(b)
				if !happened() {
					t.Fatal("nothing was deleted")
				}
				for _, name := range append(numbered("top/mount/", 30), numbered("top/", 100)...) {
					if !exists(filepath.Join(b.dst, name)) {
						t.Errorf("%s was deleted", name)
					}
				}
				for _, name := range numbered("top/was/", 30) {
					if exists(filepath.Join(b.dst, name)) {
						t.Errorf("%s was not deleted", name)
					}
				}
				bring()
				b.drain()
				b.pass()
				b.drain()
				emptyTrash(t, b)
				b.equal()
			})
		}
	}
}

func TestTopmost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ listed, want []string }{
		{nil, nil},
		{[]string{"d/a/1", "d/a/2", "d/a", "d/b", "d", "e"}, []string{"d", "e"}},
		{[]string{"d", "d/a", "d-1", "d/a/1"}, []string{"d", "d-1"}},
		{[]string{"a/x", "b", "a/y/z", "b", "ab"}, []string{"a/x", "a/y/z", "ab", "b"}},
	} {
		var m topmost
		for _, name := range test.listed {
			m.add(name)
		}
		if got := m.all(); !slices.Equal(got, test.want) {
			t.Errorf("of %q: %q, expected %q", test.listed, got, test.want)
		}
	}
}
