package config

import (
	"encoding/json"
	"testing"
	"time"
)

func TestParseAge(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"1h": time.Hour, "12h": 12 * time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "36h": 36 * time.Hour, "3650d": maxAge, "87600h": maxAge,
		"90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "1.5d": 36 * time.Hour, "1w": 7 * 24 * time.Hour, "86400": 24 * time.Hour,
		"": 0, "7": 0, "d": 0, "0d": 0, "-1d": 0, "7 d": 0, "59m": 0, "3651d": 0, "99999999d": 0, "4294967296h": 0,
	} {
		got, err := ParseAge(s)
		if time.Duration(got) != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
		if err != nil {
			continue
		}
		data, err := json.Marshal(got)
		var back Age
		if err != nil || json.Unmarshal(data, &back) != nil || back != got {
			t.Errorf("%q: written as %s (%v)", s, data, err)
		}
	}
	var a Age
	if err := json.Unmarshal([]byte(`null`), &a); err != nil || a != 0 {
		t.Errorf("null is %v (%v)", a, err)
	}
	for _, data := range []string{`7`, `"7"`, `{}`, `""`} {
		if err := json.Unmarshal([]byte(data), &a); err == nil {
			t.Errorf("%s is accepted", data)
		}
	}
	if Age(36*time.Hour).String() != "36h" || Age(48*time.Hour).String() != "2d" {
		t.Error("an age is not written as one writes it")
	}
}
