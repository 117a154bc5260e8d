package direct

import (
	"bytes"
	"os"
	"syscall"
	"testing"

	"wsync/monitor/remotetest"
)

// What is a hole in the workspace is one on the target, also at the end of a file,
// and where there is nothing else.
func TestHoles(t *testing.T) {
	onTargets(t, func(f *fixture) {
		const size = 512 << 10
		made := func(name string, at int64) {
			file, err := os.Create(f.at(name))
			f.check(err)
			if at > 0 {
				_, err = file.WriteAt([]byte("data"), at)
				f.check(err)
			}
			f.check(file.Truncate(size))
			f.check(file.Close())
		}
		made("nothing", 0)
		made("middle", 200<<10)
		made("end", size-4)
		info, err := os.Stat(f.at("nothing"))
		f.check(err)
		if info.Sys().(*syscall.Stat_t).Blocks > 0 {
			remotetest.Skip(f, "this file system has no holes")
		}
		f.send(nil, entry("nothing", newEntry), entry("middle", newEntry), entry("end", newEntry))
		for _, name := range []string{"nothing", "middle", "end"} {
			here, err := os.ReadFile(f.at(name))
			f.check(err)
			there, err := os.ReadFile(f.there(name))
			f.check(err)
			if !bytes.Equal(here, there) {
				f.Errorf("%s differs", name)
			}
			info, err := os.Stat(f.there(name))
			f.check(err)
			if room := info.Sys().(*syscall.Stat_t).Blocks * 512; room > 64<<10 {
				f.Errorf("%s takes %d bytes", name, room)
			}
		}
	})
}
