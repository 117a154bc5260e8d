package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ValidateIgnore refuses what cannot be an element of Workspace.Ignore. One that is
// allowed may still match nothing, as a line of any other rule file may.
func ValidateIgnore(pattern string) error {
	switch {
	case strings.ContainsAny(pattern, "\n\x00"):
		return fmt.Errorf("the pattern %q has a newline or a NUL byte in it", pattern)
	case !utf8.ValidString(pattern):
		return fmt.Errorf("the pattern %q is not UTF-8: the workspace file cannot hold it, a rule file in the tree can", pattern)
	}
	return nil
}

// ValidateIgnoreTagged refuses what cannot be an element of Workspace.IgnoreTagged: what is
// no file's name.
func ValidateIgnoreTagged(name string) error {
	switch {
	case name == "":
		return errors.New("the name of a tag file is empty")
	case name == ".", name == "..", strings.Contains(name, "/"):
		return fmt.Errorf("%q is no name of a tag file: expected one without slashes, such as CACHEDIR.TAG", name)
	case !isPlain(name):
		return fmt.Errorf("the name of a tag file %q has a control character in it or is not UTF-8", name)
	}
	return nil
}
