package transfer

import (
	"context"
	"sync"
	"time"

	"wsync/config"
	"wsync/monitor/direct"
	"wsync/monitor/rsync"
)

// A remote's bandwidth is divided between the run of rsync that is under way, which keeps
// to its part by itself, and what goes beside it; what the direct lane sends alone has all
// of it. So that a small change need not wait, what was not used is saved up for a second.

// besidePart is which part of a bandwidth is kept for what goes beside a run of rsync.
const besidePart = 8

// runRate is the part of a bandwidth that a run of rsync has.
func runRate(rate config.Rate, beside bool) config.Rate {
	if beside {
		return rate / besidePart
	}
	return rate - rate/besidePart
}

// largeSize is the size of a file above which it would keep others waiting: it takes half
// a second.
func largeSize(rate config.Rate) int64 { return int64(rate / 2) }

// pace keeps what goes by the direct lane within the remote's bandwidth: it is a bucket of
// bytes that fills at the rate, with room for a second. Its methods may be called from any
// goroutine; the times that they are given do not decrease by much.
type pace struct {
	mu    sync.Mutex // guards everything below
	rate  config.Rate
	level float64 // bytes; below 0 when more was sent
	at    time.Time
	runs  int // of rsync, under way
}

// fill brings the bucket up to date; the caller holds mu.
func (p *pace) fill(rate config.Rate, now time.Time) {
	if rate != p.rate {
		p.rate, p.level, p.at = rate, float64(rate), now
	}
	if passed := now.Sub(p.at); passed > 0 {
		p.level, p.at = min(p.level+p.speed()*passed.Seconds(), float64(rate)), now
	}
}

// speed is how fast the bucket fills, in bytes a second; the caller holds mu.
func (p *pace) speed() float64 {
	if p.runs > 0 {
		return float64(runRate(p.rate, true))
	}
	return float64(p.rate)
}

// wait is how long bytes have to wait, all of which can be sent then.
func (p *pace) wait(bytes int64, rate config.Rate, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fill(rate, now)
	lacking := min(float64(bytes), float64(rate)) - p.level
	if rate == 0 || lacking <= 0 {
		return 0
	}
	return time.Duration(lacking / p.speed() * float64(time.Second))
}

// sent takes in that bytes were sent.
func (p *pace) sent(bytes int64, rate config.Rate, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fill(rate, now)
	p.level -= float64(bytes)
}

// run takes in that a run of rsync begins, and returns what is to be called at its end.
func (p *pace) run(rate config.Rate, now time.Time) (end func(now time.Time)) {
	change := func(by int, now time.Time) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.fill(rate, now)
		p.runs += by
	}
	change(1, now)
	return func(now time.Time) { change(-1, now) }
}

// await waits until a plan may be carried out, and reports whether it has: then the plan
// is one of the past.
func (t *transfer) await(plan direct.Plan) (waited bool) {
	wait := t.lane.pace.wait(plan.Bytes(), t.Remote.Bandwidth, time.Now())
	if wait <= 0 {
		return false
	}
	sleep(t.ctx, wait)
	return true
}

// sleep waits for a while, or until ctx is done.
func sleep(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// limit has the runs of the transfer keep to their part of the bandwidth.
func (t *transfer) limit(endpoint *rsync.Endpoint) {
	endpoint.Rate = runRate(t.Remote.Bandwidth, t.Beside)
}
