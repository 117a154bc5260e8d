package sftp

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"reflect"
	"testing"
	"time"
)

// The layout is the protocol's, field by field.
func TestAttrsLayout(t *testing.T) {
	size, mode := uint64(0x0102030405060708), uint32(0o100644)
	for _, test := range []struct {
		attrs Attrs
		want  string
	}{
		{Attrs{}, "\x00\x00\x00\x00"},
		{Attrs{Size: &size}, "\x00\x00\x00\x01\x01\x02\x03\x04\x05\x06\x07\x08"},
		{Attrs{Owner: &Owner{1, 2}}, "\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02"},
		{Attrs{Mode: &mode}, "\x00\x00\x00\x04\x00\x00\x81\xa4"},
		{Attrs{Times: &Times{3, 4}}, "\x00\x00\x00\x08\x00\x00\x00\x03\x00\x00\x00\x04"},
		{Attrs{&size, &Owner{1, 2}, &mode, &Times{3, 4}}, "\x00\x00\x00\x0f\x01\x02\x03\x04\x05\x06\x07\x08" +
			"\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x81\xa4\x00\x00\x00\x03\x00\x00\x00\x04"},
	} {
		b := test.attrs.append(nil)
		if string(b) != test.want {
			t.Errorf("%+v is %q, want %q", test.attrs, b, test.want)
		}
		p := parser{rest: append(b, "rest"...)}
		if a := p.attrs(); p.err != nil || string(p.rest) != "rest" || !reflect.DeepEqual(a, test.attrs) {
			t.Errorf("%q is %+v, %v", b, a, p.err)
		}
		for n := range b {
			p := parser{rest: b[:n]}
			if p.attrs(); !errors.Is(p.err, errMalformed) {
				t.Errorf("%q: %v", b[:n], p.err)
			}
		}
	}
}

func TestAttrsSkipExtended(t *testing.T) {
	b := appendUint32(nil, attrExtended|attrTimes)
	b = appendUint32(appendUint32(b, 1), 2)
	b = appendUint32(b, 2)
	for _, s := range []string{"one@example.com", "1", "two@example.com", ""} {
		b = appendString(b, s)
	}
	p := parser{rest: append(b, "rest"...)}
	if a := p.attrs(); p.err != nil || string(p.rest) != "rest" || *a.Times != (Times{1, 2}) {
		t.Errorf("%+v, %v, %q is left", a, p.err, p.rest)
	}
	// A count that no packet holds.
	p = parser{rest: appendUint32(appendUint32(nil, attrExtended), math.MaxUint32)}
	if p.attrs(); !errors.Is(p.err, errMalformed) {
		t.Errorf("a great count: %v", p.err)
	}
}

func TestSetMode(t *testing.T) {
	for _, test := range []struct {
		mode    fs.FileMode
		time    time.Time
		bits    uint32
		seconds uint32
	}{
		{0o644, time.Unix(1_700_000_000, 999_999_999), 0o644, 1_700_000_000},
		{0o755 | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky, time.Unix(1, 0), 0o7755, 1},
		{fs.ModeDir | fs.ModeSticky | 0o777, time.Unix(0, 0), 0o1777, 0},
		{0, time.Unix(-1, 0), 0, 0},
		{0, time.Time{}, 0, 0},
		{0, time.Unix(1<<31, 0), 0, 1 << 31},
		{0, time.Unix(1<<32, 0), 0, math.MaxUint32},
	} {
		a := SetMode(test.mode, test.time)
		if *a.Mode != test.bits || *a.Times != (Times{test.seconds, test.seconds}) || a.Size != nil || a.Owner != nil {
			t.Errorf("%v, %v: %o, %v", test.mode, test.time, *a.Mode, *a.Times)
		}
	}
}

// What was read, is written and read in the same way; extended attributes are
// left out.
func FuzzAttrs(f *testing.F) {
	size, mode := uint64(5), uint32(0o100644)
	f.Add(Attrs{}.append(nil))
	f.Add(Attrs{&size, &Owner{1, 2}, &mode, &Times{3, 4}}.append(nil))
	f.Add(Attrs{Owner: &Owner{1, 2}}.append(nil))
	f.Add([]byte("\x80\x00\x00\x08\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01x\x00\x00\x00\x00"))
	f.Add([]byte("\x80\x00\x00\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := parser{rest: data}
		a := p.attrs()
		_, _, _ = a.IsDirectory(), a.IsRegular(), a.IsSymlink()
		if p.err != nil {
			return
		}
		b := a.append(nil)
		again := parser{rest: bytes.Clone(b)}
		if second := again.attrs(); again.err != nil || len(again.rest) > 0 || !reflect.DeepEqual(a, second) {
			t.Errorf("%+v became %+v, %v", a, second, again.err)
		}
		if data[0]&0x80 == 0 && data[0]|data[1]|data[2]|data[3]&0xf0 == 0 && !bytes.HasPrefix(data, b) {
			t.Errorf("%q was written as %q", data, b)
		}
	})
}
