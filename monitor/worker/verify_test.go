package worker

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"wsync/monitor/remote"
	"wsync/monitor/report"
)

func TestVerifyFile(t *testing.T) {
	stamp := filepath.Join(t.TempDir(), "clean")
	nothing := remote.VerifyState{}
	if got := readVerify(System{}, stamp, "one"); !reflect.DeepEqual(got, nothing) {
		t.Errorf("no file is %v", got)
	}
	want := remote.VerifyState{
		Last: &report.Verification{Files: 3, Found: []report.Difference{{Path: "f", State: report.StateDrift}}},
		Due:  time.Unix(1000, 0).UTC(), Begun: &remote.Begun{Position: remote.Position{Looked: true, After: []byte("a\xff")}},
	}
	check(t, writeVerify(System{}, stamp, "one", want))
	if got := readVerify(System{}, stamp, "one"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := readVerify(System{}, stamp, "two"); !reflect.DeepEqual(got, nothing) {
		t.Errorf("what another remote had there is taken for %v", got)
	}
	check(t, os.WriteFile(verifyPath(stamp), []byte(`{"remote":"one","due":`), 0o600))
	if got := readVerify(System{}, stamp, "one"); !reflect.DeepEqual(got, nothing) {
		t.Errorf("a damaged file is %v", got)
	}
	check(t, writeVerify(System{}, filepath.Join(t.TempDir(), "gone", "clean"), "one", want))
}
