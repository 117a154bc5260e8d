package config

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Rate is a number of bytes a second, in whole KiB. In JSON, as on the command line, it is
// a string such as "500K" or "2M".
type Rate int64

const (
	minRate = 10 << 10
	maxRate = 100 << 30
)

// rateUnits are those of a Rate, as rsync has them.
var rateUnits = []struct {
	name string
	size int64
}{{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}}

const expectedRate = "off, or a number of bytes a second from 10K to 100G, such as 500K or 2M"

// ParseRate reads a rate: a whole number and K, M or G, of 1024, 1024² or 1024³ bytes; or
// "off", which is 0.
func ParseRate(s string) (Rate, error) {
	if s == "off" {
		return 0, nil
	}
	for _, unit := range rateUnits {
		digits, ok := strings.CutSuffix(strings.ToUpper(s), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 30)
		if rate := int64(n) * unit.size; err == nil && rate >= minRate && rate <= maxRate {
			return Rate(rate), nil
		}
	}
	return 0, fmt.Errorf("expected %s, found %q", expectedRate, s)
}

// String is the rate as ParseRate reads it.
func (r Rate) String() string {
	if r == 0 {
		return "off"
	}
	for _, unit := range rateUnits {
		if int64(r)%unit.size == 0 {
			return strconv.FormatInt(int64(r)/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(r), 10)
}

// MarshalJSON writes the string.
func (r Rate) MarshalJSON() ([]byte, error) { return json.Marshal(r.String()) }

// UnmarshalJSON reads the string.
func (r *Rate) UnmarshalJSON(data []byte) error { return readText(data, ParseRate, r) }
