package relay

import (
	"net"

	"golang.org/x/sys/unix"
)

// acknowledgeAtOnce keeps the kernel from waiting with the acknowledgement of
// what comes next. It does not last (tcp(7), TCP_QUICKACK).
func acknowledgeAtOnce(conn *net.TCPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) // it only is slower without
	})
}
