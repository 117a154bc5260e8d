package client

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"wsync/daemon/api"
)

func TestVersions(t *testing.T) {
	const differ = " (the daemon is version v1, this is version v2)"
	for name, test := range map[string]struct {
		daemon, client string
		status         int
		body           string
		want           string
	}{
		"not known to it":     {"v1", "v2", 501, `{"kind":"unknown","message":"m"}`, "m" + differ},
		"an option, perhaps":  {"v1", "v2", 400, `{"kind":"invalid","message":"m"}`, "m" + differ},
		"known to both":       {"v1", "v2", 409, `{"kind":"exists","message":"m"}`, "m"},
		"the same version":    {"v2", "v2", 501, `{"kind":"unknown","message":"m"}`, "m"},
		"a client without":    {"v1", "", 501, `{"kind":"unknown","message":"m"}`, "m"},
		"a daemon without":    {"", "v2", 404, `{"kind":"not found","message":"no route GET /"}`, "no route GET / (the daemon is of an earlier version, this is version v2)"},
		"no such workspace":   {"", "v2", 404, `{"kind":"not found","message":"m"}`, "m"},
		"an answer of others": {"v1", "v2", 200, `{"revision":"x"}`, "cannot read the daemon's answer: json: cannot unmarshal string into Go struct field Status.revision of type uint64" + differ},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if test.daemon != "" {
				w.Header().Set(api.VersionHeader, test.daemon)
			}
			w.WriteHeader(test.status)
			io.WriteString(w, test.body)
		})
		c.Version = test.client
		_, err := c.Status(t.Context(), "", "", 0)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", name, err, test.want)
		}
		if refused := (*api.Error)(nil); test.status != 200 && !errors.As(err, &refused) {
			t.Errorf("%s: %#v is no refusal", name, err)
		}
	}
}
