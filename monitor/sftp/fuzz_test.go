package sftp

import (
	"bufio"
	"encoding/binary"
	"io"
	"testing"
	"testing/synctest"
)

// Whatever a server answers, every request ends, with a reply or an error; the
// bubble would end a test in which one does not, or a goroutine is left. The
// bytes are the server's first packet and then one packet for each request, as
// their lengths say; when there are no more, the server dies.
func FuzzSession(f *testing.F) {
	hello := version(extStatvfs, "2", extPosixRename, "1")
	id := uint32(0)
	answer := func(kind byte, payload []byte) []byte {
		id++
		return packet(kind, append(appendUint32(nil, id-1), payload...))
	}
	join := func(packets ...[]byte) []byte {
		var joined []byte
		for _, p := range packets {
			joined = append(joined, p...)
		}
		return joined
	}
	name := Attrs{Owner: &Owner{1, 2}}.append(appendString(appendString(appendUint32(nil, 1), "name"), "-rw name"))
	good := join(
		answer(typeHandle, appendString(nil, "file")),
		answer(typeStatus, status(StatusOK, "")),
		answer(typeAttrs, Attrs{Times: &Times{1, 2}}.append(nil)),
		answer(typeName, name),
		answer(typeExtendedReply, make([]byte, 88)),
		answer(typeHandle, appendString(nil, "directory")),
		answer(typeName, name),
		answer(typeStatus, status(StatusEOF, "")),
		answer(typeStatus, status(StatusOK, "")),
	)
	f.Add([]byte(nil))
	f.Add(hello)
	f.Add(join(hello, good))
	f.Add(join(hello, good[:len(good)/2]))
	f.Add(join(version(extLimits, "1"), good))
	f.Add(join(hello, packet(typeStatus, []byte{0, 0, 0, 9})))
	f.Add([]byte("Welcome!\n"))
	f.Add([]byte{0, 0, 0, 0, 0}) // the first four bytes must do to refuse it
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) {
			r, out := io.Pipe()
			in, w := io.Pipe()
			go answerWith(data, in, out)
			c, err := NewClient(r, w, pipes{r, w})
			if err != nil {
				return
			}
			exercise(c)
			c.Close()
		})
	})
}

// answerWith answers each packet of the client with the next one of data.
func answerWith(data []byte, in *io.PipeReader, out *io.PipeWriter) {
	defer in.Close()
	defer out.Close()
	requests := bufio.NewReader(in)
	for len(data) > 0 {
		if _, _, err := readPacket(requests); err != nil {
			return
		}
		n := len(data)
		if n >= 4 {
			n = int(min(4+uint64(binary.BigEndian.Uint32(data)), uint64(n)))
		}
		if _, err := out.Write(data[:n]); err != nil {
			return
		}
		data = data[n:]
	}
}

// exercise sends requests of all kinds of replies in one flight, and then those
// that take several.
func exercise(c *Client) {
	create, remove, lstat, realpath, statvfs := c.Create("file"), c.Remove("file"), c.Lstat("file"), c.Realpath("file"), c.Statvfs("file")
	_, _ = create.Wait()
	_ = remove.Wait()
	_, _ = lstat.Wait()
	_, _ = realpath.Wait()
	_, _ = statvfs.Wait()
	_, _ = c.ReadDir("directory")
	_ = c.MaxWrite()
	_ = c.Remove("last").Wait()
}
