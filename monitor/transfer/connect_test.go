package transfer

import (
	"fmt"
	"io/fs"
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
		{dial(syscall.ETIMEDOUT), "check the network"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}, "check the network"},
		{&net.DNSError{Err: "no such host", Name: "nas", IsNotFound: true}, "check the host's name"},
		{&net.DNSError{Err: "server misbehaving", Name: "nas", IsTemporary: true}, "the name server does not answer"},
		{dial(syscall.EMFILE), ""},
	} {
		got := daemonHint(fmt.Errorf("cannot connect to nas:873: %w", test.err))
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}

// TestParentHint: what the system says of a destination has its next step.
func TestParentHint(t *testing.T) {
	t.Parallel()
	for errno, want := range map[syscall.Errno]string{
		syscall.EACCES:       "must be able to write into /srv",
		syscall.EPERM:        "must be able to write into /srv",
		syscall.ENOTDIR:      "move /srv/mirror away",
		syscall.EROFS:        "mount it writable",
		syscall.ENOSPC:       "make room",
		syscall.EDQUOT:       "make room",
		syscall.ENAMETOOLONG: "",
	} {
		got := parentHint(fmt.Errorf("cannot make it: %w", &fs.PathError{Op: "mkdir", Path: "/srv/mirror", Err: errno}))
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%v: %q, want %q", errno, got, want)
		}
	}
}
