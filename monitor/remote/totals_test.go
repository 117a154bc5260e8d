package remote

import (
	"reflect"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

// tookAbout is how many changes took about a second, a minute and an hour.
func tookAbout(l report.Latency) (n [3]int) {
	for i, count := range l.Counts {
		if count == 0 {
			continue
		}
		switch report.LatencyBounds()[i] {
		case time.Second:
			n[0] += count
		case time.Minute:
			n[1] += count
		case time.Hour:
			n[2] += count
		default:
			n[0] = -1
		}
	}
	return n
}

func TestTotals(t *testing.T) {
	now := time.Now()
	entry := func(path string, ago time.Duration) *dirty.Entry {
		return &dirty.Entry{Path: path, Since: now.Add(-ago)}
	}
	second, minute, hour := entry("a", time.Second), entry("b", time.Minute), entry("c", time.Hour)
	failing := &dirty.Entry{Path: "c", Attempts: 1}
	batch := dirty.Batch{Entries: []*dirty.Entry{second, minute, hour}}
	pass := dirty.Batch{Everything: entry("", time.Minute)}
	of := func(e ...*dirty.Entry) dirty.Batch { return dirty.Batch{Entries: e} }
	for name, test := range map[string]struct {
		order     Order
		out       Outcome
		want      report.Totals // without Latency
		latencies [3]int
	}{
		"all":          {Order{Batch: batch}, Outcome{Files: 3, Bytes: 5}, report.Totals{Changes: 1, Files: 3, Bytes: 5}, [3]int{1, 1, 1}},
		"again":        {Order{Batch: batch}, Outcome{Again: of(second), Later: of(minute)}, report.Totals{Changes: 1}, [3]int{0, 0, 1}},
		"large":        {Order{Batch: batch}, Outcome{Large: of(hour)}, report.Totals{Changes: 1}, [3]int{1, 1, 0}},
		"held":         {Order{Batch: batch}, Outcome{Hold: &Hold{Entries: of(hour).Entries}}, report.Totals{Changes: 1}, [3]int{1, 1, 0}},
		"unreachable":  {Order{Batch: batch}, Outcome{Unreachable: &Unreachable{Entries: of(hour).Entries}}, report.Totals{Changes: 1}, [3]int{1, 1, 0}},
		"failing":      {Order{Batch: batch}, Outcome{Failed: []*dirty.Entry{failing}}, report.Totals{Changes: 1, FailedPaths: 1}, [3]int{1, 1, 0}},
		"once more":    {Order{Batch: batch}, Outcome{Failed: []*dirty.Entry{{Path: "c", Attempts: 2}}}, report.Totals{Changes: 1}, [3]int{1, 1, 0}},
		"acknowledged": {Order{Batch: of(hour)}, Outcome{Acknowledged: hour.Since.Add(time.Minute)}, report.Totals{Changes: 1}, [3]int{0, 1, 0}},
		"rename":       {Order{Batch: dirty.Batch{Moves: []dirty.Move{{From: "a", To: "b", Since: minute.Since}}}}, Outcome{}, report.Totals{Changes: 1}, [3]int{0, 1, 0}},
		"pass":         {Order{Batch: pass}, Outcome{}, report.Totals{FullPasses: 1}, [3]int{}},
		"confirmation": {Order{Batch: batch, Confirm: true}, Outcome{}, report.Totals{Confirmations: 1}, [3]int{}},
		"offline":      {Order{Batch: batch}, Outcome{Bytes: 7, Failure: &Failure{Kind: Offline}}, report.Totals{Bytes: 7, Failures: report.Failures{Offline: 1}}, [3]int{}},
		"attention":    {Order{Batch: batch}, Outcome{Failure: &Failure{Kind: Attention}}, report.Totals{Failures: report.Failures{Attention: 1}}, [3]int{}},
		"met":          {Order{Batch: batch}, Outcome{Failure: &Failure{Kind: Met}}, report.Totals{Failures: report.Failures{Conflict: 1}}, [3]int{}},
		"trouble":      {Order{Batch: batch}, Outcome{Failure: &Failure{}}, report.Totals{Failures: report.Failures{Other: 1}}, [3]int{}},
		"canceled":     {Order{Batch: batch}, Outcome{Failure: &Failure{Kind: Canceled}}, report.Totals{}, [3]int{}},
		"deletions":    {Order{Batch: of()}, Outcome{Deleted: Count{9, 9}, Record: Record{Deleted: report.PathList{Count: 2}, Renamed: report.PathList{Count: 3}}}, report.Totals{Changes: 1, Deleted: 2, Renamed: 3}, [3]int{}},
	} {
		var got totals
		got.take(test.order, test.out, now)
		if n := tookAbout(got.Latency); n != test.latencies {
			t.Errorf("%s: latencies %v, want %v", name, n, test.latencies)
		}
		got.Latency = report.Latency{}
		if !reflect.DeepEqual(got.Totals, test.want) {
			t.Errorf("%s: %+v, want %+v", name, got.Totals, test.want)
		}
	}
}
