//go:build !linux

package main

import "errors"

// churnExchange swaps two names in one step.
func churnExchange(string, string) error { return errors.ErrUnsupported }
