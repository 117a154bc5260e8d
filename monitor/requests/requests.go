// Package requests keeps what waits for a watcher's barriers, in their order.
package requests

import (
	"slices"
	"sync"
)

// Queue is what waits. Its methods may be called from any goroutine; the zero Queue is
// empty.
type Queue struct {
	mu      sync.Mutex
	waiting []request // guarded by mu
	number  uint64    // of the last one; guarded by mu
}

// request is what to do when the watcher has come to a barrier.
type request struct {
	n  uint64
	do func()
}

// Add has barrier place the next barrier, which Reached takes in, and do called then.
func (q *Queue) Add(barrier func(n uint64), do func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.number++
	q.waiting = append(q.waiting, request{q.number, do})
	barrier(q.number) // within the lock: the numbers must not overtake each other
}

// Reached takes in that the watcher has come to barrier n, and calls all that waited for
// it, or for one before.
func (q *Queue) Reached(n uint64) {
	q.mu.Lock()
	i := 0
	for i < len(q.waiting) && q.waiting[i].n <= n {
		i++
	}
	due := slices.Clone(q.waiting[:i])
	q.waiting = slices.Delete(q.waiting, 0, i)
	q.mu.Unlock()
	for _, r := range due {
		r.do()
	}
}
