package cli

import (
	"time"

	"github.com/urfave/cli/v2"

	"wsync/config"
)

// durationValue is the value of an option that config.ParseDuration reads;
// urfave/cli's own reads no days, and no number without a unit.
type durationValue time.Duration

// Set implements flag.Value.
func (d *durationValue) Set(text string) error {
	parsed, err := config.ParseDuration(text)
	*d = durationValue(parsed)
	return err
}

// String implements flag.Value.
func (d *durationValue) String() string { return config.FormatDuration(time.Duration(*d)) }

func durationFlag(name string, value time.Duration, usage string) cli.Flag {
	return &cli.GenericFlag{Name: name, Value: (*durationValue)(&value), Usage: usage}
}

// durationOf is the value of an option that durationFlag made.
func durationOf(cCtx *cli.Context, name string) time.Duration {
	return time.Duration(*cCtx.Generic(name).(*durationValue))
}
