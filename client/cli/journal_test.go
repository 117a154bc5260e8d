package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestJournalConsole(t *testing.T) {
	var out bytes.Buffer
	text := `{"level":"info","ts":"2026-05-06T12:00:00Z","logger":"daemon","msg":"Daemon started","pid":12}
{"level":"warn","ts":"2026-05-06T12:00:00Z","msg":"Request failed","error":"no <1>"}
{"level":"error","ts":"2026-05-06T12:00:00Z","msg":"x","stacktrace":"a\nb"}
{"level":"debug","msg":"y"}
no line of a log
`
	const want = `<6>Daemon started logger=daemon pid=12
<4>Request failed error="no <1>"
<3>x
<3>a
<3>b
<7>y
<6>no line of a log
`
	if n, err := (journalConsole{&out}).Write([]byte(text)); n != len(text) || err != nil || out.String() != want {
		t.Errorf("%d, %v:\n%s", n, err, out.String())
	}
}

// TestIsJournal: what counts is the output, not the variable alone, which any child
// inherits.
func TestIsJournal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	stream := fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
	if !isJournal(file, stream) {
		t.Error("the journal is not found")
	}
	if isJournal(file, "") || isJournal(file, stream+"1") || isJournal(os.Stderr, stream) || isJournal(new(bytes.Buffer), stream) {
		t.Error("something else is taken for the journal")
	}
}
