package rsync

// Verdict is what an exit code of rsync means for a mirror. No verdict ends a
// monitor.
type Verdict int

// The verdicts.
const (
	// Done: everything that was asked for is on the remote.
	Done Verdict = iota
	// Vanished: source files disappeared while they were being sent.
	Vanished
	// Partial: the paths named on standard error failed, the rest did not.
	Partial
	// PartialDeletion: --max-delete stopped deletions.
	PartialDeletion
	// Unreachable: the connection could not be made or broke.
	Unreachable
	// Trouble: the transfer failed and may succeed later.
	Trouble
	// Attention: it will probably fail again until somebody does something.
	Attention
)

// verdicts is the table of rsync's exit codes (rsync(1), "EXIT VALUES", and
// errcode.h of its source). 124 to 127 and 255 come from ssh and the shell.
var verdicts = map[int]struct {
	verdict Verdict
	meaning string
}{
	0:   {Done, ""},
	1:   {Attention, "rsync was called with options that it does not know"},
	2:   {Attention, "the two rsync versions do not understand each other"},
	3:   {Attention, "rsync cannot use the source or the destination directory"},
	4:   {Attention, "the remote's rsync does not support what was asked"},
	5:   {Attention, "the rsync daemon refused"},
	6:   {Trouble, "rsync could not write its log"},
	10:  {Unreachable, "the connection failed"},
	11:  {Trouble, "a file could not be written or read"},
	12:  {Unreachable, "the connection broke"},
	13:  {Trouble, "rsync could not report its progress"},
	14:  {Trouble, "the processes of rsync could not talk to each other"},
	15:  {Trouble, "rsync was moved to the wrong place"},
	16:  {Unreachable, "rsync was ended by a signal"},
	19:  {Unreachable, "rsync was ended by a signal"},
	20:  {Unreachable, "rsync was ended by a signal"},
	21:  {Trouble, "rsync lost one of its processes"},
	22:  {Trouble, "rsync ran out of memory"},
	23:  {Partial, "some paths could not be transferred"},
	24:  {Vanished, "some files vanished while they were sent"},
	25:  {PartialDeletion, "deletions were held"},
	30:  {Unreachable, "the connection timed out"},
	35:  {Unreachable, "the rsync daemon did not answer in time"},
	124: {Trouble, "the remote command failed"},
	125: {Trouble, "the remote command was killed"},
	126: {Attention, "the remote command cannot be run"},
	127: {Attention, "there is no rsync on the remote"},
	255: {Unreachable, "ssh could not connect, or the connection broke"},
}

// EndsRun reports whether rsync ends a run with code because of one path, when it
// gives up all others: of what a run like that did not name, nothing is known.
func EndsRun(code int) bool {
	switch code {
	case 2, 4, 11, 13, 22:
		return true
	}
	return false
}

// Classify returns the verdict on an exit code, and its meaning in words.
// Codes that are in no table may go away by themselves.
func Classify(code int) (Verdict, string) {
	if v, ok := verdicts[code]; ok {
		return v.verdict, v.meaning
	}
	return Trouble, "rsync failed with an unknown code"
}
