package gitignore

import (
	"math/bits"
	"strings"
)

// A set is a set of bytes.
type set [4]uint64

func (s *set) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }
func (s *set) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *set) remove(b byte)   { s[b>>6] &^= 1 << (b & 63) }

// addRange adds the bytes from low to high, which are none if high is less.
func (s *set) addRange(low, high byte) {
	for b := int(low); b <= int(high); b++ {
		s.add(byte(b))
	}
}

func (s *set) addAll(other set) {
	for i := range s {
		s[i] |= other[i]
	}
}

// len returns how many bytes s has.
func (s *set) len() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// all calls yield with each byte that s has until it returns false.
func (s *set) all(yield func(b byte) bool) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			if !yield(byte(i<<6 + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}

// complement returns the bytes that s lacks.
func (s *set) complement() (other set) {
	for i := range s {
		other[i] = ^s[i]
	}
	return other
}

// ranges returns the set of the bytes in pairs of a lowest and a highest.
func ranges(pairs string) (s set) {
	for i := 0; i < len(pairs); i += 2 {
		s.addRange(pairs[i], pairs[i+1])
	}
	return s
}

// anyByte is what a ? stands for.
var anyByte = ranges("\x00.0\xff")

// posixClasses are what stands between [: and :], as git has them in any locale. A form
// feed is no space for it.
var posixClasses = map[string]set{
	"alnum":  ranges("09AZaz"),
	"alpha":  ranges("AZaz"),
	"blank":  ranges("  \t\t"),
	"cntrl":  ranges("\x00\x1f\x7f\x7f"),
	"digit":  ranges("09"),
	"graph":  ranges("!~"),
	"lower":  ranges("az"),
	"print":  ranges(" ~"),
	"punct":  ranges("!/:@[`{~"),
	"space":  ranges("  \t\n\r\r"),
	"upper":  ranges("AZ"),
	"xdigit": ranges("09AFaf"),
}

// Why a class matches nothing.
const (
	unclosedClass = "a [ has no ] after it"
	unknownClass  = "no class of characters has the name between [: and :]"
	emptyClass    = "the characters in [ ] match nothing"
)

// readClass reads a class from the text after its [. It returns the bytes that the class
// matches, how much of the text it takes, including its ], and what is wrong with it.
func readClass(text string) (s set, length int, problem string) {
	i := 0
	negated := text != "" && (text[0] == '!' || text[0] == '^')
	if negated {
		i++
	}
	first := i   // a ] that comes first is itself one of the characters
	low := -1    // what a range can begin with, the character before; -1 for none
	closing := 0 // where a ] is, if that is after i
	for {
		if i == len(text) {
			return s, i, unclosedClass
		}
		c := text[i]
		if c == ']' && i > first {
			break
		}
		switch {
		case c == '\\':
			if i++; i == len(text) {
				return s, i, unclosedClass
			}
			s.add(text[i])
			low = int(text[i])
		case c == '-' && low >= 0 && i+1 < len(text) && text[i+1] != ']':
			if i++; text[i] == '\\' {
				i++
			}
			if i == len(text) {
				return s, i, unclosedClass
			}
			s.addRange(byte(low), text[i])
			low = -1
		case c == '[' && strings.HasPrefix(text[i+1:], ":"):
			if inner := i + len("[:"); closing < inner {
				length := strings.IndexByte(text[inner:], ']')
				if length < 0 {
					return s, len(text), unclosedClass
				}
				closing = inner + length
			}
			name, ok := strings.CutSuffix(text[i+len("[:"):closing], ":")
			if !ok { // not of the form [:name:], so that the [ is a character
				s.add('[')
				break
			}
			named, ok := posixClasses[name]
			if !ok {
				return s, i, unknownClass
			}
			s.addAll(named)
			low = -1
			i = closing
		default:
			s.add(c)
			low = int(c)
		}
		i++
	}
	if negated {
		s = s.complement()
	}
	s.remove('/') // which no class matches
	s.remove(0)   // which is in no name
	if s == (set{}) {
		problem = emptyClass
	}
	return s, i + 1, problem
}
