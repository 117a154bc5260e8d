package gitignore

import "strings"

// A glob is a pattern for one name: chunks with a * between each two. As a chunk has a
// length, and a * takes any bytes, the first place where a chunk matches is as good as
// any later one, so that nothing has to be tried again: matching takes at most the length
// of the name times that of the pattern, however many stars there are.
type glob struct {
	chunks []chunk
	min    int // the length of the shortest name that it matches
}

// A chunk matches as many bytes as it has itself.
type chunk struct {
	text string
	sets []*set // for each byte of text what matches it; nil where that is the byte itself. nil if that holds for all
}

// is reports whether the chunk matches the beginning of s, which is at least as long.
func (c *chunk) is(s string) bool {
	if c.sets == nil {
		return s[:len(c.text)] == c.text
	}
	for i, set := range c.sets {
		if set == nil {
			if s[i] != c.text[i] {
				return false
			}
		} else if !set.has(s[i]) {
			return false
		}
	}
	return true
}

// index returns the first place in s where the chunk matches, -1 if there is none.
func (c *chunk) index(s string) int {
	if c.sets == nil {
		return strings.Index(s, c.text)
	}
	for i := 0; i+len(c.text) <= len(s); i++ {
		if c.is(s[i:]) {
			return i
		}
	}
	return -1
}

// matches reports whether the glob matches the whole of a name.
func (g *glob) matches(name string) bool {
	first, last := &g.chunks[0], &g.chunks[len(g.chunks)-1]
	if len(name) < g.min || !first.is(name) {
		return false
	}
	if len(g.chunks) == 1 {
		return len(name) == g.min
	}
	if !last.is(name[len(name)-len(last.text):]) {
		return false
	}
	rest := name[len(first.text) : len(name)-len(last.text)]
	for i := 1; i < len(g.chunks)-1; i++ {
		at := g.chunks[i].index(rest)
		if at < 0 {
			return false
		}
		rest = rest[at+len(g.chunks[i].text):]
	}
	return true
}

// literal returns the only name that the glob matches.
func (g *glob) literal() (string, bool) {
	return g.chunks[0].text, len(g.chunks) == 1 && g.chunks[0].sets == nil
}

// A segment is a glob for one name of a path, or, if that is nil, any number of names.
type segment struct{ *glob }

// matchSegments reports whether segments match the whole of a path. As with a glob's
// chunks, what follows the last ** is all that must be tried again.
func matchSegments(segments []segment, path string) bool {
	next, start := 0, 0     // the segment, and where in path the name is that it is to match
	again, skipped := -1, 0 // the segment after the last **, and where it was tried
	for {
		if next == len(segments) {
			if start > len(path) {
				return true
			}
		} else if segments[next].glob == nil {
			if next++; next == len(segments) {
				return true
			}
			again, skipped = next, start
			continue
		} else if start <= len(path) {
			end := endOfName(path, start)
			if segments[next].matches(path[start:end]) {
				next, start = next+1, end+1
				continue
			}
		} else {
			return false // there are not enough names, and later there are even less
		}
		if again < 0 || skipped > len(path) {
			return false
		}
		skipped = endOfName(path, skipped) + 1
		next, start = again, skipped
	}
}

// endOfName returns where the name ends that begins at start.
func endOfName(path string, start int) int {
	if length := strings.IndexByte(path[start:], '/'); length >= 0 {
		return start + length
	}
	return len(path)
}
