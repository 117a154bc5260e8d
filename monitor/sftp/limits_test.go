package sftp

import (
	"math"
	"testing"
)

func TestMaxWriteFromLimits(t *testing.T) {
	limits := func(packet, write uint64) []byte {
		b := appendUint64(nil, packet)
		b = appendUint64(b, 12345)
		b = appendUint64(b, write)
		return appendUint64(b, 1000)
	}
	for _, test := range []struct {
		name    string
		kind    byte
		payload []byte
		want    int
	}{
		{"OpenSSH's", typeExtendedReply, limits(256<<10, 255<<10), 255 << 10},
		{"great ones", typeExtendedReply, limits(math.MaxUint64, math.MaxUint64), 255 << 10},
		{"short packets", typeExtendedReply, limits(34000, 255<<10), 34000 - 1024},
		{"short writes", typeExtendedReply, limits(256<<10, 1000), 1000},
		{"no packets", typeExtendedReply, limits(1024, 255<<10), MaxWrite},
		{"none", typeExtendedReply, limits(0, 0), MaxWrite},
		{"no limit of writes", typeExtendedReply, limits(256<<10, 0), MaxWrite},
		{"cut off", typeExtendedReply, limits(256<<10, 255<<10)[:23], MaxWrite},
		{"a refusal", typeStatus, status(StatusUnsupported, ""), MaxWrite},
		{"another type", typeAttrs, limits(256<<10, 255<<10), MaxWrite},
	} {
		t.Run(test.name, func(t *testing.T) {
			session(t, func(s *fake) {
				r, _ := s.next()
				if name := r.rest.string(); r.kind != typeExtended || name != extLimits || len(r.rest.rest) > 0 {
					t.Errorf("the first request is %d, %q", r.kind, name)
				}
				s.reply(test.kind, r.id, test.payload)
				serveOK(s)
			}, func(t *testing.T, c *Client) {
				for range 2 {
					if got := c.MaxWrite(); got != test.want {
						t.Errorf("got %d, want %d", got, test.want)
					}
				}
			}, extLimits, "1")
		})
	}
}

func TestStatvfsFigures(t *testing.T) {
	for _, test := range []struct {
		unit, available uint64
		want            uint64
	}{
		{4096, 1000, 4096000},
		{0, 1000, 0},
		{4096, 0, 0},
		{1 << 32, 1 << 31, 1 << 63},
		{1 << 32, 1 << 32, math.MaxUint64},
	} {
		session(t, func(s *fake) {
			r, _ := s.next()
			var b []byte
			for i := range uint64(11) {
				b = appendUint64(b, 100+i)
			}
			copy(b[8:], appendUint64(nil, test.unit))
			copy(b[32:], appendUint64(nil, test.available))
			s.reply(typeExtendedReply, r.id, b)
			serveNothing(s)
		}, func(t *testing.T, c *Client) {
			if f, err := c.Statvfs("x").Wait(); err != nil || f.Available != test.want || f.Flags != 109 {
				t.Errorf("%+v, %v; want %d", f, err, test.want)
			}
		})
	}
}
