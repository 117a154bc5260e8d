//go:build !linux

package watch

// backends are those that the contract is for.
var backends = []string{"notify"}
