//go:build !linux

package daemon

import "golang.org/x/sys/unix"

// solLocal is the level of the options of Unix domain sockets.
const solLocal = 0

// peerUID returns whose process has connected to a socket; see unix(4), LOCAL_PEERCRED.
func peerUID(fd int) (int, error) {
	c, err := unix.GetsockoptXucred(fd, solLocal, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(c.Uid), nil
}
