package guard

import (
	"hash/maphash"
	"path"
)

// Names are the names of entries, each once however often it is added. It keeps
// no more of them than takes to know them again: there may be very many. The zero
// value is empty. It is not safe for concurrent use.
type Names struct {
	counts  map[uint64]bool // whether the name counts
	above   map[uint64]bool // the directories that they are in
	counted int
}

var seed = maphash.MakeSeed()

func hash(name string) uint64 { return maphash.String(seed, name) }

// Add adds a name; counts is what Tools.Count says of it.
func (n *Names) Add(name string, counts bool) {
	if n.counts == nil {
		n.counts, n.above = make(map[uint64]bool), make(map[uint64]bool)
	}
	h := hash(name)
	if _, known := n.counts[h]; known {
		return
	}
	n.counts[h] = counts
	if counts {
		n.counted++
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		h := hash(dir)
		if n.above[h] {
			break
		}
		n.above[h] = true
	}
}

// AddAll adds the names of other.
func (n *Names) AddAll(other Names) {
	if n.counts == nil {
		*n = Names{counts: make(map[uint64]bool), above: make(map[uint64]bool)}
	}
	for h, counts := range other.counts {
		if counts && !n.counts[h] {
			n.counted++
		}
		n.counts[h] = n.counts[h] || counts
	}
	for h := range other.above {
		n.above[h] = true
	}
}

// RemoveAll takes the names of other out.
func (n *Names) RemoveAll(other Names) {
	for h := range other.counts {
		if n.counts[h] {
			n.counted--
		}
		delete(n.counts, h)
	}
}

// Within reports whether all of the names are in other, too.
func (n *Names) Within(other Names) bool {
	for h := range n.counts {
		if _, known := other.counts[h]; !known {
			return false
		}
	}
	return true
}

// Remove takes a name out, and reports whether it was there.
func (n *Names) Remove(name string) bool {
	h := hash(name)
	counts, known := n.counts[h]
	if counts {
		n.counted--
	}
	delete(n.counts, h)
	return known
}

// Has reports whether a name is there.
func (n *Names) Has(name string) bool {
	if len(n.counts) == 0 {
		return false
	}
	_, known := n.counts[hash(name)]
	return known
}

// Covers reports whether a name belongs to what was removed with these: it is one of
// them, or a directory that one of them was in, which goes last.
func (n *Names) Covers(name string) bool {
	return n.Has(name) || len(n.above) > 0 && n.above[hash(name)]
}

// Len is how many names there are, Counted how many of them count.
func (n *Names) Len() int     { return len(n.counts) }
func (n *Names) Counted() int { return n.counted }
