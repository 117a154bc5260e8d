package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

// BenchmarkRestart measures the time from `wsync daemon restart` to the return of `wsync
// wait`, with 64 workspaces of 50 files: the median of b.N restarts. With ssh they are all
// on one host, whose sshd bounds logins as it does by default; that has its part of this
// machine's processors, too.
//
//	go test -run '^$' -bench Restart -benchtime 5x .
func BenchmarkRestart(b *testing.B) {
	const workspaces = 64
	for _, kind := range []string{"local", "ssh"} {
		b.Run(kind, func(b *testing.B) {
			u := startUser(b)
			if kind == "ssh" {
				u.ssh(remotetest.StartSSHD(b, remotetest.SSHDOptions{Config: []string{"MaxStartups 10:30:100"}}), "")
			}
			for i := range workspaces {
				name := fmt.Sprintf("w%d", i)
				source, remote := filepath.Join(u.home, "source", name), filepath.Join(u.home, "remote", name)
				makeTree(b, source, 1, 50)
				if err := os.MkdirAll(remote, 0o755); err != nil {
					b.Fatal(err)
				}
				if kind == "ssh" {
					remote = "bench-host:" + remote
				}
				u.wsync("add", name, source)
				u.wsync("attach", name, "remote", remote)
			}
			u.wsync("wait", "--confirmed")
			var times []time.Duration
			for range b.N {
				began := time.Now()
				u.wsync("daemon", "restart")
				u.wsync("wait")
				times = append(times, time.Since(began))
			}
			slices.Sort(times)
			b.ReportMetric(times[len(times)/2].Seconds(), "p50-s")
			b.ReportMetric(times[len(times)-1].Seconds(), "max-s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
