package config

import (
	"errors"
	"fmt"
	"strings"
)

// maxNameLength is the longest name in bytes. Names become file names and
// parts of socket paths.
const maxNameLength = 64

const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

// ValidateName checks the name of a workspace or a remote. Names stand on
// command lines, in file names and in URLs, and must need quoting in none of
// them: 1 to 64 letters, digits, ".", "_" or "-", the first of them not "-" (an
// option) and not "." (a hidden file, or "..").
func ValidateName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty: expected letters, digits, \".\", \"_\" or \"-\"")
	case len(name) > maxNameLength:
		return fmt.Errorf("the name %.20q... has %d bytes: expected at most %d", name, len(name), maxNameLength)
	case name[0] == '-' || name[0] == '.':
		return fmt.Errorf("the name %q begins with %q: expected a letter, a digit or \"_\"", name, name[:1])
	}
	if rest := strings.Trim(name, nameCharacters); rest != "" {
		return fmt.Errorf("the name %q is not allowed: expected only letters (a-z), digits, \".\", \"_\" or \"-\"", name)
	}
	return nil
}
