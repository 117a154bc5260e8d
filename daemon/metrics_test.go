package daemon

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"

	"wsync/daemon/api"
	"wsync/daemon/metrics"
	"wsync/monitor/remotetest"
	"wsync/monitor/report"
)

// TestMetrics: they are on the socket, and cost the log no line.
func TestMetrics(t *testing.T) {
	d := startDaemon(t)
	d.add("docs")
	d.attach("docs", "one")
	d.monitor().send(t, 100, "one", nil)
	d.eventually("docs", "a report", func(s api.WorkspaceStatus) bool { return s.Remotes[0].State == report.InSync })
	before := len(d.logged())
	code, header, body := d.ask("GET", "/metrics", "")
	if code != http.StatusOK || header.Get("Content-Type") != metrics.ContentType {
		t.Errorf("%d, %v", code, header)
	}
	for _, want := range []string{`wsync_remote_state{workspace="docs",remote="one",state="in_sync"} 1`, `wsync_monitor_restarts_total{workspace="docs"} 0`, `wsync_problem{of="log"} 0`} {
		if !strings.Contains(string(body), want+"\n") {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
	if after := len(d.logged()); after != before {
		t.Errorf("%d lines in the log", after-before)
	}
}

// TestMetricsServer serves the metrics and nothing else, and says why it cannot.
func TestMetricsServer(t *testing.T) {
	t.Parallel()
	var none *metricsServer
	none.run(t.Context(), nil)
	if none.address() != "" || none.why() != "" {
		t.Error("there is a server without a setting")
	}
	start := func(address string) (m *metricsServer, end func()) {
		m = &metricsServer{log: zap.NewNop(), wanted: address}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			m.run(ctx, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "metrics") })
		}()
		remotetest.Poll(t, "the server, or why there is none", func() bool { return m.address() != "" || m.why() != "" })
		return m, func() { cancel(); next(t, "the end", ended) }
	}
	m, end := start("127.0.0.1:0")
	get := func(method, path string) string {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+m.address()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return fmt.Sprint(response.StatusCode, " ", strings.TrimSpace(string(body)))
	}
	for request, want := range map[string]string{
		"GET /metrics": "200 metrics", "POST /metrics": "405 Method Not Allowed",
		"GET /v1/status": "404 404 page not found", "POST /v1/stop": "404 404 page not found",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := get(method, path); got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
	second, endSecond := start(m.address())
	if !strings.Contains(second.why(), "address already in use") || second.address() != "" {
		t.Errorf("a second one at %s: %q", second.address(), second.why())
	}
	endSecond()
	end()
	// Somebody else may have that port by now.
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	if response, err := client.Get("http://" + m.address() + "/metrics"); err == nil {
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if string(body) == "metrics" {
			t.Error("it serves after its end")
		}
	}
}
