package daemon

import (
	"context"
	"net/http"
	"os"
	"slices"

	"go.uber.org/zap"

	"wsync/config"
	"wsync/daemon/api"
)

// reloadable are the keys of the settings that take effect without a restart, each
// with what takes its new value over.
var reloadable = map[string]func(to *config.Settings, from config.Settings){
	"LogLevel":           func(to *config.Settings, from config.Settings) { to.LogLevel = from.LogLevel },
	"FullPassInterval":   func(to *config.Settings, from config.Settings) { to.FullPassInterval = from.FullPassInterval },
	"VerifyInterval":     func(to *config.Settings, from config.Settings) { to.VerifyInterval = from.VerifyInterval },
	"HoldDeletionsShare": func(to *config.Settings, from config.Settings) { to.HoldDeletionsShare = from.HoldDeletionsShare },
	"OnSyncTimeout":      func(to *config.Settings, from config.Settings) { to.OnSyncTimeout = from.OnSyncTimeout },
	"HoldDeletionsCount": func(to *config.Settings, from config.Settings) { to.HoldDeletionsCount = from.HoldDeletionsCount },
}

// reloadAt reads the settings anew at each signal, until ctx is done.
func (d *Daemon) reloadAt(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			_, _ = d.reloadSettings() // which logs what is wrong
		}
	}
}

// reloadRequest handles POST /v1/reload.
func (d *Daemon) reloadRequest(*http.Request) (any, error) {
	reloaded, err := d.reloadSettings()
	if err != nil {
		return nil, &api.Error{Kind: api.Conflict, Message: err.Error() + "; those from before stay"}
	}
	return reloaded, nil
}

// reloadSettings reads the settings anew. When they cannot be read, nothing changes.
func (d *Daemon) reloadSettings() (api.Reloaded, error) {
	settings, err := config.LoadSettings(os.Getenv)
	if err != nil {
		d.log.Error("Cannot reload the settings; those from before stay", zap.Error(err))
		return api.Reloaded{}, err
	}
	return d.reload(settings), nil
}

// reload takes over what it can of new settings, and logs which keys changed and
// which of them need a restart.
func (d *Daemon) reload(settings config.Settings) api.Reloaded {
	var applied []string
	var waiting []string
	d.lock.Do(func() {
		waiting = d.settings.Changed(settings)
		waiting = slices.DeleteFunc(waiting, func(key string) bool {
			take, ok := reloadable[key]
			if ok {
				take(&d.settings, settings)
				applied = append(applied, key)
			}
			return ok
		})
		if len(applied) == 0 {
			return
		}
		for _, e := range d.entries {
			d.apply(e)
		}
	})
	d.logFile.SetLevel(settings.LogLevel)
	d.log.Info("Settings reloaded", zap.Strings("changed", applied))
	if len(waiting) > 0 {
		d.log.Warn("Some settings that changed need a restart: wsync daemon restart", zap.Strings("keys", waiting))
	}
	return api.Reloaded{Applied: applied, NeedRestart: waiting}
}
