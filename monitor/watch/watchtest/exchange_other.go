//go:build !linux

package watchtest

import "errors"

// exchange swaps two names in one step.
func exchange(string, string) error {
	return errors.ErrUnsupported
}
