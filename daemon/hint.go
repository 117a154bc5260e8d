package daemon

import (
	"fmt"

	"wsync/monitor/report"
)

// hint is the next step for a remote: the monitor's word, but where nothing goes on
// before somebody decides. The lock is held.
func (e *entry) hint(s report.RemoteStatus) string {
	workspace := e.workspace.Name
	name := workspace + " " + s.Name
	switch {
	case e.report.Halted != nil:
		return "bring the directory back, readable, and mirroring goes on by itself; if another one is there now and is meant: wsync approve " + workspace
	case s.Held != nil && s.Held.Other != "":
		return fmt.Sprintf("detach one of the two, then wsync resume %s; if the other is gone for good: wsync approve %s", name, name)
	case s.Held != nil && !s.Adopted:
		return fmt.Sprintf("if what is there may go: wsync approve %s; if not: wsync detach %s, or move it away, then wsync resume %s", name, name, name)
	case s.Held != nil && len(s.Held.Unmounted) > 0:
		return fmt.Sprintf("mount it again, and mirroring goes on by itself; if what was there may go: wsync approve %s", name)
	case s.Held != nil:
		return fmt.Sprintf("if this is meant: wsync approve %s; if not: restore the files, then wsync resume %s", name, name)
	}
	return s.Hint
}
