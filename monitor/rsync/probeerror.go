package rsync

// ProbeError is that a probe could not be carried out.
type ProbeError struct {
	message string
	// Hint is a next step, "" for none.
	Hint string
	// Unreachable: the connection broke, or Busy: the remote did not take it, just
	// then or as it is; neither says anything about the remote. Mute is what the
	// function Mute says of it.
	Unreachable, Busy, Mute bool
	refused                 bool // the remote does not take an option
	unsuitable              bool // it works, but in a way that is of no use here
}

// broken reports whether there may be no connection any more.
func (e *ProbeError) broken() bool { return (e.Unreachable || e.Busy || e.Mute) && !e.unsuitable }

func (e *ProbeError) Error() string { return e.message }

// refusals are what an rsync says about an option that it does not take.
var refusals = expressionOf(`(?i)unknown option|unrecognized|invalid option|refus|not supported|invalid file mode|rejecting|` +
	`rrsync error: invalid rsync-command syntax|rrsync error: option .* has been disabled`)

// refused reports whether a run failed for an option. That it just failed is no
// refusal: the connection may have broken.
func refused(r Result) bool {
	switch r.Code {
	case 2, codeUnsupported:
		return !Mute(r.Stderr) && !unknownID.MatchString(r.Stderr)
	case 1, 5, 12:
		return refusals.MatchString(r.Stderr)
	}
	return false
}
