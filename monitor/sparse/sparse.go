// Package sparse knows files with holes: parts that were never written, read as
// zeros and take no room.
package sparse

import (
	"io/fs"
	"iter"
	"syscall"
)

// block is what Stat_t counts the room of a file in, in bytes.
const block = 512

// Has reports whether a file takes less room than it has bytes. It may be compressed
// instead, which does no harm.
func Has(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().IsRegular() && int64(st.Blocks)*block < info.Size()
}

// page is what a hole is made of, in bytes: the least that a file system leaves
// out.
const page = 4096

// Extents are the parts of data that are not to become holes, of at most most
// bytes each, by their offsets: all but pages of zeros.
func Extents(data []byte, most int) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for from := 0; from < len(data); {
			end := min(from+page, len(data))
			if isZero(data[from:end]) {
				from = end
				continue
			}
			for end < len(data) && end-from+page <= most && !isZero(data[end:min(end+page, len(data))]) {
				end = min(end+page, len(data))
			}
			// Less than a page goes at once.
			for ; end-from > most; from += most {
				if !yield(from, from+most) {
					return
				}
			}
			if !yield(from, end) {
				return
			}
			from = end
		}
	}
}

func isZero(data []byte) bool {
	for _, b := range data {
		if b != 0 {
			return false
		}
	}
	return true
}
