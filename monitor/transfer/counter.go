package transfer

import (
	"hash/maphash"

	"wsync/monitor/remote"
)

// counter counts what a transfer has to send, and has sent, whichever way that goes:
// nothing else does. A file counts once, though it may be sent several times, as when a run
// is repeated, or a path of the batch was in the full pass as well; and what fails is
// neither done nor to do. The zero counter has counted nothing.
type counter struct {
	remote.Progress
	seed  maphash.Seed
	files map[uint64]counted // by their names
	// now is the file that is on its way, 0 for none, and part how much of it has left.
	now  uint64
	part int64
	// found are the files that a look has found to be sent, nil if nobody looked: whatever
	// is listed is to be sent then.
	found map[uint64]bool
}

// counted is a file that is to be sent, or was.
type counted struct {
	size int64
	sent bool
}

func (c *counter) key(name string) uint64 {
	if c.files == nil {
		c.files, c.seed = make(map[uint64]counted), maphash.MakeSeed()
	}
	return maphash.String(c.seed, name)
}

// expect takes in that a file is to be sent.
func (c *counter) expect(name string, size int64) {
	key := c.key(name)
	if _, known := c.files[key]; !known {
		c.files[key] = counted{size: size}
		c.TotalFiles, c.TotalBytes = c.TotalFiles+1, c.TotalBytes+size
	}
}

// begin takes in that a file is on its way, and that the one before has left.
func (c *counter) begin(name string, size int64) {
	c.end()
	c.expect(name, size)
	c.Looking, c.Path = false, name
	key := c.key(name)
	f := c.files[key]
	if f.sent {
		return // once more
	}
	c.TotalBytes += size - f.size
	c.files[key], c.now = counted{size: size}, key
}

// reach takes in how much of the file that is on its way has left.
func (c *counter) reach(part int64) {
	if f, ok := c.files[c.now]; ok && !f.sent && part > c.part {
		c.Bytes += part - c.part
		c.part = part
	}
}

// end takes in that the file that was on its way has left.
func (c *counter) end() {
	f, ok := c.files[c.now]
	if !ok || f.sent {
		return
	}
	c.Files, c.Bytes = c.Files+1, c.Bytes+f.size-c.part
	c.files[c.now] = counted{f.size, true}
	c.now, c.part = 0, 0
}

// stop takes in that the file that is on its way goes no further.
func (c *counter) stop() {
	c.Bytes -= c.part
	c.now, c.part = 0, 0
}

// put takes in that a file was sent as a whole.
func (c *counter) put(name string, size int64) {
	c.begin(name, size)
	c.end()
}

// drop takes in that files need not be sent any more: those that were are done.
func (c *counter) drop(names []string) {
	for _, name := range names {
		key := c.key(name)
		if f, ok := c.files[key]; ok && !f.sent {
			c.TotalFiles, c.TotalBytes = c.TotalFiles-1, c.TotalBytes-f.size
			delete(c.files, key)
		}
	}
}

// fail takes in that a file did not arrive though it was sent.
func (c *counter) fail(name string) {
	key := c.key(name)
	if f, ok := c.files[key]; ok && f.sent {
		c.Files, c.Bytes = c.Files-1, c.Bytes-f.size
		c.files[key] = counted{size: f.size}
	}
	c.drop([]string{name})
}

// look takes in that what is to be sent is being found out.
func (c *counter) look() {
	c.Looking, c.Looked, c.Found, c.found = true, 0, 0, make(map[uint64]bool)
}

// differs takes in that a look has found a file to be sent.
func (c *counter) differs(name string) {
	c.found[c.key(name)] = true
	c.Found = len(c.found)
}

// isFound reports whether a file that is listed is to be sent, as far as is known.
func (c *counter) isFound(name string) bool { return c.found == nil || c.found[c.key(name)] }
