package transfer

import (
	"path/filepath"
	"testing"
)

func TestSpool(t *testing.T) {
	s := spool{path: filepath.Join(t.TempDir(), "spool")}
	records := [][2]string{{"a", "b\nc"}, {"", ""}, {"\xff", "long"}}
	check(t, s.create())
	check(t, s.write("forgotten", ""))
	check(t, s.close())
	check(t, s.create())
	for i, r := range records {
		if i == 2 {
			check(t, s.close())
			check(t, s.reopen())
		}
		check(t, s.write(r[0], r[1]))
	}
	check(t, s.close())
	for _, want := range records {
		if got, ok, err := s.read(); err != nil || !ok || got != want {
			t.Errorf("%q, %t, %v; want %q", got, ok, err, want)
		}
	}
	for range 2 {
		if got, ok, err := s.read(); err != nil || ok {
			t.Errorf("behind the end: %q, %t, %v", got, ok, err)
		}
	}
	s.remove()
	if err := s.create(); err != nil {
		t.Error(err)
	}
}
