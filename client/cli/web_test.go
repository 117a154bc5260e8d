package cli

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"wsync/daemon/api"
)

// The link that is printed shows the status, until the command is interrupted.
func TestWeb(t *testing.T) {
	home := home(t)
	serve(t, home, &fakeDaemon{status: api.Status{Revision: 1, Workspaces: somePlaces()}})
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, Deps{
			Args: []string{"wsync", "web"}, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: io.Discard, Version: "test",
			Env: func(name string) string { return map[string]string{"HOME": home}[name] },
		})
	}()
	links := bufio.NewScanner(out)
	if !links.Scan() || !strings.HasPrefix(links.Text(), "http://127.0.0.1:") {
		t.Fatalf("it prints %q", links.Text())
	}
	link := links.Text()
	go io.Copy(io.Discard, out) // the next link
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	page, err := browser.Get(link)
	if err != nil || page.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", page, err)
	}
	page.Body.Close()
	board, err := browser.Get(page.Request.URL.String() + "board")
	if err != nil {
		t.Fatal(err)
	}
	defer board.Body.Close()
	if first, err := bufio.NewReader(board.Body).ReadString('\n'); err != nil || !strings.Contains(first, `"summary":"3 workspaces, 4 remotes: 1 failed, 1 held`) {
		t.Errorf("%.200s, %v", first, err)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestWebRefuses(t *testing.T) {
	if code, _, stderr := wsync(t, home(t), "web"); code != 3 || !strings.Contains(stderr, "the daemon is not running") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	if code, _, stderr := wsync(t, home(t), "web", "--port", "70000"); code != 2 || !strings.Contains(stderr, "expected 1 to 65535") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}
