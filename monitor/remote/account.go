package remote

import "wsync/monitor/dirty"

// Account is what a Machine knows, for tests and simulations to look at.
type Account struct {
	// Dirty are copies of the entries that wait to be sent, and Everything that a
	// full pass does; Unconfirmed is how many were sent and not confirmed.
	Dirty       []dirty.Entry
	Moves       []dirty.Move // that wait to be repeated
	Everything  bool
	Unconfirmed int
	// Failures counts the transfers that failed in a row, and Failure is the last
	// one's, nil for none.
	Failures int
	Failure  *Failure
	// Hold is what is held, shown or not, nil for nothing.
	Hold *Hold
	// Recent are the deletions that are remembered.
	Recent Count
	// Drift is what full passes have repaired that nothing announced.
	Drift   int
	Adopted bool
}

// Account returns the account so far.
func (m *Machine) Account() Account {
	a := Account{
		Everything: m.set.Everything(), Unconfirmed: m.confirmations.Len(), Failures: m.retry.failures, Failure: m.retry.failure,
		Moves: m.set.Moves(), Drift: m.passes.Drift, Adopted: m.adoption.done(),
	}
	for e := range m.set.All() {
		a.Dirty = append(a.Dirty, *e)
	}
	for _, d := range m.recent {
		a.Recent = a.Recent.Plus(d.n)
	}
	if m.holds.held != nil {
		hold := m.holds.Hold
		a.Hold = &hold
	}
	return a
}

// Failing are the dirty entries that fail.
func (a Account) Failing() (failing []dirty.Entry) {
	for _, e := range a.Dirty {
		if e.Failing() {
			failing = append(failing, e)
		}
	}
	return failing
}
