package sftp

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsync/monitor/remotetest"
)

// replace queues what makes an open temporary file the new contents of path.
func replace(c *Client, h Handle, temporary, path string, contents []byte, a Attrs) []*Reply {
	return []*Reply{
		c.Write(h, 0, contents),
		c.Fsetstat(h, a),
		c.CloseHandle(h),
		c.PosixRename(temporary, path),
	}
}

var (
	small    = []byte(strings.Repeat("some text\n", 100))
	newAttrs = SetMode(0o644, time.Unix(1_700_000_000, 0))
)

// One small file after the other, in two flights each: the handle must be known
// before anything can be written to it.
func BenchmarkReplace(b *testing.B) {
	c, _ := start(b, remotetest.SFTPServer(b))
	dir := b.TempDir()
	temporary, path := filepath.Join(dir, ".new"), filepath.Join(dir, "file")
	b.ReportAllocs()
	for b.Loop() {
		h := mustCreate(b, c, temporary)
		mustWait(b, replace(c, h, temporary, path, small, newAttrs)...)
	}
}

// The same in one flight, in which the temporary file of the next one is
// created, too.
func BenchmarkReplaceAhead(b *testing.B) {
	c, _ := start(b, remotetest.SFTPServer(b))
	dir := b.TempDir()
	temporary, path := filepath.Join(dir, ".new"), filepath.Join(dir, "file")
	ahead := c.Create(temporary)
	b.ReportAllocs()
	for b.Loop() {
		h, err := ahead.Wait()
		if err != nil {
			b.Fatal(err)
		}
		replies := replace(c, h, temporary, path, small, newAttrs)
		ahead = c.Create(temporary)
		mustWait(b, replies...)
	}
	// Or the file comes while the directory is removed.
	if _, err := ahead.Wait(); err != nil {
		b.Fatal(err)
	}
}

// 200 small files in two flights.
func BenchmarkReplace200(b *testing.B) {
	const n = 200
	c, _ := start(b, remotetest.SFTPServer(b))
	dir := b.TempDir()
	var paths [n]string
	for i := range paths {
		paths[i] = filepath.Join(dir, fmt.Sprint("file", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		var created [n]OpenReply
		for i, path := range paths {
			created[i] = c.Create(path + ".new")
		}
		var replies []*Reply
		for i, path := range paths {
			h, err := created[i].Wait()
			if err != nil {
				b.Fatal(err)
			}
			replies = append(replies, replace(c, h, path+".new", path, small, newAttrs)...)
		}
		mustWait(b, replies...)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/file")
}

// A large file in writes of 32 KiB, which every server takes, and in the
// longest that this one does.
func BenchmarkWrite(b *testing.B) {
	const size = 16 << 20
	c, _ := start(b, remotetest.SFTPServer(b))
	h := mustCreate(b, c, filepath.Join(b.TempDir(), "file"))
	for _, part := range []int{MaxWrite, c.MaxWrite()} {
		b.Run(fmt.Sprintf("%dKiB", part>>10), func(b *testing.B) {
			data := make([]byte, part)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				var replies []*Reply
				for offset := 0; offset < size; offset += part {
					replies = append(replies, c.Write(h, uint64(offset), data[:min(part, size-offset)]))
				}
				mustWait(b, replies...)
			}
		})
	}
}
