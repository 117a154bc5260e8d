package report

// Standing is how a remote stands, in a word. Less is worse.
type Standing int

// The standings, the worst first: what waits for a person, what fails, what is not there
// yet, what is not known to be there, what is.
const (
	StandsFailed    Standing = iota // its monitor is not started again
	StandsHalted                    // nothing is sent: something is wrong here
	StandsHeld                      // a guard waits for approval
	StandsUnknown                   // its monitor does not answer
	StandsFailing                   // a path fails, or a transfer, or a login
	StandsOffline                   // it cannot be reached for now
	StandsBehind                    // changes are on their way, or nothing is known yet
	StandsDifferent                 // in sync, but for what a verification has found
	StandsPaused                    // by the user
	StandsInSync
)

// String is the word for it.
func (s Standing) String() string {
	return [...]string{"failed", "halted", "held", "unknown", "failing", "offline", "behind", "different", "paused", "in sync"}[s]
}

// NeedsPerson reports whether somebody has to do something, whatever the reason.
func (s Standing) NeedsPerson() bool {
	return s <= StandsHeld || s == StandsDifferent || s == StandsPaused
}

// Standing is how the remote stands.
func (s RemoteStatus) Standing() Standing {
	switch {
	case s.State == Failed:
		return StandsFailed
	case s.Held != nil:
		return StandsHeld
	case s.State == Halted:
		return StandsHalted
	case s.State == Unknown:
		return StandsUnknown
	case s.State == Paused:
		return StandsPaused
	case s.State == Offline && !s.Attention:
		return StandsOffline
	case s.State == Offline, s.State == Retrying, s.Error != "" && !s.State.InSync():
		return StandsFailing
	case !s.State.InSync():
		return StandsBehind
	case s.Verified != nil && s.Verified.Open > 0:
		return StandsDifferent
	}
	return StandsInSync
}
