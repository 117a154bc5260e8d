package remote

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	var m meter
	if rate, left := m.Rate(start), m.Remaining(1, 1, start); rate != 0 || left != 0 {
		t.Errorf("of nothing: %d, %v", rate, left)
	}
	m.Add(0, 0, start)
	m.Add(0, 500, at(0.5))
	if rate := m.Rate(at(0.5)); rate != 0 {
		t.Errorf("too early: %d", rate)
	}
	m.Add(0, 1000, at(1))
	if rate, left := m.Rate(at(1)), m.Remaining(1, 10_000, at(1)); rate != 1000 || left != 0 {
		t.Errorf("after a second: %d, %v", rate, left)
	}
	for second := 2.0; second <= 30; second += 0.1 {
		m.Add(0, int64(second*1000), at(second))
	}
	if rate, left := m.Rate(at(30)), m.Remaining(1, 40_000, at(30)); rate < 950 || rate > 1050 || left < 9*time.Second || left > 11*time.Second {
		t.Errorf("one file, evenly: %d, %v", rate, left)
	}
	if len(m.points) > 2*int(meterTime/meterStep) {
		t.Errorf("%d points", len(m.points))
	}
	// It stands still: that counts from then on, until nothing is known.
	if rate := m.Rate(at(35)); rate < 450 || rate > 550 {
		t.Errorf("after 5 seconds without any: %d", rate)
	}
	if rate, left := m.Rate(at(60)), m.Remaining(1, 40_000, at(60)); rate != 0 || left != 0 {
		t.Errorf("after 30 seconds without any: %d, %v", rate, left)
	}
	// Many small files after a large one: the files tell.
	m = meter{}
	for second := 0; second <= 5; second++ {
		m.Add(second*10, int64(second)*1_000_000, at(float64(second)))
	}
	if left := m.Remaining(1050, 5_000_001, at(5)); left != 100*time.Second {
		t.Errorf("1000 small files: %v", left)
	}
	// What fails is taken back, and begins a new measurement.
	m.Add(10, 10, at(6))
	if rate := m.Rate(at(6)); rate != 0 {
		t.Errorf("after less than before: %d", rate)
	}
}

// What is done is told with its rate while a transfer runs, and only then.
func TestProgress(t *testing.T) {
	m := testMachine()
	m.set.Mark("f", 1, 1, start)
	s := m.Send(noRepositories{}, 1, false, start.Add(time.Second))
	if s == nil {
		t.Fatal("nothing is sent")
	}
	m.Progress(s, Progress{Looking: true, Looked: 7, Found: 3}, start)
	if got := m.Status(start).Transfer; !got.Looking || got.Looked != 7 || got.Found != 3 || got.Remaining != 0 {
		t.Errorf("%+v", got)
	}
	for second := range 6 {
		now := start.Add(time.Duration(second) * time.Second)
		m.Progress(s, Progress{Files: second, TotalFiles: 10, Bytes: int64(second), TotalBytes: 10, Path: "f"}, now)
	}
	now := start.Add(5 * time.Second)
	if got := m.Status(now).Transfer; got.Looking || got.Files != 5 || got.TotalFiles != 10 || got.Bytes != 5 || got.TotalBytes != 10 || got.Path != "f" || got.Rate != 1 || got.Remaining != 5*time.Second {
		t.Errorf("%+v", got)
	}
	m.Progress(&Sending{}, Progress{Files: 9}, now)
	if got := m.Status(now).Transfer; got.Files != 5 {
		t.Errorf("another transfer counts: %+v", got)
	}
}
