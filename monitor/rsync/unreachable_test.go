package rsync

import (
	"os"
	"path/filepath"
	"testing"

	"wsync/monitor/remotetest"
)

// Nothing that a job does, unless it is listed there, reaches what is unreachable, in whatever way the
// directories that lead there are gone.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	const odd = `odd*[x]\`
	there := map[string]string{"p/m/f": "kept", "p/x": "x", "p/" + odd + "/f": "kept", "other": "o"}
	for name, source := range map[string]map[string]string{
		"empty":              {"p/m/": "", "p/" + odd + "/": ""},
		"something else":     {"p/m/f": "else", "p/" + odd: "a file"},
		"gone":               {"p/": ""},
		"all gone":           {"q": "q"},
		"a file in the way":  {"p": "a file"},
		"a link in the way":  {"p": "-> q"},
		"and all else stays": {"p/x": "x", "other": "o"},
	} {
		for kind, job := range map[string]func(e Endpoint) Job{
			"full pass": func(e Endpoint) Job { return fullPass(e, nil, 99) },
			"trees":     func(e Endpoint) Job { return compareTrees(e, []string{"p"}, nil) },
			"paths":     func(e Endpoint) Job { return Paths(e, []string{"p"}, true).Limit(e, 99) },
			"deletions": func(e Endpoint) Job { return Deletions(e, []string{"p", "p/x"}) },
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				if name != "gone" && name != "a link in the way" {
					remotetest.Long(t, testing.Short())
				}
				src, dst := dir(t, 0), dir(t, 0)
				tree(t, src, source)
				tree(t, dst, there)
				e := local(dst, modern)
				e.Unreachable = []string{"p/m", "p/" + odd}
				run(t, src, job(e), 0, 23, 24)
				for _, f := range []string{"p/m/f", "p/" + odd + "/f"} {
					if content, err := os.ReadFile(filepath.Join(dst, f)); string(content) != "kept" {
						t.Errorf("%s: %q, %v", f, content, err)
					}
				}
			})
		}
	}
}
