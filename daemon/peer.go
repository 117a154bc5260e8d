package daemon

import (
	"fmt"
	"net"
)

// peer returns the user whose process has connected.
func peer(conn net.Conn) (uid int, err error) {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, fmt.Errorf("%T is no Unix domain socket", conn)
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	if failed := raw.Control(func(fd uintptr) { uid, err = peerUID(int(fd)) }); failed != nil {
		return 0, failed
	}
	return uid, err
}
