package sftp

import (
	"errors"
	"io"
	"io/fs"
	"testing"
)

func TestStatus(t *testing.T) {
	targets := []error{fs.ErrNotExist, fs.ErrPermission, io.EOF, errors.ErrUnsupported}
	for _, test := range []struct {
		code uint32
		bare string // Error without a message
		is   error
	}{
		{StatusEOF, "end of file", io.EOF},
		{StatusNoSuchFile, "no such file", fs.ErrNotExist},
		{StatusPermissionDenied, "permission denied", fs.ErrPermission},
		{StatusFailure, "failure", nil},
		{StatusBadMessage, "bad message", nil},
		{StatusNoConnection, "no connection", nil},
		{StatusConnectionLost, "connection lost", nil},
		{StatusUnsupported, "operation unsupported", errors.ErrUnsupported},
		{9, "sftp status 9", nil},
		{1 << 31, "sftp status 2147483648", nil},
	} {
		for _, form := range []struct {
			name    string
			payload []byte
			want    string
		}{
			{"with a message", status(test.code, "No way"), "No way"},
			{"with an empty message", status(test.code, ""), test.bare},
			{"without a message", appendUint32(nil, test.code), test.bare},
			{"without a language", appendString(appendUint32(nil, test.code), "No way"), "No way"},
			{"with half a message", appendUint32(appendUint32(nil, test.code), 7), test.bare},
		} {
			p := parser{rest: form.payload}
			err := p.status()
			var status *StatusError
			if !errors.As(err, &status) || status.Code != test.code || err.Error() != form.want {
				t.Errorf("status %d %s: %v", test.code, form.name, err)
			}
			for _, target := range targets {
				if errors.Is(err, target) != (target == test.is) {
					t.Errorf("status %d is %v: %v", test.code, target, errors.Is(err, target))
				}
			}
		}
	}
}

func TestStatusOK(t *testing.T) {
	for _, payload := range [][]byte{status(StatusOK, "Success"), appendUint32(nil, StatusOK)} {
		p := parser{rest: payload}
		if err := p.status(); err != nil {
			t.Errorf("%q: %v", payload, err)
		}
	}
	p := parser{rest: []byte{0, 0, 0}}
	if err := p.status(); !errors.Is(err, errMalformed) {
		t.Errorf("half a code: %v", err)
	}
}

// A refusal is for one request, and what follows goes on.
func TestRefusals(t *testing.T) {
	session(t, func(s *fake) {
		for code := uint32(0); ; code++ {
			r, ok := s.next()
			if !ok {
				return
			}
			s.reply(typeStatus, r.id, status(code, ""))
		}
	}, func(t *testing.T, c *Client) {
		for code := range uint32(20) {
			err := c.Remove("file").Wait()
			var status *StatusError
			if (code == StatusOK) != (err == nil) || err != nil && (!errors.As(err, &status) || status.Code != code) {
				t.Errorf("status %d: %v", code, err)
			}
		}
	})
}
