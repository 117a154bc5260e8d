package config

import (
	"testing"
	"time"
	_ "time/tzdata" // which the machine may not have
)

func TestParseWindow(t *testing.T) {
	for s, want := range map[string]Window{
		"off":                                  "",
		"22:00-06:00":                          "22:00-06:00",
		"0:00-24:00":                           "00:00-24:00",
		"22:00-6:30,12:00-13:00":               "22:00-06:30, 12:00-13:00",
		"Mon-Fri 22:00-06:00, sat 00:00-24:00": "mon-fri 22:00-06:00, sat 00:00-24:00",
		"fri-mon 20:00-00:00":                  "fri-mon 20:00-00:00",
	} {
		if got, err := ParseWindow(s); err != nil || got != want {
			t.Errorf("%q: %q, %v, expected %q", s, got, err, want)
		}
	}
	for _, s := range []string{"22-6", "22:00", "22:00-25:00", "22:60-23:00", "10:00-10:00", "24:00-01:00", "mo 10:00-11:00", "mon", "mon tue 10:00-11:00", "10:00-11:00,", "10:5-11:00", "-1:00-02:00"} {
		if got, err := ParseWindow(s); err == nil {
			t.Errorf("%q is read as %q", s, got)
		}
	}
}

// When a window is shut, and until when, by the clock on the wall.
func TestWindow(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const open = ""
	for _, test := range []struct {
		window    Window
		at, until string // 2026-11-29 is a Sunday
	}{
		{"", "2026-11-29 12:00", open},
		{"22:00-06:00", "2026-11-29 21:59", "2026-11-29 22:00"},
		{"22:00-06:00", "2026-11-29 22:00", open},
		{"22:00-06:00", "2026-11-30 05:59", open},
		{"22:00-06:00", "2026-11-30 06:00", "2026-11-30 22:00"},
		{"22:00-06:00, 12:00-13:00", "2026-11-30 06:00", "2026-11-30 12:00"},
		{"00:00-24:00", "2026-11-30 00:00", open},
		{"mon-fri 22:00-06:00", "2026-11-29 23:00", "2026-11-30 22:00"},
		{"mon-fri 22:00-06:00", "2026-11-28 05:00", open}, // since Friday
		{"mon-fri 22:00-06:00", "2026-11-28 06:00", "2026-11-30 22:00"},
		{"sun 10:00-11:00", "2026-11-29 11:00", "2026-12-06 10:00"},
		{"fri-mon 10:00-11:00", "2026-11-30 12:00", "2026-12-04 10:00"},
		// Clocks go forward on 2026-03-29 at 2:00, and back on 2026-10-25 at 3:00.
		{"22:00-06:00", "2026-03-28 12:00", "2026-03-28 22:00"},
		{"22:00-06:00", "2026-03-29 05:59", open},
		{"22:00-06:00", "2026-03-29 06:00", "2026-03-29 22:00"},
		{"22:00-06:00", "2026-10-25 05:59", open},
		{"22:00-06:00", "2026-10-25 06:00", "2026-10-25 22:00"},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", test.at, berlin)
		if err != nil {
			t.Fatal(err)
		}
		until, shut := test.window.Shut(at)
		got := open
		if shut {
			got = until.Format("2006-01-02 15:04")
		}
		if got != test.until {
			t.Errorf("%q at %s is shut until %q, expected %q", test.window, test.at, got, test.until)
		}
	}
}
