package remote

import (
	"maps"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/guard"
	"wsync/monitor/relpath"
)

// Approval are deletions that the user has approved. It is not changed: transfers have it.
type Approval struct {
	names guard.Names
	// came are names at which something has come or gone since. What is there now, with all
	// that is in it, is nothing that the user has seen.
	came map[string]bool
}

// Covers reports whether the deletion of what has a name is approved, or belongs to what is:
// it is a directory that that was in, which goes last. Nil covers nothing.
func (a *Approval) Covers(name string) bool {
	if a == nil || !a.names.Covers(name) {
		return false
	}
	for path := name; len(a.came) > 0 && path != ""; path = relpath.Parent(path) {
		if a.came[path] {
			return false
		}
	}
	return true
}

const (
	// approvalTime is how long what was approved may go, once it is deleted, without
	// being asked for again.
	approvalTime = 10 * time.Second
	// cameLimit bounds the names that are remembered; above that nothing is approved
	// any more.
	cameLimit = dirty.Limit
)

// approvals are what the user has approved so far.
type approvals struct {
	approval *Approval       // nil for none
	came     map[string]bool // that of the approval, and what is not in it yet
	at       time.Time       // when the last one was given
	count    int             // of all
}

// give takes in that the user has approved the deletion of names.
func (a *approvals) give(names guard.Names, now time.Time) {
	if a.approval != nil && len(a.came) == 0 {
		names.AddAll(a.approval.names)
	}
	a.approval, a.came, a.at = &Approval{names: names}, nil, now
	a.count++
}

// touch takes in that something has come to a name, or gone.
func (a *approvals) touch(name string) {
	if a.approval == nil || !a.approval.names.Covers(name) {
		return
	}
	if a.came == nil {
		a.came = make(map[string]bool)
	}
	if a.came[name] = true; len(a.came) > cameLimit {
		a.approval, a.came = nil, nil
	}
}

// current is what is approved now.
func (a *approvals) current() *Approval {
	if a.approval != nil && len(a.came) > len(a.approval.came) {
		a.approval = &Approval{names: a.approval.names, came: maps.Clone(a.came)}
	}
	return a.approval
}

// end forgets what was approved when it is gone, and nothing is to be expected any more that
// went with it. open reports whether something is dirty on behalf of it.
func (a *approvals) end(open func() bool, now time.Time) {
	if a.approval != nil && now.Sub(a.at) > approvalTime && !open() {
		a.approval, a.came = nil, nil
	}
}
