package rsync

import (
	"regexp"
	"sync"
)

// expression is a regular expression that is compiled when it is first used. All of
// them together take longer than all else that is done before main, and most of the
// times that wsync runs, for a command of a user, none is used. It may be used from any
// goroutine.
type expression struct {
	text     string
	once     sync.Once
	compiled *regexp.Regexp
}

// expressionOf returns an expression of package regexp.
func expressionOf(text string) *expression { return &expression{text: text} }

func (e *expression) get() *regexp.Regexp {
	e.once.Do(func() { e.compiled = regexp.MustCompile(e.text) })
	return e.compiled
}

func (e *expression) MatchString(s string) bool { return e.get().MatchString(s) }

func (e *expression) FindStringIndex(s string) []int { return e.get().FindStringIndex(s) }

func (e *expression) FindAllStringIndex(s string, n int) [][]int {
	return e.get().FindAllStringIndex(s, n)
}

func (e *expression) FindStringSubmatch(s string) []string { return e.get().FindStringSubmatch(s) }

func (e *expression) ReplaceAllString(s, with string) string {
	return e.get().ReplaceAllString(s, with)
}

func (e *expression) ReplaceAllStringFunc(s string, with func(string) string) string {
	return e.get().ReplaceAllStringFunc(s, with)
}

// expand is template with $1 and the like replaced by what the expression has found in s.
func (e *expression) expand(template, s string) string {
	m := e.get().FindStringSubmatchIndex(s)
	if m == nil {
		return template
	}
	return string(e.get().ExpandString(nil, template, s, m))
}
