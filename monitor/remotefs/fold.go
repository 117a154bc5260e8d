package remotefs

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns what all names have in common that are one file on the file system:
// two names, or paths, meet there if their folded forms are equal.
func (c Capabilities) Fold(name string) string {
	if !c.Folds() || isLower(name) {
		return name
	}
	if !utf8.ValidString(name) {
		return c.foldBytes(name)
	}
	if c.FoldsUnicode {
		name = norm.NFD.String(name)
	}
	switch {
	case c.FoldsFull:
		name = cases.Fold().String(name)
	case c.FoldsCase:
		name = strings.Map(simplyFolded, name)
	}
	if c.FoldsUnicode {
		name = norm.NFD.String(name) // folding may have composed something
	}
	return name
}

// foldBytes folds what is not UTF-8, of which only ASCII is known.
func (c Capabilities) foldBytes(name string) string {
	if !c.FoldsCase && !c.FoldsFull {
		return name
	}
	folded := []byte(name)
	for i, b := range folded {
		if b >= 'A' && b <= 'Z' {
			folded[i] = b + 'a' - 'A'
		}
	}
	return string(folded)
}

// isLower reports whether a name is folded as it is, as nearly all are.
func isLower(name string) bool {
	for i := range len(name) {
		if b := name[i]; b >= utf8.RuneSelf || b >= 'A' && b <= 'Z' {
			return false
		}
	}
	return true
}

// simplyFolded is the same for a character in upper and in lower case: the least
// of those that are equal but for their case.
func simplyFolded(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	if least >= 'A' && least <= 'Z' {
		return least + 'a' - 'A' // as isLower has it
	}
	return least
}

// Losers returns those of the names in one directory that cannot be there, each
// with the name that is there instead. Of names that meet, the first in byte order
// is kept: which one depends on nothing else.
func (c Capabilities) Losers(names []string) map[string]string {
	if !c.Folds() {
		return nil
	}
	kept := make(map[string]string, len(names))
	var losers map[string]string
	for _, name := range slices.Sorted(slices.Values(names)) {
		folded := c.Fold(name)
		if first, ok := kept[folded]; !ok {
			kept[folded] = name
		} else if first != name {
			if losers == nil {
				losers = make(map[string]string)
			}
			losers[name] = first
		}
	}
	return losers
}

// Meeting says in words that a name cannot be there because another one is.
func (c Capabilities) Meeting(kept string) string {
	return fmt.Sprintf("it would be the same file there as %s, which is kept: the file system there takes names that differ %s only for one",
		kept, c.difference())
}

// difference is what names differ in that are one file.
func (c Capabilities) difference() string {
	switch {
	case !c.FoldsUnicode:
		return "in case"
	case !c.FoldsCase && !c.FoldsFull:
		return "in Unicode normalisation"
	}
	return "in case or Unicode normalisation"
}
