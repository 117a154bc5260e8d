package remote

import (
	"math/rand/v2"
	"strconv"
	"time"

	"wsync/config"
	"wsync/monitor/dirty"
	"wsync/monitor/report"
	"wsync/monitor/watch"
)

// made is what an event says of a new file.
const made = watch.Entry | watch.Content

// noRepositories are those of a workspace without any.
type noRepositories struct{}

func (noRepositories) IsRepository(string) bool { return false }
func (noRepositories) Locked(string) bool       { return false }

// testMachine is the machine of a remote to which everything may be sent.
func testMachine() *Machine {
	m := NewMachine(Options{
		Random: rand.New(rand.NewPCG(1, 2)),
		Words:  func(problem string) (string, string) { return problem, "" },
	}, start)
	m.Define(Definition{
		Remote:   config.Remote{Name: "r"},
		Settings: report.Settings{FullPassInterval: 24 * time.Hour, HoldDeletionsShare: 0.5, HoldDeletionsCount: 100},
	}, 0, start)
	m.Arm()
	return m
}

// toConfirm are entries that say of which paths a confirmation is wanted.
func toConfirm(entries []*dirty.Entry) (confirm []*dirty.Entry) {
	for _, e := range entries {
		confirm = append(confirm, &dirty.Entry{Path: e.Path, Change: watch.Content, Seq: e.Seq, Since: e.Since})
	}
	return confirm
}

func numbered(prefix string, n int) (names []string) {
	for i := range n {
		names = append(names, prefix+strconv.Itoa(i))
	}
	return names
}
