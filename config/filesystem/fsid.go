package filesystem

import (
	"encoding/binary"
	"encoding/hex"
	"runtime"

	"golang.org/x/sys/unix"
)

// Identify asks the file system of a mount for its FSID. path is where it is
// mounted. Those that another machine serves are not asked: they may not answer.
func (m *Mount) Identify(path string) {
	var fs unix.Statfs_t
	if runtime.GOOS == "darwin" || typeOfName(m.Type).Silent || unix.Statfs(path, &fs) != nil || fs.Fsid.Val == [2]int32{} {
		return
	}
	if raw, err := binary.Append(nil, binary.BigEndian, fs.Fsid.Val); err == nil {
		m.FSID = hex.EncodeToString(raw)
	}
}
