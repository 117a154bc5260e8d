package transfer

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestDaemonHint: what the system says of a connection has its next step.
func TestDaemonHint(t *testing.T) {
	t.Parallel()
	dial := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
	}
	for _, test := range []struct {
		err  error
		want string // a part of the hint, "" for none
	}{
		{dial(syscall.ECONNREFUSED), "nothing listens there"},
		{dial(syscall.EHOSTUNREACH), "check the network"},
		{dial(syscall.ENETUNREACH), "check the network"},
		{&net.DNSError{Err: "no such host", Name: "nas", IsNotFound: true}, "check the host's name"},
		{dial(syscall.EMFILE), ""},
	} {
		got := daemonHint(fmt.Errorf("cannot connect to nas:873: %w", test.err))
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}
