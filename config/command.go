package config

import (
	"errors"
	"path/filepath"
	"strings"
)

// SplitCommand splits a command line into its words, at spaces. What
// stands between single or double quotes belongs to one word; the quotes are
// removed, and nothing else has a meaning: no variable, no backslash. For
// more, the command is `sh -c '...'`. The error is a quote that does not
// close.
func SplitCommand(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	begun, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			begun, quote = true, r
		case r == ' ':
			if begun {
				words = append(words, word.String())
			}
			begun = false
			word.Reset()
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote does not close")
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

// NotifyArgs is NotifyCommand in its words; see CommandArgs.
func (s Settings) NotifyArgs() []string {
	return CommandArgs(s.NotifyCommand, filepath.Dir(s.Directory))
}

// CommandArgs is a command line in its words, with "~/" at its beginning replaced by the
// directory home; nil without a command.
func CommandArgs(line, home string) []string {
	args, err := SplitCommand(line)
	if err != nil || len(args) == 0 {
		return nil
	}
	if rest, ok := strings.CutPrefix(args[0], "~/"); ok {
		args[0] = filepath.Join(home, rest)
	}
	return args
}

const expectedCommand = "a program and its arguments, with closed quotes"

// isCommand reports whether a line is a command that can stand in a file.
func isCommand(line string) bool {
	words, err := SplitCommand(line)
	return err == nil && len(words) > 0 && words[0] != "" && isPlain(line)
}

func commandSetting(field func(*Settings) *string) settingKind {
	kind := newSetting(field, expectedCommand, "", func(value, _ string) (string, bool) {
		return value, isCommand(value)
	})
	kind.quotes = true
	return kind
}
