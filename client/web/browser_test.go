package web

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"wsync/client/live"
	"wsync/monitor/remotetest"
)

// browser is a headless Chromium, to which commands of its DevTools protocol go by pipes.
type browser struct {
	t       *testing.T
	out     io.Writer
	in      *bufio.Reader
	session string
	id      int
	// events are those that came: requests, exceptions, and what a policy forbids.
	events []string
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	remotetest.Long(t, testing.Short())
	path, err := exec.LookPath("chromium")
	if err != nil {
		// Not every continuous integration can have one: see setup.sh.
		t.Skipf("the page is not tried out, as there is no browser for it: %v", err)
	}
	arguments := []string{"--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe", "--user-data-dir=" + profile(t)}
	if os.Geteuid() == 0 {
		arguments = append(arguments, "--no-sandbox")
	}
	commands, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, append(arguments, "about:blank")...)
	cmd.ExtraFiles = []*os.File{commands, answers} // 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	commands.Close()
	answers.Close()
	b := &browser{t: t, out: out, in: bufio.NewReader(in)}
	t.Cleanup(func() {
		_, _ = out.Write([]byte(`{"id":0,"method":"Browser.close"}` + "\x00")) // and all its processes
		_, _ = io.Copy(io.Discard, b.in)
		cmd.Wait()
		out.Close()
		in.Close()
	})
	in.SetReadDeadline(time.Now().Add(2 * patience))
	var targets struct {
		TargetInfos []struct{ TargetID, Type string }
	}
	b.call("Target.getTargets", nil, &targets)
	for _, target := range targets.TargetInfos {
		var attached struct{ SessionID string }
		if target.Type == "page" && b.session == "" {
			b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
			b.session = attached.SessionID
		}
	}
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// profile is a directory for a browser, some of whose processes may write to it for a moment
// when it has ended.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "wsb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		remotetest.Poll(t, "to remove "+dir, func() bool { return os.RemoveAll(dir) == nil })
	})
	return dir
}

// call carries out a command, and reads what it answers into answer.
func (b *browser) call(method string, parameters map[string]any, answer any) {
	b.t.Helper()
	b.id++
	command := map[string]any{"id": b.id, "method": method}
	if parameters != nil {
		command["params"] = parameters
	}
	if b.session != "" {
		command["sessionId"] = b.session
	}
	data, err := json.Marshal(command)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.out.Write(append(data, 0)); err != nil {
		b.t.Fatalf("the browser does not listen: %v", err)
	}
	for {
		data, err := b.in.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("the browser does not answer %s: %v", method, err)
		}
		var said struct {
			ID            int
			Method        string
			Error, Result json.RawMessage
		}
		if err := json.Unmarshal(data[:len(data)-1], &said); err != nil {
			b.t.Fatal(err)
		}
		switch {
		case said.ID != b.id:
			b.events = append(b.events, string(data[:len(data)-1]))
			continue
		case said.Error != nil:
			b.t.Fatalf("%s: %s", method, said.Error)
		case answer != nil:
			if err := json.Unmarshal(said.Result, answer); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// shows waits until an expression has a value.
func (b *browser) shows(expression, want string) {
	b.t.Helper()
	remotetest.PollFor(b.t, fmt.Sprintf("%s to be %q", expression, want), func() any {
		var got struct{ Result struct{ Value any } }
		b.call("Runtime.evaluate", map[string]any{"expression": "String(" + expression + ")"}, &got)
		return got.Result.Value
	}, func(value any) bool { return value == want })
}

// The page shows in a browser what it is told, as text, and asks nobody else for anything.
func TestInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := serve(t, true)
	b.call("Page.navigate", map[string]any{"url": s.link()}, nil)
	b.shows(`document.querySelectorAll("#rows tr").length`, "1")
	b.shows(`document.querySelector("#rows .state").textContent`, "<b>in sync</b>")
	b.shows(`document.getElementById("summary").textContent`, "all of it")
	b.shows(`(document.querySelector("#rows tr").click(), document.getElementById("control").hidden)`, "false")
	b.shows(`document.getElementById("text").textContent`, "a detail")
	b.shows(`(document.querySelector("[data-action=resume]").click(), 1)`, "1")
	b.shows(`document.getElementById("said").textContent`, "it is done")
	b.shows(`(document.getElementById("held").click(), 1)`, "1")
	b.shows(`document.getElementById("approve").hidden`, "false")
	b.shows(`document.getElementById("text").textContent.includes("and 5 more lines")`, "true")
	b.shows(`(document.getElementById("filter").value = "nothing", document.getElementById("filter").oninput(), document.querySelectorAll("#rows tr").length)`, "0")
	b.shows(`document.getElementById("shown").textContent`, "0 of 1 shown")
	b.shows(`(document.getElementById("filter").value = "", document.getElementById("filter").oninput(), document.querySelectorAll("#rows tr").length)`, "1")
	s.backend.updates <- live.Update{Err: errors.New("the daemon is not running")}
	b.shows(`document.querySelector("#rows .state").textContent`, "was <b>in sync</b>")
	b.shows(`document.title`, "? wsync")
	for _, event := range b.events {
		var e struct {
			Method string
			Params struct{ Request struct{ URL string } }
		}
		if err := json.Unmarshal([]byte(event), &e); err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Method == "Network.requestWillBeSent" && strings.HasPrefix(e.Params.Request.URL, s.address+"/"):
		case e.Method == "Network.requestWillBeSent", e.Method == "Runtime.exceptionThrown", e.Method == "Log.entryAdded":
			t.Error(event)
		}
	}
}
