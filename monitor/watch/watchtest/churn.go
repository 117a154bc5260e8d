package watchtest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"wsync/monitor/watch"
)

var (
	seedsFlag = flag.Int("watch.seeds", 2, "how many seeds of random directory churn to run")
	seedFlag  = flag.Uint64("watch.seed", 0, "the one seed to run, as printed by a failure")
	opsFlag   = flag.Int("watch.ops", 900, "how many operations to do per seed")
)

// churn does random operations on the directories and files below root, and
// some that lead into the directory outside and back.
func churn(root, outside string, rng *rand.Rand, ops int, names ...string) {
	names = append(names, "a", "b", "c", "d")
	random := func() string {
		p := root
		for range 1 + rng.IntN(4) {
			p = filepath.Join(p, names[rng.IntN(len(names))])
		}
		return p
	}
	for i := range ops {
		p, q := random(), random()
		// Most of these fail now and then, as what they need is not there.
		switch rng.IntN(16) {
		case 0, 1, 2:
			_ = os.MkdirAll(p, 0o755)
			_ = os.WriteFile(filepath.Join(p, "f"), fmt.Appendf(nil, "%d", i), 0o644)
		case 3, 4, 5:
			_ = os.Rename(p, q)
			_ = os.WriteFile(filepath.Join(q, "g"), fmt.Appendf(nil, "%d", i), 0o644)
		case 6:
			_ = os.RemoveAll(p)
		case 7:
			_ = os.RemoveAll(p)
			_ = os.MkdirAll(filepath.Join(p, names[rng.IntN(len(names))]), 0o755)
		case 8:
			tmp := filepath.Join(root, "tmp")
			_ = os.Rename(p, tmp)
			_ = os.Rename(q, p)
			_ = os.Rename(tmp, q)
		case 9:
			_ = os.Rename(p, filepath.Join(outside, names[rng.IntN(len(names))]))
		case 10:
			_ = os.Rename(filepath.Join(outside, names[rng.IntN(len(names))]), p)
		case 11:
			_ = os.WriteFile(filepath.Join(outside, names[rng.IntN(len(names))], "h"), []byte("x"), 0o644)
		case 12:
			_ = exchange(p, q)
		case 13:
			_ = os.RemoveAll(p)
			if rng.IntN(2) == 0 {
				_ = os.Symlink(q, p)
			} else {
				_ = os.WriteFile(p, fmt.Appendf(nil, "%d", i), 0o644)
			}
		case 14:
			_ = os.Rename(p, q)
			_ = os.MkdirAll(filepath.Join(p, "b", "c"), 0o755)
			_ = os.WriteFile(filepath.Join(p, "b", "c", "f"), fmt.Appendf(nil, "%d", i), 0o644)
		case 15:
			_ = os.Chmod(p, 0o700|os.FileMode(rng.IntN(8)))
		}
	}
}

// Churn does random operations, with a few seeds or those of the flags.
func Churn(t *testing.T, create New) {
	t.Parallel()
	seeded(t, func(rng *rand.Rand, root, outside string) {
		b := Start(t, create, root, watch.Options{}, nil)
		for range 3 {
			churn(root, outside, rng, *opsFlag/3)
			b.Verify()
		}
		b.End()
	})
}

// DepthChurn does so with directories that are not to be watched, or not as a whole,
// and others every now and then.
func DepthChurn(t *testing.T, create New) {
	t.Parallel()
	keys := []string{"o", "o", "a", "/b", "/a/b", "/c/d", "/d/o/a"}
	depths := []watch.Depth{watch.Whole, watch.Alone, watch.Nothing, watch.Nothing}
	seeded(t, func(rng *rand.Rand, root, outside string) {
		b := Start(t, create, root, watch.Options{}, func(e *Engine) {
			e.Depths = NewDepths(map[string]watch.Depth{"o": watch.Nothing})
		})
		for range 3 {
			for range 12 {
				churn(root, outside, rng, *opsFlag/36, "o")
				key := keys[rng.IntN(len(keys))]
				dir := ""
				if path, ok := strings.CutPrefix(key, "/"); ok && rng.IntN(2) == 0 {
					dir = path[:rng.IntN(len(path)/2+1)*2]
					dir = strings.TrimSuffix(dir, "/")
				}
				b.Say(key, depths[rng.IntN(len(depths))], dir)
				if rng.IntN(4) == 0 {
					b.Settle()
				}
			}
			b.Settle()
			b.Verify()
		}
		b.End()
	})
}

// seeded plays with a few seeds or those of the flags.
func seeded(t *testing.T, play func(rng *rand.Rand, root, outside string)) {
	seeds := make([]uint64, 0, *seedsFlag)
	if *seedFlag != 0 {
		seeds = append(seeds, *seedFlag)
	} else {
		for range *seedsFlag {
			seeds = append(seeds, rand.Uint64())
		}
	}
	for _, seed := range seeds {
		func() {
			defer func() {
				if t.Failed() {
					t.Logf("run it again with -watch.seed=%d -watch.ops=%d", seed, *opsFlag)
				}
			}()
			rng := rand.New(rand.NewPCG(seed, 1))
			dir := t.TempDir()
			root, outside := filepath.Join(dir, "root"), filepath.Join(dir, "outside")
			Mkdirs(t, root, outside)
			play(rng, root, outside)
		}()
	}
}

// ChurnTogether does the same from several goroutines at once.
func ChurnTogether(t testing.TB, s *Scene, writers int) {
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { churn(s.Root, s.Outside, rand.New(rand.NewPCG(seed, uint64(i))), *opsFlag/3) })
	}
	wg.Wait()
}

// Mkdirs makes directories, and those above them.
func Mkdirs(t testing.TB, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
