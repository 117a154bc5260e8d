package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"wsync/daemon/api"
)

// OtherVersionError is the error of a request to a daemon of another version than the
// client's, where that may be why.
type OtherVersionError struct {
	Err error
	// Daemon is the version of the daemon, "" for one that does not say it, and Client
	// that of the client.
	Daemon, Client string
}

// Error names both versions.
func (e *OtherVersionError) Error() string {
	daemon := "version " + e.Daemon
	if e.Daemon == "" {
		daemon = "of an earlier version"
	}
	return fmt.Sprintf("%v (the daemon is %s, this is version %s)", e.Err, daemon, e.Client)
}

// Unwrap returns the error without the versions.
func (e *OtherVersionError) Unwrap() error { return e.Err }

// ofVersions is err, which a request to a daemon of this version ended with, with both
// versions where they differ and that may be why.
func (c *Client) ofVersions(daemon string, err error) error {
	if err == nil || c.Version == "" || c.Version == daemon || !mayBeOfVersions(daemon, err) {
		return err
	}
	return &OtherVersionError{Err: err, Daemon: daemon, Client: c.Version}
}

// mayBeOfVersions reports whether one of two versions that understand each other would not
// have ended so.
func mayBeOfVersions(daemon string, err error) bool {
	var refused *api.Error
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &refused) && daemon == "":
		// Daemons that did not say their version called it so.
		return refused.Kind == api.NotFound && strings.HasPrefix(refused.Message, "no route ")
	case errors.As(err, &refused):
		return refused.Kind == api.Unknown || refused.Kind == api.Invalid
	}
	return daemon != "" && (errors.As(err, &syntax) || errors.As(err, &mismatch))
}
