package notify

import (
	"os"
	"strconv"
	"time"
)

// cookieBarrier is a barrier that is not answered yet.
type cookieBarrier struct {
	n      uint64
	cookie string
	// due is when to answer: soon after the cookie's event has come, or when
	// it has not come for too long.
	due  time.Time
	seen bool
}

// noticeBarrier takes note of a barrier that was asked for.
func (w *Watcher) noticeBarrier() {
	asked := w.asked.Load()
	if w.barrier != nil || asked == nil || asked == w.answered {
		return
	}
	w.answered = asked
	b := &cookieBarrier{
		n:      *asked,
		cookie: "cookie-" + strconv.FormatUint(*asked, 10) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36),
		due:    time.Now().Add(cookieWait),
	}
	w.barrier = b
	path := w.opts.CookieDir + "/" + b.cookie
	// If it fails, the barrier is answered a little later.
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		f.Close()
	}
	_ = os.Remove(path)
}

// answerBarrier answers the barrier if it is due.
func (w *Watcher) answerBarrier(now time.Time) {
	b := w.barrier
	if b == nil || now.Before(b.due) {
		return
	}
	// Nothing about the root is left to the next look: it may be back.
	if w.checkRoot(); w.root.Away {
		w.checkRoot()
	}
	if !w.root.Away {
		w.checkMounts()
		if !w.unsettledAt.IsZero() {
			w.audit()
		}
		w.pollAll()
	}
	for w.looking.Any() {
		w.lookAnew()
	}
	w.barrier = nil
	w.publish()
	w.sink.Barrier(b.n)
}
