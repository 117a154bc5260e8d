package report

import "testing"

func TestStanding(t *testing.T) {
	tests := []struct {
		status RemoteStatus
		want   string
	}{
		{RemoteStatus{State: Failed, Held: &Held{}}, "failed"},
		{RemoteStatus{State: Halted}, "halted"},
		{RemoteStatus{State: Halted, Held: &Held{}}, "held"},
		{RemoteStatus{State: Paused, Held: &Held{}}, "held"},
		{RemoteStatus{State: Unknown}, "unknown"},
		{RemoteStatus{State: Retrying}, "failing"},
		{RemoteStatus{State: Syncing, Error: "x: Permission denied"}, "failing"},
		{RemoteStatus{State: Offline, Error: "no route"}, "offline"},
		{RemoteStatus{State: Offline, Error: "Permission denied (publickey)", Attention: true}, "failing"},
		{RemoteStatus{State: Starting}, "behind"},
		{RemoteStatus{State: Pending}, "behind"},
		{RemoteStatus{State: Syncing}, "behind"},
		{RemoteStatus{State: "of a newer monitor"}, "behind"},
		{RemoteStatus{State: Paused, Error: "no route"}, "paused"},
		{RemoteStatus{State: InSync, Verified: &Verification{Open: 1}}, "different"},
		{RemoteStatus{State: InSync, Verified: &Verification{Differences: 1}}, "in sync"},
		{RemoteStatus{State: Confirming}, "in sync"},
	}
	for _, test := range tests {
		if got := test.status.Standing().String(); got != test.want {
			t.Errorf("%+v: %s, want %s", test.status, got, test.want)
		}
	}
}
