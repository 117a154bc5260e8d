package config

import "errors"

// ErrMalformed is in the error of a file that can be read, and says what makes no
// sense: it stays so until somebody changes the file.
var ErrMalformed = errors.New("malformed")

// malformed marks an error as ErrMalformed, without another word in its text.
type malformed struct{ error }

func (m malformed) Unwrap() error      { return m.error }
func (malformed) Is(target error) bool { return target == ErrMalformed }
