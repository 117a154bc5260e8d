package guard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsync/config"
)

func TestCheckRoot(t *testing.T) {
	for name, test := range map[string]struct {
		change func(t *testing.T, root string)
		want   string // a part of the reason; "" for none
	}{
		"as it was":   {func(t *testing.T, root string) {}, ""},
		"emptied":     {func(t *testing.T, root string) { check(t, os.Remove(filepath.Join(root, "f"))) }, ""},
		"gone":        {func(t *testing.T, root string) { check(t, os.RemoveAll(root)) }, "is gone"},
		"parent gone": {func(t *testing.T, root string) { check(t, os.RemoveAll(filepath.Dir(root))) }, "is gone"},
		"a file": {func(t *testing.T, root string) {
			check(t, os.RemoveAll(root))
			check(t, os.WriteFile(root, nil, 0o644))
		}, "is not a directory any more"},
		"below a file": {func(t *testing.T, root string) {
			check(t, os.RemoveAll(filepath.Dir(root)))
			check(t, os.WriteFile(filepath.Dir(root), nil, 0o644))
		}, "is not a directory any more"},
		"replaced": {func(t *testing.T, root string) {
			check(t, os.Rename(root, root+"-old"))
			check(t, os.Mkdir(root, 0o755))
		}, "it was replaced"},
		"moved, and a link to it": {func(t *testing.T, root string) {
			check(t, os.Rename(root, root+"-old"))
			check(t, os.Symlink(root+"-old", root))
		}, ""},
		"a link that leads nowhere": {func(t *testing.T, root string) {
			check(t, os.RemoveAll(root))
			check(t, os.Symlink(root+"-old", root))
		}, "is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			base := newDir(t)
			root := filepath.Join(base, "up", "root")
			write(t, base, "up/root/f")
			id, err := config.IdentifyRoot(root)
			check(t, err)
			test.change(t, root)
			got := CheckRoot(root, &id)
			if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
				t.Errorf("%q, expected %q", got, test.want)
			}
			if got != "" && !strings.Contains(got, root) {
				t.Errorf("%q does not name the directory", got)
			}
		})
	}
	t.Run("never seen before", func(t *testing.T) {
		if got := CheckRoot(newDir(t), nil); got != "" {
			t.Error(got)
		}
	})
}
