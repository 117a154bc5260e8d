package sftp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadPacket(t *testing.T) {
	long := packet(typeName, make([]byte, maxPacket-1))
	for _, test := range []struct {
		name  string
		bytes []byte
		want  error
	}{
		{"nothing", nil, io.EOF},
		{"part of a length", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"a length", []byte{0, 0, 0, 1}, io.ErrUnexpectedEOF},
		{"no type", []byte{0, 0, 0, 0, 0}, errMalformed},
		{"only a type", []byte{0, 0, 0, 1, typeName}, nil},
		{"part of a payload", []byte{0, 0, 0, 3, typeName, 1}, io.ErrUnexpectedEOF},
		{"no payload", []byte{0, 0, 0, 3, typeName}, io.ErrUnexpectedEOF},
		{"the longest", long, nil},
		{"part of the longest", long[:len(long)-1], io.ErrUnexpectedEOF},
		{"longer than the longest", packet(typeName, make([]byte, maxPacket)), errMalformed},
		{"far too long", []byte("\xff\xff\xff\xffnonsense"), errMalformed},
		{"text", []byte("Welcome!\n"), errMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"at once":            bytes.NewReader(test.bytes),
				"byte by byte":       iotest.OneByteReader(bytes.NewReader(test.bytes)),
				"by halves":          iotest.HalfReader(bytes.NewReader(test.bytes)),
				"the error with it":  iotest.DataErrReader(bytes.NewReader(test.bytes)),
				"with a small start": io.MultiReader(bytes.NewReader(test.bytes[:len(test.bytes)/2]), bytes.NewReader(test.bytes[len(test.bytes)/2:])),
			} {
				kind, payload, err := readPacket(bufio.NewReader(r))
				if !errors.Is(err, test.want) || test.want != nil && err == nil {
					t.Errorf("%s: %v, want %v", name, err, test.want)
				}
				if err == nil && (kind != typeName || !bytes.Equal(payload, test.bytes[5:])) {
					t.Errorf("%s: type %d, %d bytes", name, kind, len(payload))
				}
			}
		})
	}
}

func TestReadPacketReportsErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, start := range []string{"", "\x00\x00", "\x00\x00\x00\x09\x68", "\x00\x00\x00\x09\x68abc"} {
		r := io.MultiReader(strings.NewReader(start), iotest.ErrReader(broken))
		if _, _, err := readPacket(bufio.NewReader(r)); !errors.Is(err, broken) {
			t.Errorf("after %q: %v", start, err)
		}
	}
}

func TestParserStopsAtFirstLack(t *testing.T) {
	p := parser{rest: []byte{0, 0, 0, 9, 'x', 'y', 'z', 0, 0, 0, 1}}
	if s := p.string(); s != "" || !errors.Is(p.err, errMalformed) {
		t.Errorf("a string longer than its packet: %q, %v", s, p.err)
	}
	// What is left would do for these.
	if a, b, c := p.uint32(), p.uint64(), p.string(); a != 0 || b != 0 || c != "" || !errors.Is(p.err, errMalformed) {
		t.Errorf("then: %d, %d, %q, %v", a, b, c, p.err)
	}
}

// Whatever a server writes is taken apart into packets of exactly the bytes
// that it wrote, or is an error.
func FuzzReadPacket(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(version("posix-rename@openssh.com", "1"))
	f.Add(append(packet(typeStatus, status(StatusOK, "")), packet(typeHandle, appendString(nil, "h"))...))
	f.Add([]byte("Welcome!\n"))
	f.Add([]byte{0, 0, 0, 0, 0})
	f.Add([]byte{0, 4, 0, 0, typeName})
	f.Fuzz(func(t *testing.T, data []byte) {
		in := bufio.NewReaderSize(iotest.HalfReader(bytes.NewReader(data)), 16)
		var again []byte
		for {
			kind, payload, err := readPacket(in)
			if err != nil {
				if errors.Is(err, io.EOF) != (len(again) == len(data)) {
					t.Errorf("%v after %d of %d bytes", err, len(again), len(data))
				}
				break
			}
			again = append(again, packet(kind, payload)...)
		}
		if !bytes.HasPrefix(data, again) {
			t.Errorf("%q was read as %q", data, again)
		}
	})
}

// The parser never takes more than there is, nor goes on after an error.
func FuzzParser(f *testing.F) {
	f.Add([]byte("i\x00\x00\x00\x01"), "4")
	f.Add([]byte{0, 0, 0, 2, 'h', 'i', 0, 0, 0, 0, 0, 0, 0, 7}, "s8")
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, "s4")
	f.Fuzz(func(t *testing.T, data []byte, values string) {
		p := parser{rest: data}
		var again []byte
		for _, value := range values {
			failed := p.err != nil
			var b []byte
			zero := false
			switch value {
			case '4':
				v := p.uint32()
				b, zero = binary.BigEndian.AppendUint32(nil, v), v == 0
			case '8':
				v := p.uint64()
				b, zero = binary.BigEndian.AppendUint64(nil, v), v == 0
			default:
				v := p.string()
				b, zero = appendString(nil, v), v == ""
			}
			if failed && (p.err == nil || !zero) {
				t.Fatalf("went on after an error: %q", b)
			}
			if p.err == nil {
				again = append(again, b...)
			}
		}
		if p.err == nil && !bytes.Equal(append(again, p.rest...), data) {
			t.Errorf("%q was read as %q, %q", data, again, p.rest)
		}
	})
}
