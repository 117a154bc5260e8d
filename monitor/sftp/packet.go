package sftp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The packet types of version 3 that are used (draft-ietf-secsh-filexfer-02,
// section 3).
const (
	typeInit          = 1
	typeVersion       = 2
	typeOpen          = 3
	typeClose         = 4
	typeRead          = 5
	typeWrite         = 6
	typeLstat         = 7
	typeFstat         = 8
	typeSetstat       = 9
	typeFsetstat      = 10
	typeOpendir       = 11
	typeReaddir       = 12
	typeRemove        = 13
	typeMkdir         = 14
	typeRmdir         = 15
	typeRealpath      = 16
	typeRename        = 18
	typeSymlink       = 20
	typeStatus        = 101
	typeHandle        = 102
	typeData          = 103
	typeName          = 104
	typeAttrs         = 105
	typeExtended      = 200
	typeExtendedReply = 201
)

// maxPacket bounds what is accepted from a server and what is sent to one, in
// bytes after the length. OpenSSH's limit is the same (SFTP_MAX_MSG_LENGTH of
// its sftp-common.h): its server ends the session at a longer packet.
const maxPacket = 256 << 10

var (
	// errMalformed is a packet that does not keep to the protocol.
	errMalformed = errors.New("malformed packet")
	// errTooLong is a request that the server would end the session for.
	errTooLong = errors.New("the request is too long")
)

// readPacket reads one packet: its type and what follows, which belongs to the
// caller. The error is io.EOF only at the end of a packet.
func readPacket(r *bufio.Reader) (kind byte, payload []byte, err error) {
	head, err := r.Peek(4)
	if err != nil {
		if len(head) > 0 {
			err = inPacket(err)
		}
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(head)
	// Before anything else is read, which may never come.
	if length < 1 || length > maxPacket {
		return 0, nil, fmt.Errorf("%w: its length is %d", errMalformed, length)
	}
	_, _ = r.Discard(len(head)) // cannot fail: it is in the buffer
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, inPacket(err)
	}
	payload = make([]byte, length-1)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, inPacket(err)
	}
	return kind, payload, nil
}

// inPacket is an error of reading when a packet has begun.
func inPacket(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendUint32, appendUint64 and appendString add a value as RFC 4251, section
// 5, has it.
func appendUint32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }
func appendUint64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }
func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	return append(appendUint32(b, uint32(len(s))), s...)
}

// parser takes a payload apart. The first value that is not there sets err, and
// all later ones are zero.
type parser struct {
	rest []byte
	err  error
}

func (p *parser) take(n uint64) []byte {
	if p.err != nil || uint64(len(p.rest)) < n {
		p.err = errMalformed
		return nil
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

func (p *parser) uint32() uint32 {
	b := p.take(4)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

func (p *parser) uint64() uint64 {
	b := p.take(8)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (p *parser) string() string { return string(p.take(uint64(p.uint32()))) }
