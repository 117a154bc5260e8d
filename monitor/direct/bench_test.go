package direct

import (
	"fmt"
	"os"
	"testing"

	"wsync/monitor/dirty"
	"wsync/monitor/watch"
)

// The sizes of a batch that are measured.
var batchSizes = []int{1, 200}

// manyFiles makes n small files on both sides.
func (f *fixture) manyFiles(n int) (entries []*dirty.Entry) {
	f.Helper()
	for i := range n {
		name := fmt.Sprintf("some/directory-%d/file-%d", i/20, i)
		f.write(f.at(name), "a small file")
		f.write(f.there(name), "as it was")
		entries = append(entries, entry(name, watch.Content))
	}
	return entries
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range batchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			f := &fixture{TB: b, src: b.TempDir(), dst: b.TempDir()}
			entries := f.manyFiles(n)
			for b.Loop() {
				if plan := MakePlan(nil, entries, source(f.src), ownsAll, limits); len(plan.Steps) < n {
					b.Fatal(describe(plan))
				}
			}
		})
	}
}

// BenchmarkFlight sends changed files, planned before, until the last reply is
// there. The files are read anew each time.
func BenchmarkFlight(b *testing.B) {
	for name, start := range targets {
		for _, n := range batchSizes {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				f := start(b, b.TempDir(), b.TempDir())
				plan := f.plan(nil, f.manyFiles(n)...)
				for b.Loop() {
					if r := f.fly(nil, plan); r.Files != n {
						b.Fatalf("%+v", r)
					}
				}
			})
		}
	}
}

// BenchmarkFlightOfANewDirectory waits once more: nothing goes below before it
// is there.
func BenchmarkFlightOfANewDirectory(b *testing.B) {
	for name, start := range targets {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			f := start(b, b.TempDir(), b.TempDir())
			f.write(f.at("new/f"), "a small file")
			plan := f.plan(nil, entry("new", newTree))
			for b.Loop() {
				if r := f.fly(nil, plan); r.Files != 1 {
					b.Fatalf("%+v", r)
				}
				b.StopTimer()
				f.check(os.RemoveAll(f.there("new")))
				b.StartTimer()
			}
		})
	}
}
