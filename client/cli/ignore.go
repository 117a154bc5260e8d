package cli

import (
	"github.com/urfave/cli/v2"

	"wsync/config"
)

// tagFlag is the option for names of files in directories that are left out.
func tagFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "ignore-tagged", Usage: "leave out directories that hold `FILE`, such as CACHEDIR.TAG; repeatable"}
}

// checkIgnores refuses what a request cannot carry unchanged.
func checkIgnores(patterns, tags []string) error {
	for _, pattern := range patterns {
		if err := config.ValidateIgnore(pattern); err != nil {
			return err
		}
	}
	for _, tag := range tags {
		if err := config.ValidateIgnoreTagged(tag); err != nil {
			return err
		}
	}
	return nil
}
