package sftp

// MaxWrite is how many bytes one Write takes with every server: each accepts a
// packet of 34000 bytes (draft-ietf-secsh-filexfer-02, section 3).
const MaxWrite = 32 << 10

// overhead is more than what a packet has beside the data that is written.
// OpenSSH keeps the same number of bytes free.
const overhead = 1024

// MaxWrite returns how many bytes one Write takes with this server: what it
// says in reply to "limits@openssh.com", but at most 255 KiB, or the package's
// MaxWrite if it says nothing. The first call may have to wait for the server.
func (c *Client) MaxWrite() int {
	if c.limits == nil {
		return MaxWrite
	}
	p, err := c.limits.wait(typeExtendedReply)
	if err != nil {
		return MaxWrite
	}
	packet, _, write := p.uint64(), p.uint64(), p.uint64()
	// Zero is for no limit in particular, which says nothing of the memory.
	if p.err != nil || packet <= overhead || write == 0 {
		return MaxWrite
	}
	return int(min(packet-overhead, write, maxPacket-overhead))
}
