package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/config"
)

// followInterval is how often a log that is followed is looked at.
const followInterval = 200 * time.Millisecond

func (c *command) logsCommand() *cli.Command {
	return &cli.Command{
		Name:        "logs",
		Category:    sectionStatus,
		Usage:       "show the log of the daemon or of a workspace",
		ArgsUsage:   "[NAME]",
		Description: "Prints the end of the workspace's log, without NAME of the daemon's; no daemon is needed for it. It is what the\nprograms have to say: what was sent and deleted is in `wsync log`.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on with what is logged from now on"},
			&cli.IntFlag{Name: "lines", Aliases: []string{"n"}, Value: 50, Usage: "begin with the last `LINES` (default 50)"},
			&cli.BoolFlag{Name: "json", Usage: "print the lines as they are, in JSON"},
		},
		Action: c.logs,
	}
}

func (c *command) logs(cCtx *cli.Context) error {
	name, lines := cCtx.Args().First(), cCtx.Int("lines")
	if lines < 0 {
		return &usageError{message: fmt.Sprintf("cannot show a log: --lines is %d: expected 0 or more", lines)}
	}
	settings, err := config.LoadSettings(c.deps.Env)
	if err != nil {
		return err
	}
	path, hint := settings.DaemonLogPath(), "wsync daemon start"
	if name != "" {
		path, hint = settings.WorkspaceLogPath(name), "wsync list"
	}
	file, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return withHint(fmt.Errorf("cannot show a log: there is none yet at %s", path), "%s", hint)
	case err != nil:
		return fmt.Errorf("cannot show a log: %w", err)
	}
	defer func() { file.Close() }() // whichever it is by then
	if err := seekLines(file, lines); err != nil {
		return fmt.Errorf("cannot read %s: %w", path, err)
	}
	show := func(line []byte) {
		if cCtx.Bool("json") {
			c.print(string(line) + "\n")
		} else {
			c.print(logText(line, time.Local) + "\n")
		}
	}
	reader := &lineReader{show: show}
	if err := reader.read(file); err != nil {
		return fmt.Errorf("cannot read %s: %w", path, err)
	}
	if !cCtx.Bool("follow") {
		reader.end()
		return nil
	}
	file, err = followLog(cCtx.Context, path, file, reader)
	if err != nil {
		return fmt.Errorf("cannot follow %s: %w", path, err)
	}
	return nil
}

// followLog shows what is appended to file until ctx is done. When path has
// become another file, it is read from its beginning. followLog returns the
// file that is open in the end.
func followLog(ctx context.Context, path string, file *os.File, reader *lineReader) (*os.File, error) {
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return file, nil // the user has seen enough
		case <-ticker.C:
		}
		// Looked at before reading: what was written to the old file before it
		// was replaced is read from it then.
		now, statErr := os.Stat(path)
		if err := reader.read(file); err != nil {
			return file, err
		}
		if statErr != nil {
			continue // between two files
		}
		opened, err := file.Stat()
		if err != nil {
			return file, err
		}
		offset, err := file.Seek(0, io.SeekCurrent)
		if err != nil {
			return file, err
		}
		switch {
		case !os.SameFile(now, opened):
			next, err := os.Open(path)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return file, err
			}
			reader.end()
			file.Close()
			file = next
		case opened.Size() < offset: // truncated
			reader.end()
			if _, err := file.Seek(0, io.SeekStart); err != nil {
				return file, err
			}
		}
	}
}

// lineReader cuts what it reads into lines, over many reads.
type lineReader struct {
	show    func(line []byte)
	partial []byte // a line whose end is not written yet
}

// read shows all whole lines of what is left in r.
func (l *lineReader) read(r io.Reader) error {
	buffered := bufio.NewReader(r)
	for {
		part, err := buffered.ReadBytes('\n')
		l.partial = append(l.partial, part...)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		l.end()
	}
}

// end shows the last line although its end may be missing.
func (l *lineReader) end() {
	if line := bytes.TrimSuffix(l.partial, []byte("\n")); len(line) > 0 {
		l.show(line)
	}
	l.partial = l.partial[:0]
}

// seekLines moves to where the last lines of a file begin.
func seekLines(file io.ReadSeeker, lines int) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil || lines == 0 {
		return err
	}
	block := make([]byte, 64<<10)
	for end > 0 {
		begin := max(end-int64(len(block)), 0)
		part := block[:end-begin]
		if _, err := file.Seek(begin, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.ReadFull(file, part); err != nil {
			return err
		}
		for i := len(part) - 1; i >= 0; i-- {
			// The newline before a line is what counts, so one more is needed
			// than the one that ends the file.
			if part[i] != '\n' {
				continue
			}
			if lines--; lines < 0 {
				_, err := file.Seek(begin+int64(i)+1, io.SeekStart)
				return err
			}
		}
		end = begin
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}
