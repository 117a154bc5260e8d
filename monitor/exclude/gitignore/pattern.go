package gitignore

import (
	"slices"
	"strings"
)

// A kind says what a pattern compares, and how. Most patterns are simple.
type kind uint8

const (
	nameIs      kind = iota // the name is text
	nameEnds                // the name ends with text
	nameBegins              // the name begins with text
	nameMatches             // the name matches glob
	pathIs                  // the path is text
	pathMatches             // the path begins with text, and matches segments
)

// A pattern is what a line matches with.
type pattern struct {
	kind     kind
	dir      bool // only directories
	text     string
	glob     *glob
	segments []segment
}

// compile reads a pattern, a line without its !. It returns what is wrong with one that
// can match nothing.
func compile(line string) (p pattern, problem string) {
	text, dir := strings.CutSuffix(line, "/")
	p.dir = dir
	if text == "" {
		return p, noPattern
	}
	inPath := strings.Contains(text, "/")
	r := reader{text: strings.TrimPrefix(text, "/"), inPath: inPath}
	if problem := r.read(); problem != "" {
		return p, problem
	}
	switch segments := r.segments; {
	case !inPath:
		p.ofName(segments[0].glob)
	case len(segments) == 2 && segments[0].glob == nil && segments[1].glob != nil: // **/name
		p.ofName(segments[1].glob)
	default:
		p.ofPath(segments)
	}
	return p, ""
}

// ofName makes it a pattern for names.
func (p *pattern) ofName(g *glob) {
	p.glob = g
	simple := !slices.ContainsFunc(g.chunks, func(c chunk) bool { return c.sets != nil })
	switch {
	case simple && len(g.chunks) == 1:
		p.kind, p.text = nameIs, g.chunks[0].text
	case simple && len(g.chunks) == 2 && g.chunks[0].text == "":
		p.kind, p.text = nameEnds, g.chunks[1].text
	case simple && len(g.chunks) == 2 && g.chunks[1].text == "":
		p.kind, p.text = nameBegins, g.chunks[0].text
	default:
		p.kind = nameMatches
	}
}

// ofPath makes it a pattern for paths.
func (p *pattern) ofPath(segments []segment) {
	p.kind, p.segments = pathMatches, segments
	var names []string
	for _, s := range segments {
		if s.glob == nil {
			break
		}
		name, ok := s.literal()
		if !ok {
			break
		}
		names = append(names, name)
	}
	p.text = strings.Join(names, "/")
	switch {
	case len(names) == len(segments):
		p.kind = pathIs
	case len(names) > 0:
		p.text += "/"
	}
}

// matches reports whether the pattern matches an entry, if that is a directory where
// only those count. name is the last name of path.
func (p *pattern) matches(path, name string) bool {
	switch p.kind {
	case nameIs:
		return name == p.text
	case nameEnds:
		return strings.HasSuffix(name, p.text)
	case nameBegins:
		return strings.HasPrefix(name, p.text)
	case nameMatches:
		return p.glob.matches(name)
	case pathIs:
		return path == p.text
	default:
		return strings.HasPrefix(path, p.text) && matchSegments(p.segments, path)
	}
}

// begin returns the byte that all begins with that it matches, 0 if there is none.
func (p *pattern) begin() byte {
	if p.text != "" && p.kind != nameEnds {
		return p.text[0]
	}
	g := p.glob
	if g == nil {
		g = p.segments[0].glob
	}
	if g == nil || g.chunks[0].text == "" || g.chunks[0].sets != nil && g.chunks[0].sets[0] != nil {
		return 0
	}
	return g.chunks[0].text[0]
}

// ends returns the bytes that what it matches may end with, nil if that may be any.
func (p *pattern) ends() *set {
	g := p.glob
	if g == nil {
		g = p.segments[len(p.segments)-1].glob
	}
	if g == nil {
		return nil
	}
	last := &g.chunks[len(g.chunks)-1]
	end := len(last.text) - 1
	if end < 0 {
		return nil
	}
	if last.sets != nil && last.sets[end] != nil {
		return last.sets[end]
	}
	s := new(set)
	s.add(last.text[end])
	return s
}
