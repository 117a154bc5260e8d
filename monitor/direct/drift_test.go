package direct

import (
	"os"
	"testing"
	"time"

	"wsync/monitor/watch"
)

// What somebody else does to the destination itself shows without a change of ours, as
// often as it is asked for, until the destination has been settled again.
func TestDrifted(t *testing.T) {
	old := time.Now().Add(-time.Hour)
	for name, foul := range map[string]func(f *fixture){
		"emptied": func(f *fixture) { f.check(os.Remove(f.there("f"))) },
		"added":   func(f *fixture) { f.write(f.there("foreign"), "x") },
		"renamed": func(f *fixture) { f.check(os.Rename(f.there("f"), f.there("g"))) },
		"gone":    func(f *fixture) { f.check(os.Rename(f.dst, f.dst+".away")) },
	} {
		t.Run(name, func(t *testing.T) {
			onTargets(t, func(f *fixture) {
				f.both("f", "x")
				// So that it shows within the same tick of the file system's clock.
				f.check(os.Chtimes(f.dst, old, old))
				if f.lane.Drifted() {
					f.Error("nothing is known yet")
				}
				f.lane.RememberTimes()
				if first, second := f.lane.Drifted(), f.lane.Drifted(); first || second {
					f.Error("nobody has done anything")
				}
				foul(f)
				if first, second := f.lane.Drifted(), f.lane.Drifted(); !first || !second {
					f.Error("it goes unnoticed")
				}
				if name == "gone" {
					f.check(os.Rename(f.dst+".away", f.dst))
				}
				f.lane.RememberTimes()
				if !f.lane.Drifted() && name != "gone" {
					f.Error("it is forgotten though nothing was sent since")
				}
				f.lane.ForgetTimes() // as when rsync is to run
				f.lane.RememberTimes()
				if f.lane.Drifted() {
					f.Error("it was remembered anew")
				}
				f.write(f.at("f"), "more")
				f.sendAll(nil, entry("f", watch.Content))
				f.lane.RememberTimes()
				if f.lane.Drifted() {
					f.Error("what we have done ourselves counts")
				}
			})
		})
	}
}
