package remote

import "math"

// Open is the number of the oldest mark that is still open; None if there is none.
type Open = uint64

// None is the Open of a remote that has everything.
const None Open = math.MaxUint64

// Barriers are the requests to wait that a remote has not answered yet. A request
// has a number and the last mark that was made before it. It is acknowledged
// when no mark up to that one is open on the remote, and verified when rsync
// has compared what they were about as well.
type Barriers struct {
	// Asked, Acknowledged and Verified are the numbers of the last request that
	// came, that was acknowledged and that was verified.
	Asked, Acknowledged, Verified uint64
	// Wanted is the last request for which somebody waits until it is verified.
	Wanted uint64

	unacknowledged, unverified []barrier // in the order of their numbers
}

type barrier struct {
	n    uint64
	mark uint64
}

// Add takes in request n for all marks up to mark. Both never decrease.
func (b *Barriers) Add(n, mark uint64) {
	b.Asked = n
	b.unacknowledged = append(b.unacknowledged, barrier{n, mark})
	b.unverified = append(b.unverified, barrier{n, mark})
}

// Waiting reports whether a request is not verified yet.
func (b *Barriers) Waiting() bool { return len(b.unverified) > 0 }

// WantsVerified reports whether somebody waits until rsync has compared.
func (b *Barriers) WantsVerified() bool {
	return len(b.unverified) > 0 && b.unverified[0].n <= b.Wanted
}

// Oldest returns the mark of the oldest request that is not verified, None for none.
func (b *Barriers) Oldest() Open {
	if len(b.unverified) == 0 {
		return None
	}
	return b.unverified[0].mark
}

// Stuck returns the last request that is not answered, though what was marked as number
// mark was tried since request tried came; 0 for none.
func (b *Barriers) Stuck(mark Open, tried uint64) (n uint64) {
	for _, one := range b.unverified {
		if one.n <= tried && one.mark >= mark {
			n = one.n
		}
	}
	return n
}

// Answer takes in what is not acknowledged and what is not verified, and reports
// whether that answers a request.
func (b *Barriers) Answer(unacknowledged, unverified Open) bool {
	acknowledged := pass(&b.unacknowledged, &b.Acknowledged, unacknowledged)
	verified := pass(&b.unverified, &b.Verified, min(unacknowledged, unverified))
	return acknowledged || verified
}

// pass takes the barriers away that come before the oldest open mark, and
// notes the last of them.
func pass(barriers *[]barrier, last *uint64, open Open) (passed bool) {
	for len(*barriers) > 0 && (*barriers)[0].mark < open {
		*last, passed = (*barriers)[0].n, true
		*barriers = (*barriers)[1:]
	}
	return passed
}
