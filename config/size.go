package config

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes, in whole KiB. In JSON, as on the command line, it is a string
// such as "500M" or "10G".
type Size int64

const (
	minSize = 1 << 10
	maxSize = 1 << 50
)

// sizeUnits are those of a Size, the largest first.
var sizeUnits = []struct {
	name string
	size int64
}{{"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}}

const expectedSize = "off, or a number of bytes from 1K to 1024T, such as 500M or 10G"

// ParseSize reads a size: a whole number and K, M, G or T, of 1024 bytes, 1024 times that,
// and so on; or "off", which is 0.
func ParseSize(s string) (Size, error) {
	if s == "off" {
		return 0, nil
	}
	for _, unit := range sizeUnits {
		digits, ok := strings.CutSuffix(strings.ToUpper(s), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err == nil && n > 0 && n <= maxSize/unit.size && n*unit.size >= minSize && digits[0] != '+' {
			return Size(n * unit.size), nil
		}
	}
	return 0, fmt.Errorf("expected %s, found %q", expectedSize, s)
}

// String is the size as ParseSize reads it.
func (s Size) String() string {
	if s == 0 {
		return "off"
	}
	for _, unit := range sizeUnits {
		if int64(s)%unit.size == 0 {
			return strconv.FormatInt(int64(s)/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalJSON writes the string.
func (s Size) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalJSON reads the string.
func (s *Size) UnmarshalJSON(data []byte) error { return readText(data, ParseSize, s) }
