//go:build !linux && !darwin && !freebsd

package filesystem

import (
	"errors"
	"fmt"
)

// Table is the table of what is mounted, which is not followed on this system.
type Table struct{}

// OpenTable returns errors.ErrUnsupported.
func OpenTable() (*Table, error) {
	return nil, fmt.Errorf("cannot read what is mounted: %w", errors.ErrUnsupported)
}

// Close does nothing.
func (t *Table) Close() {}

// Changed is false.
func (t *Table) Changed() bool { return false }

// Mounts returns nothing.
func (t *Table) Mounts() ([]Mount, error) { return nil, nil }
