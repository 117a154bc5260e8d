package gitignore

import "strings"

// Why a pattern matches nothing, beside its classes.
const (
	noPattern     = "there is no pattern"
	lastBackslash = "the backslash at the end quotes nothing"
	emptyName     = "no name is empty, as one beside a slash is here"
	dots          = "no path has . or .. in it"
)

// A reader takes a pattern apart.
type reader struct {
	text   string
	inPath bool // the pattern is for paths, so that ** has a meaning of its own

	segments []segment
	glob     *glob  // the segment being read; nil at its beginning
	chunk    []byte // the last chunk of it
	sets     []*set // of that
}

// read reads the whole text. It returns what is wrong with it.
func (r *reader) read() (problem string) {
	for i := 0; i < len(r.text) && problem == ""; {
		switch c := r.text[i]; c {
		case '\\':
			if i+1 == len(r.text) {
				return lastBackslash
			}
			problem = r.literal(r.text[i+1])
			i += 2
		case '*':
			stars := 1
			for i+stars < len(r.text) && r.text[i+stars] == '*' {
				stars++
			}
			if length := r.anyNames(i, stars); length > 0 {
				i += length
			} else {
				r.star()
				i += stars
			}
		case '?':
			r.add(c, &anyByte)
			i++
		case '[':
			s, length, wrong := readClass(r.text[i+1:])
			r.add(c, &s)
			problem = wrong
			i += 1 + length
		default:
			problem = r.literal(c)
			i++
		}
	}
	if problem != "" || r.glob == nil && strings.HasSuffix(r.text, "*") { // a ** has ended its segment
		return problem
	}
	return r.endSegment()
}

// anyNames reads the stars at i if they stand for any number of names. It returns how
// much of the text it has read: the stars, and the slash after them.
func (r *reader) anyNames(i, stars int) (length int) {
	if !r.inPath || stars < 2 || i > 0 && r.text[i-1] != '/' {
		return 0
	}
	names := segment{}
	switch rest := r.text[i+stars:]; {
	case strings.HasPrefix(rest, "/"):
		if n := len(r.segments); n == 0 || r.segments[n-1] != names {
			r.segments = append(r.segments, names)
		}
		return stars + len("/")
	case rest == "", strings.HasPrefix(rest, `\/`):
		// At the end it is what is in a directory, so that there is a name at least;
		// and so it is for git before a slash that is quoted.
		r.star()
		r.endSegment()
		r.segments = append(r.segments, names)
		return stars + min(len(rest), len(`\/`))
	}
	return 0
}

// literal reads a byte that stands for itself.
func (r *reader) literal(c byte) (problem string) {
	if c == '/' {
		return r.endSegment()
	}
	r.add(c, nil)
	return ""
}

// add adds a byte to the segment, or the set s in place of the byte.
func (r *reader) add(c byte, s *set) {
	r.begin()
	if s != nil && r.sets == nil {
		r.sets = make([]*set, len(r.chunk))
	}
	r.chunk = append(r.chunk, c)
	if r.sets != nil {
		r.sets = append(r.sets, s)
	}
	r.glob.min++
}

// star ends a chunk of the segment, and begins another.
func (r *reader) star() {
	r.begin()
	r.endChunk()
}

// begin begins a segment if none is being read.
func (r *reader) begin() {
	if r.glob == nil {
		r.glob = new(glob)
	}
}

func (r *reader) endChunk() {
	r.glob.chunks = append(r.glob.chunks, chunk{string(r.chunk), r.sets})
	r.chunk, r.sets = r.chunk[:0], nil
}

// endSegment ends the segment that is being read.
func (r *reader) endSegment() (problem string) {
	if r.glob == nil {
		return emptyName
	}
	r.endChunk()
	if name, ok := r.glob.literal(); ok && (name == "." || name == "..") {
		return dots
	}
	r.segments = append(r.segments, segment{r.glob})
	r.glob = nil
	return ""
}
