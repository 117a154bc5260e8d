package main

import "golang.org/x/sys/unix"

// churnExchange swaps two names in one step.
func churnExchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}
