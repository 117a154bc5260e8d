//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
)

// shape describes a tree of files. The same shape makes the same tree.
type shape struct {
	directories, files int
	mean               float64 // size of a file in bytes
	spread             float64 // of the sizes, in powers of e; 0 makes all alike
}

// The shapes are those of real trees: a project; a large one, of whose files
// only the number matters; and the source of Go, in which few files are large
// and most are small.
var (
	smallTree = shape{directories: 22, files: 440, mean: 10_000, spread: 1.2}
	largeTree = shape{directories: 12_000, files: 103_000, mean: 40}
	bulkTree  = shape{directories: 1_300, files: 11_500, mean: 13_700, spread: 1.4}
	// restTree stays when a bulkTree goes, and is larger, because wsync holds
	// deletions of more than half of a tree.
	restTree = shape{directories: 1_500, files: 16_000, mean: 500}
)

// entry is a file that was made: its path relative to the root, and its size.
type entry struct {
	path string
	size int
}

// grow makes the tree below root, and returns its files.
func (sh shape) grow(root string) ([]entry, error) {
	rng := rand.New(rand.NewPCG(uint64(sh.files), 1))
	var files []entry
	for i := range sh.directories {
		dir := filepath.Join(fmt.Sprintf("d%d", i/100), fmt.Sprintf("e%d", i%100))
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return nil, err
		}
		for len(files) < sh.files*(i+1)/sh.directories {
			e := entry{path: filepath.Join(dir, fmt.Sprintf("f%d", len(files))), size: sh.size(rng)}
			if err := os.WriteFile(filepath.Join(root, e.path), prose(rng, e.path, e.size), 0o644); err != nil {
				return nil, err
			}
			files = append(files, e)
		}
	}
	return files, nil
}

// size draws from a log-normal distribution.
func (sh shape) size(rng *rand.Rand) int {
	return int(sh.mean * math.Exp(sh.spread*rng.NormFloat64()-sh.spread*sh.spread/2))
}

// words is much text to cut pieces from.
var words = sync.OnceValue(func() []byte {
	rng := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	for b.Len() < 4<<20 {
		for range 2 + rng.IntN(8) {
			b.WriteByte(byte('a' + rng.IntN(26)))
		}
		b.WriteByte(" \n"[min(1, rng.IntN(12)/11)])
	}
	return b.Bytes()
})

// prose is a text of a size, which begins with a line of its own.
func prose(rng *rand.Rand, line string, size int) []byte {
	text := make([]byte, 0, size+len(line)+1)
	text = append(append(text, line...), '\n')
	for len(text) < size {
		from := rng.IntN(len(words()) - 1)
		text = append(text, words()[from:min(len(words()), from+size-len(text))]...)
	}
	return text
}

// listing returns the files below root, and what they are together.
func listing(root string) (files []entry, total int64, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		files = append(files, entry{relative, int(info.Size())})
		total += info.Size()
		return err
	})
	return files, total, err
}
