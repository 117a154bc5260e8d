package transfer

import (
	"os"
	"path/filepath"
	"testing"
)

// The deletions of one batch that go directly and those that rsync makes are
// judged together.
func TestDeletionsOfBothLanesAddUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	write(t, b.src, numbered("one-by-one/", 60)...)
	write(t, b.src, numbered("as-a-whole/", 60)...)
	write(t, b.src, "keep")
	b.pass()
	b.equal()
	for _, name := range numbered("one-by-one/", 60) {
		check(t, os.Remove(filepath.Join(b.src, name)))
		b.change(made, name)
	}
	check(t, os.RemoveAll(filepath.Join(b.src, "as-a-whole")))
	b.change(madeDir, "as-a-whole")
	b.transfer()
	b.transfer()
	if b.Account().Hold == nil || !exists(filepath.Join(b.dst, "as-a-whole/0")) {
		t.Errorf("121 of 124 entries went: %+v", b.Account().Recent)
	}
}

// The root goes away when the guard has just looked at it. Whatever was to be sent,
// nothing is gone because of that.
func TestRootGoesAfterTheGuardsLook(t *testing.T) {
	t.Parallel()
	for name, confirm := range map[string]bool{"directly": false, "by rsync": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			files := append(numbered("f", 50), "keep")
			write(t, b.src, files...)
			b.pass()
			b.equal()
			if confirm { // which is rsync's
				b.change(made, files[:50]...)
				b.transfer()
			}
			away := b.src + ".away"
			t.Cleanup(func() { os.RemoveAll(away) })
			looks := 0
			b.guard = func() string {
				if looks++; looks > 1 {
					return "it is another directory"
				}
				check(t, os.Rename(b.src, away))
				check(t, os.Mkdir(b.src, 0o755))
				write(t, b.src, "other") // as below a disk that was mounted there
				return ""
			}
			if !confirm {
				b.change(made, files[:50]...)
			}
			b.transfer()
			for _, f := range files {
				if !exists(filepath.Join(b.dst, f)) {
					t.Fatalf("%s is gone", f)
				}
			}
			check(t, os.RemoveAll(b.src))
			check(t, os.Rename(away, b.src))
			b.guard = func() string { return "" }
			b.drain()
			b.equal()
		})
	}
}
