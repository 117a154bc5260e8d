package transfer

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/monitor/remotetest"
)

// What is measured of a line decides, unless the user does.
func TestCompresses(t *testing.T) {
	big := func(mbs float64) runMeasured {
		return runMeasured{files: 1, bytes: 100e6, took: time.Duration(100 / mbs * float64(time.Second))}
	}
	small, quick, compressed := big(1), big(1), big(1)
	small.files, quick.bytes, compressed.compressed = 100000, 1e6, true
	ssh := config.Connection{HostAlias: &config.HostAlias{HostAlias: "h"}}
	for name, test := range map[string]struct {
		remote     config.Remote
		roundTrips []time.Duration
		runs       []runMeasured
		want       bool
	}{
		"nothing known":        {config.Remote{Connection: ssh}, nil, nil, false},
		"loopback":             {config.Remote{Connection: ssh}, []time.Duration{80e3}, []runMeasured{big(500)}, false},
		"a busy machine":       {config.Remote{Connection: ssh}, []time.Duration{40e6, 2e6, 30e6}, nil, false},
		"far":                  {config.Remote{Connection: ssh}, []time.Duration{42e6, 40e6}, nil, true},
		"far and quick":        {config.Remote{Connection: ssh}, []time.Duration{40e6}, []runMeasured{big(50)}, true},
		"near and slow":        {config.Remote{Connection: ssh}, []time.Duration{3e6}, []runMeasured{big(40), big(2)}, true},
		"near and not slow":    {config.Remote{Connection: ssh}, []time.Duration{3e6}, []runMeasured{big(12)}, false},
		"many small files":     {config.Remote{Connection: ssh}, []time.Duration{1e6}, []runMeasured{small}, false},
		"next to nothing":      {config.Remote{Connection: ssh}, []time.Duration{1e6}, []runMeasured{quick}, false},
		"compressed already":   {config.Remote{Connection: ssh}, []time.Duration{1e6}, []runMeasured{compressed}, false},
		"off":                  {config.Remote{Connection: ssh, Compress: config.CompressOff, Bandwidth: 1 << 20}, []time.Duration{40e6}, nil, false},
		"on":                   {config.Remote{Connection: ssh, Compress: config.CompressOn}, []time.Duration{1e3}, nil, true},
		"with a bandwidth":     {config.Remote{Connection: ssh, Bandwidth: 1 << 20}, []time.Duration{1e3}, nil, true},
		"local":                {config.Remote{Connection: config.Connection{Local: &config.Local{}}, Bandwidth: 1 << 20}, nil, []runMeasured{big(1)}, false},
		"a slow disk, locally": {config.Remote{Connection: config.Connection{Local: &config.Local{}}}, nil, []runMeasured{big(1)}, false},
	} {
		var m measures
		for _, took := range test.roundTrips {
			m.roundTripTook(took)
		}
		for _, r := range test.runs {
			m.ran(r)
		}
		if got, why := m.compresses(test.remote); got != test.want || got && why == "" {
			t.Errorf("%s: %v because %q", name, got, why)
		}
	}
}

// Behind a line with a round trip of 40 ms rsync compresses, and says so, and not where it
// is not to. Compression never changes what arrives.
func TestCompressionOfALine(t *testing.T) {
	remotetest.Long(t, testing.Short())
	sshd := remotetest.StartSSHD(t, remotetest.SSHDOptions{})
	proxy := remotetest.StartProxy(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(sshd.Port)))
	sshd.Port = proxy.Port
	proxy.SetDelay(20 * time.Millisecond)
	l, r := laneTo(t, sshd)
	log := filepath.Join(newDir(t), "log")
	scriptedRsync(t, `echo "$*" >>'`+log+`'; exec rsync "$@"`)
	for compress, want := range map[string]bool{"": true, config.CompressOff: false} {
		r.Compress = compress
		content := strings.Repeat("the same again "+compress, 200000)
		check(t, os.WriteFile(filepath.Join(l.root, "f"), []byte(content), 0o644))
		check(t, os.WriteFile(log, nil, 0o600))
		out := l.Transfer(t.Context(), orderOf(r, entryOf("f")), new(asker))
		succeed(t, out)
		args, err := os.ReadFile(log)
		check(t, err)
		says := slices.ContainsFunc(out.Strategy, func(s string) bool {
			return strings.HasPrefix(s, "rsync compresses, with zstd where both can: the round trip takes ")
		})
		if got := slices.Contains(strings.Fields(string(args)), "--compress"); got != want || says != want {
			t.Errorf("compress=%s: compresses %v, and says %q", compress, got, out.Strategy)
		}
		if got, _ := os.ReadFile(filepath.Join(r.RemotePath, "f")); string(got) != content {
			t.Errorf("compress=%s: the content has not arrived", compress)
		}
	}
}

// A daemon may refuse to be sent what is compressed, which is found out and told.
func TestCompressionIsRefused(t *testing.T) {
	t.Parallel()
	remotetest.Long(t, testing.Short())
	for refused, options := range map[bool][]string{false: nil, true: {"refuse options = compress"}} {
		b := newDaemonBench(t, options...)
		b.remote.Compress = config.CompressOn
		write(t, b.src, "a")
		b.pass()
		b.drain()
		b.equal()
		status := b.Status(b.now)
		if b.Account().Failures != 0 || (status.Cannot["compress"] != "") != refused {
			t.Errorf("refused %v: %+v", refused, status)
		}
	}
}
