package exclude

// A text that is replaced before it has settled was in force all the same: what it
// ignored was passed over for a moment, and nobody else tells of it again.

// passed are rules that were in force since nothing was unsettled, and are not any more.
type passed struct {
	sets []ruleSet
	// any: there were so many that anything may have been ignored.
	any bool
}

// passedLimit is how many sets are kept.
const passedLimit = 16

// with returns what has passed, with one more set.
func (p passed) with(s ruleSet) passed {
	if p.any || len(p.sets) == passedLimit {
		return passed{any: true}
	}
	return passed{sets: append(p.sets[:len(p.sets):len(p.sets)], s)}
}

// excluded reports whether a path may have been excluded for a moment.
func (p passed) excluded(path string, dir bool) bool {
	for i := range p.sets {
		if p.sets[i].check(path, dir).Ignored {
			return true
		}
	}
	return p.any
}

// keptBy reports whether all that was ignored for a moment because of a directory, a
// set ignores, too.
func (p passed) keptBy(s ruleSet, dir string) bool {
	for _, earlier := range p.sets {
		if !s.keeps(earlier, dir) {
			return false
		}
	}
	return !p.any
}
