package daemon

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	sdnotify "github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"wsync/daemon/api"
	"wsync/watchdog"
)

// tellManager tells a service manager that listens, as systemd does for a unit of
// Type=notify, that the daemon is ready once it answers, from then on that it is well
// as long as it is, and when ctx is done that it ends.
func (d *Daemon) tellManager(ctx context.Context) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return
	}
	tell := func(state string) error {
		_, err := sdnotify.SdNotify(false, state)
		return err
	}
	interval, err := sdnotify.SdWatchdogEnabled(false)
	if err != nil {
		d.log.Error("The service manager's watchdog cannot be told that the daemon is well", zap.Error(err))
	}
	if err = d.checkHealth(ctx); err == nil {
		err = tell(sdnotify.SdNotifyReady)
	}
	if err != nil && ctx.Err() == nil {
		d.log.Error("Cannot tell the service manager that the daemon is ready", zap.Error(err))
	}
	if interval > 0 {
		watchdog.Ping(ctx, d.log, interval, d.checkHealth, func() error { return tell(sdnotify.SdNotifyWatchdog) })
	}
	<-ctx.Done()
	_ = tell(sdnotify.SdNotifyStopping) // it sees the end in any case
}

// getHealth handles GET /v1/health: who asks waits for the state.
func (d *Daemon) getHealth(*http.Request) (any, error) {
	d.lock.Do(func() {})
	return nil, nil
}

// checkHealth asks this daemon for its health, as a client does: by the name of its
// socket, which somebody may have taken away.
func (d *Daemon) checkHealth(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://wsync"+api.HealthPath, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.settings.DaemonCommandSocketPath)
	}}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("unexpected answer: %s", response.Status)
	}
	return nil
}
