package sftp

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// The status codes of version 3 (draft-ietf-secsh-filexfer-02, section 7).
// OpenSSH's server has few of them for many errors (errno_to_portable of its
// sftp-server.c): StatusNoSuchFile is also for a file in the place of a
// directory, for a closed handle and for a loop of links, so that it does not
// say that there is nothing; StatusBadMessage is also for a name that is too
// long; StatusFailure is for all that has no closer one, such as what exists
// already, is not empty or finds the disk full.
const (
	StatusOK               = 0
	StatusEOF              = 1
	StatusNoSuchFile       = 2
	StatusPermissionDenied = 3
	StatusFailure          = 4
	StatusBadMessage       = 5
	StatusNoConnection     = 6
	StatusConnectionLost   = 7
	StatusUnsupported      = 8
)

// statusNames are for servers that send no message.
var statusNames = map[uint32]string{
	StatusEOF:              "end of file",
	StatusNoSuchFile:       "no such file",
	StatusPermissionDenied: "permission denied",
	StatusFailure:          "failure",
	StatusBadMessage:       "bad message",
	StatusNoConnection:     "no connection",
	StatusConnectionLost:   "connection lost",
	StatusUnsupported:      "operation unsupported",
}

// StatusError is that the server could not carry out a request. For errors.Is
// it is fs.ErrNotExist, fs.ErrPermission, io.EOF or errors.ErrUnsupported where
// it means that. The session goes on after it.
type StatusError struct {
	Code    uint32
	Message string // the server's; may be empty
}

func (e *StatusError) Error() string {
	switch name := statusNames[e.Code]; {
	case e.Message != "":
		return e.Message
	case name != "":
		return name
	}
	return fmt.Sprintf("sftp status %d", e.Code)
}

// Is makes errors.Is work.
func (e *StatusError) Is(target error) bool {
	switch e.Code {
	case StatusNoSuchFile:
		return target == fs.ErrNotExist
	case StatusPermissionDenied:
		return target == fs.ErrPermission
	case StatusEOF:
		return target == io.EOF
	case StatusUnsupported:
		return target == errors.ErrUnsupported
	}
	return false
}

// status reads the payload of a status packet. Old servers leave the message
// out.
func (p *parser) status() error {
	code := p.uint32()
	if p.err != nil {
		return p.err
	}
	if code == StatusOK {
		return nil
	}
	message := ""
	if len(p.rest) > 0 {
		message = p.string()
	}
	return &StatusError{Code: code, Message: message}
}
