package hook

// queue decides what the next run is told, and when there is one. It is made of values.
type queue struct {
	// waiting is what the next run is told, and running what the one under way was.
	waiting, running Paths
	// fresh: some of what waits no run was told. due: it was acknowledged, so that there is
	// to be a next run; busy: one is under way.
	fresh, due, busy bool
}

// take takes in what a transfer has changed. What was changed by one that failed waits for
// one that is acknowledged.
func (q *queue) take(p Paths, acknowledged bool) {
	q.waiting.Join(p)
	q.fresh = q.fresh || p.Len() > 0
	q.due = q.due || acknowledged && q.fresh
}

// retry has what a run was told that failed told again.
func (q *queue) retry() { q.due = q.due || q.waiting.Len() > 0 && !q.fresh }

// begin returns what a run is to be told now; ok is false if there is to be none.
func (q *queue) begin() (p Paths, ok bool) {
	if q.busy || !q.due || q.waiting.Len() == 0 {
		return p, false
	}
	q.running, q.waiting = q.waiting, Paths{}
	q.fresh, q.due, q.busy = false, false, true
	return q.running, true
}

// end takes in how the run has ended. What a run was told that failed is told the next one
// again, which there is when there is more to tell.
func (q *queue) end(failed bool) {
	if failed {
		q.waiting.Join(q.running)
	}
	q.running, q.busy = Paths{}, false
}

// giveUp takes in that the run under way was given up for another command, which is to be
// told the same.
func (q *queue) giveUp() {
	q.end(true)
	q.due = q.due || q.waiting.Len() > 0
}

// left is what no run that went well was told.
func (q *queue) left() (p Paths) {
	p.Join(q.running)
	p.Join(q.waiting)
	return p
}
