package config

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// ModeChanges are what becomes of modes on their way to a remote, in the order in which
// they are made. The zero value changes nothing.
type ModeChanges []modeChange

// modeChange is one of them, in the bits of chmod(2).
type modeChange struct {
	// dirs, files: it is for directories alone, or for all else.
	dirs, files bool
	// keep are the bits that stay, add those that are added then.
	keep, add uint32
	// execute: files that nobody may execute get no such bits.
	execute bool
}

// modeBits are those that can be changed, anyExecute those that let somebody execute.
const (
	modeBits   = 0o7777
	anyExecute = 0o111
)

// ParseModeChanges reads changes as rsync's option --chmod takes them. One that says not
// for whom it is, such as +w, is refused: its meaning would be the umask's.
func ParseModeChanges(s string) (ModeChanges, error) {
	var changes ModeChanges
	for part := range strings.SplitSeq(s, ",") {
		c, ok := parseModeChange(part)
		if !ok {
			return nil, fmt.Errorf("expected %s (with u, g, o or a before + - =), found %q", chmodExpected, part)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

const chmodExpected = "what rsync's --chmod takes, such as D2755,F644 or go-w"

func parseModeChange(s string) (c modeChange, ok bool) {
	at := strings.IndexFunc(s, func(r rune) bool { return r != 'D' && r != 'F' })
	if at < 0 {
		return c, false
	}
	c.dirs, c.files = strings.Contains(s[:at], "D"), strings.Contains(s[:at], "F")
	if s = s[at:]; c.dirs && c.files {
		return c, false
	}
	if s[0] >= '0' && s[0] <= '7' {
		bits, err := strconv.ParseUint(s, 8, 32)
		c.add = uint32(bits)
		return c, err == nil && bits <= modeBits
	}
	at = strings.IndexAny(s, "+-=")
	if at < 1 || strings.Trim(s[:at], "ugoa") != "" || strings.Trim(s[at+1:], "rwxXst") != "" {
		return c, false
	}
	whom, operator, what := s[:at], s[at], s[at+1:]
	c.execute = strings.Contains(what, "X")
	each, special := whomBits(whom)
	bits := each*whatBits(what) | specialBits(what, special)
	switch operator {
	case '+':
		c.keep, c.add = modeBits, bits
	case '-':
		c.keep = modeBits &^ bits
	default:
		c.keep, c.add = modeBits&^(each*0o7), bits
		if strings.ContainsAny(what, "st") {
			c.keep &^= special
		}
	}
	return c, true
}

// whomBits has a bit for each of u, g and o that whom names, three bits apart, and the
// bits that "s" is for them.
func whomBits(whom string) (each, special uint32) {
	for _, w := range whom {
		switch w {
		case 'u':
			each, special = each|0o100, special|0o4000
		case 'g':
			each, special = each|0o010, special|0o2000
		case 'o':
			each |= 0o001
		default:
			each, special = each|0o111, special|0o6000
		}
	}
	return each, special
}

// whatBits are the permissions of one of them.
func whatBits(what string) (bits uint32) {
	for letter, bit := range map[string]uint32{"r": 4, "w": 2, "x": 1, "X": 1} {
		if strings.Contains(what, letter) {
			bits |= bit
		}
	}
	return bits
}

// specialBits are setuid, setgid and sticky; s are those that "s" is, or 0: rsync takes
// that for setuid.
func specialBits(what string, s uint32) (bits uint32) {
	if s == 0 {
		s = 0o4000
	}
	if strings.Contains(what, "s") {
		bits |= s
	}
	if strings.Contains(what, "t") {
		bits |= 0o1000
	}
	return bits
}

// Apply returns what becomes of a mode. That of a symbolic link stays.
func (cs ModeChanges) Apply(mode fs.FileMode) fs.FileMode {
	if len(cs) == 0 || mode&fs.ModeSymlink != 0 {
		return mode
	}
	bits := UnixMode(mode)
	executable := bits&anyExecute != 0
	for _, c := range cs {
		if c.dirs && !mode.IsDir() || c.files && mode.IsDir() {
			continue
		}
		add := c.add
		if c.execute && !executable && !mode.IsDir() {
			add &^= anyExecute
		}
		bits = bits&c.keep | add
	}
	changed := mode&^(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) | fs.FileMode(bits&0o777)
	for _, s := range specials {
		if bits&s.bit != 0 {
			changed |= s.mode
		}
	}
	return changed
}

var specials = []struct {
	mode fs.FileMode
	bit  uint32
}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}}

// UnixMode is a mode as chmod(2) has it.
func UnixMode(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for _, s := range specials {
		if mode&s.mode != 0 {
			bits |= s.bit
		}
	}
	return bits
}

// ModeSyntax is what becomes of all modes on their way to the remote, in the syntax of rsync's
// option --chmod, or "" if they stay as they are.
func (r Remote) ModeSyntax() string {
	parts := []string{r.Chmod, umaskSyntax(r.Umask)}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ",")
}

// ModeChanges is what ModeSyntax says.
func (r Remote) ModeChanges() ModeChanges {
	syntax := r.ModeSyntax()
	if syntax == "" {
		return nil
	}
	changes, err := ParseModeChanges(syntax)
	if err != nil {
		return nil // Validate has refused it
	}
	return changes
}

// umaskSyntax takes the bits of a umask away.
func umaskSyntax(umask string) string {
	bits, err := strconv.ParseUint(umask, 8, 32)
	if err != nil {
		return ""
	}
	var parts []string
	for _, w := range []struct {
		whom  string
		shift int
	}{{"u", 6}, {"g", 3}, {"o", 0}} {
		what := ""
		for i, letter := range []string{"r", "w", "x"} {
			if bits>>w.shift&(4>>i) != 0 {
				what += letter
			}
		}
		if what != "" {
			parts = append(parts, w.whom+"-"+what)
		}
	}
	return strings.Join(parts, ",")
}

func chmodOption() optionKind[Remote] {
	return newOption(func(r *Remote) *string { return &r.Chmod }, chmodExpected, func(value string) (string, error) {
		_, err := ParseModeChanges(value)
		return value, err
	}, func(value string) string { return value })
}

func umaskOption() optionKind[Remote] {
	const expected = "an octal number from 000 to 777, such as 022"
	return newOption(func(r *Remote) *string { return &r.Umask }, expected, func(value string) (string, error) {
		bits, err := strconv.ParseUint(value, 8, 32)
		switch {
		case err != nil || bits > 0o777 || value[0] == '+':
			return "", fmt.Errorf("expected %s, found %q", expected, value)
		case bits == 0:
			return "", nil
		}
		return fmt.Sprintf("%03o", bits), nil
	}, func(value string) string { return value })
}
