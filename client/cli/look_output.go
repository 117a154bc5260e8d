package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"wsync/daemon/api"
	"wsync/monitor/report"
)

// samples prints some of what would be deleted, and of what would be overwritten.
func (p *printer) samples(w io.Writer, held *report.Held) {
	for _, path := range held.Sample {
		fmt.Fprintln(w, "  "+short(plain(path)))
	}
	if more := held.Count - len(held.Sample); more > 0 && len(held.Sample) > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
	for _, o := range held.Overwrites {
		fmt.Fprintf(w, "  %s: %s\n", short(plain(o.Path)), overwriteText(o))
	}
	if more := held.Overwritten - len(held.Overwrites); more > 0 && len(held.Overwrites) > 0 {
		fmt.Fprintf(w, "  and %d more that would be overwritten\n", more)
	}
}

// overwriteText compares a file of a destination with that of the workspace.
func overwriteText(o report.Overwrite) string {
	newer := ""
	if o.ModTimeThere.Unix() > o.ModTime.Unix() {
		newer = ", newer"
	}
	return fmt.Sprintf("there %s%s; here %s", fileText(o.KindThere, o.SizeThere, o.ModTimeThere), newer, fileText(o.Kind, o.Size, o.ModTime))
}

func fileText(kind string, bytes int64, at time.Time) string {
	what := "a " + kind
	if kind == report.File {
		what = fmt.Sprintf("%d bytes", bytes)
		if bytes == 1 {
			what = "1 byte"
		}
	}
	return what + " of " + at.Local().Format("2006-01-02 15:04:05")
}

// looked prints what a look at a destination has found. The error is that options would
// have to allow it.
func (c *command) looked(found *report.Held, attach api.AttachRemote) error {
	fmt.Fprintf(c.out, "would send %s that DEST lacks, delete %d, and overwrite %s\n",
		entryCount(found.Missing), found.Count, count(found.Overwritten, "file"))
	c.samples(c.out, found)
	var options []string
	if found.Count > 0 && !attach.DeleteExisting {
		options = append(options, "--delete-existing")
	}
	if found.Overwritten > 0 && !attach.OverwriteExisting {
		options = append(options, "--overwrite-existing")
	}
	if len(options) == 0 {
		return nil
	}
	c.hint("attach needs %s", strings.Join(options, " "))
	return &codedError{code: exitHeld}
}

func entryCount(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
