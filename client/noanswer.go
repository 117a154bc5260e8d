package client

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// NoAnswerError is the error of a request that a daemon took, and did not answer.
type NoAnswerError struct {
	After time.Duration
	// Change: the request asked for a change, which may still happen.
	Change bool
	// PID is the daemon's, 0 if it is not known.
	PID int
}

// Error says for how long.
func (e *NoAnswerError) Error() string {
	text := fmt.Sprintf("the daemon has not answered for %v", e.After)
	if e.Change {
		text += ", and may still do it"
	}
	return text
}

// holder returns the pid that the daemon has written to its lock file, or 0.
func holder(lock string) int {
	content, err := os.ReadFile(lock)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
