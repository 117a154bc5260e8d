//go:build !linux

package daemon

import "wsync/daemon/metrics"

// processOf knows nothing: only Linux tells of it.
func processOf(int) (p metrics.Process, ok bool) { return p, false }

// watchLimit is 0: there is none that is known.
func watchLimit() int { return 0 }
