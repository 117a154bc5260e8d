package remote

import (
	"slices"
	"testing"
	"time"

	"wsync/monitor/dirty"
	"wsync/monitor/report"
)

func TestLatencies(t *testing.T) {
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	entry := func(ms int) *dirty.Entry { return &dirty.Entry{Path: "f", Seq: uint64(ms + 1), Since: at(ms)} }
	batch := dirty.Batch{Entries: []*dirty.Entry{entry(30), entry(10)}}
	var l latencies
	for _, says := range []struct {
		order Order
		out   Outcome
	}{
		{Order{Batch: dirty.Batch{Everything: entry(0)}}, Outcome{}},
		{Order{Batch: batch, Confirm: true}, Outcome{}},
		{Order{Batch: batch}, Outcome{Failed: batch.Entries[:1]}},
		{Order{Batch: batch}, Outcome{Again: batch}},
		{Order{Batch: batch}, Outcome{Large: batch}},
		{Order{Batch: dirty.Batch{Entries: []*dirty.Entry{{Path: "f", Seq: 1, Since: at(0), Approved: 1}}}}, Outcome{}},
		{Order{}, Outcome{}},
	} {
		if l.add(says.order, says.out, at(50)); len(l) > 0 {
			t.Fatalf("%+v, %+v says %v", says.order, says.out, l)
		}
	}
	l.add(Order{Batch: batch}, Outcome{}, at(50))
	if want := (latencies{40 * time.Millisecond}); !slices.Equal(l, want) {
		t.Errorf("%v, expected %v: the oldest change counts", l, want)
	}
	for i := range report.MaxLatencies {
		l.add(Order{Batch: batch}, Outcome{}, at(100+i))
	}
	if len(l) != report.MaxLatencies || l[0] != 90*time.Millisecond {
		t.Errorf("%d of them, the first is %v", len(l), l[0])
	}
}
