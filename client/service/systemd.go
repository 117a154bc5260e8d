package service

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// unitName is what a user's own unit is called.
	unitName = "wsync.service"
	// journalName is what it is called in the journal.
	journalName = "wsync"
	// systemUnits is where the system's units are that no package has brought.
	systemUnits = "/etc/systemd/system"
	// lingering has a file for each user whose systemd does not end with the last session.
	lingering = "/var/lib/systemd/linger"
)

// systemd is the manager by that name.
type systemd struct{ host Host }

func (systemd) kind() string                { return "systemd" }
func (systemd) definition(o Options) string { return Unit(o) }

// marks are the unit itself, and the links of one that came with a package and is enabled.
func (systemd) marks(s *Service) []string {
	if s.System {
		return []string{s.File, filepath.Join(systemUnits, "multi-user.target.wants", s.Name)}
	}
	return []string{
		s.File, filepath.Join(filepath.Dir(s.File), "default.target.wants", s.Name),
		filepath.Join("/etc/systemd/user/default.target.wants", s.Name),
	}
}

// scope are the words that choose between the user's systemd and the system's.
func scope(s *Service) []string {
	if s.System {
		return nil
	}
	return []string{"--user"}
}

// control runs systemctl.
func (m systemd) control(ctx context.Context, s *Service, args ...string) (string, error) {
	args = append(append(scope(s), "--no-ask-password"), args...)
	return m.host.Run(ctx, "systemctl", args...)
}

func (m systemd) load(ctx context.Context, s *Service) error {
	if _, err := m.control(ctx, s, "daemon-reload"); err != nil {
		return err
	}
	_, err := m.control(ctx, s, "enable", s.Name)
	return err
}

func (m systemd) unload(ctx context.Context, s *Service) error {
	_, err := m.control(ctx, s, "disable", "--now", s.Name)
	return err
}

func (m systemd) forget(ctx context.Context, s *Service) error {
	_, err := m.control(ctx, s, "daemon-reload")
	// One that has failed is on the list until then. It is an error if it has not.
	_, _ = m.control(ctx, s, "reset-failed", s.Name)
	return err
}

func (m systemd) start(ctx context.Context, s *Service) error {
	_, err := m.control(ctx, s, "start", s.Name)
	return err
}

func (m systemd) restart(ctx context.Context, s *Service) error {
	_, err := m.control(ctx, s, "restart", s.Name)
	return err
}

func (m systemd) state(ctx context.Context, s *Service) (State, error) {
	out, err := m.control(ctx, s, "show", "--property="+strings.Join(properties, ","), s.Name)
	if err != nil {
		return State{}, err
	}
	return unitState(out), nil
}

// properties are what a State is made of.
var properties = []string{
	"ActiveState", "SubState", "UnitFileState", "FragmentPath", "MainPID", "Result", "ExecMainCode", "ExecMainStatus",
}

// unitState reads what systemctl says of a unit, KEY=VALUE on each line.
func unitState(shown string) State {
	value := make(map[string]string)
	for line := range strings.Lines(shown) {
		key, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		value[key] = v
	}
	s := State{
		Active:  value["ActiveState"],
		Enabled: strings.HasPrefix(value["UnitFileState"], "enabled"), // or enabled-runtime
		File:    value["FragmentPath"],
	}
	s.PID, _ = strconv.Atoi(value["MainPID"])
	if s.PID == 0 {
		s.Why = unitEnd(value)
	}
	if value["SubState"] == "auto-restart" {
		s.Active += ", to be started again"
	}
	return s
}

// unitEnd says how the daemon of a unit ended, "" if there is nothing to say.
func unitEnd(value map[string]string) string {
	const exited, killed, dumped = "1", "2", "3" // si_code of SIGCHLD
	status := value["ExecMainStatus"]
	switch result := value["Result"]; {
	case result == "watchdog":
		return "it did not say for a minute that it is well"
	case result == "timeout":
		return "it took too long to start or to stop"
	case value["ExecMainCode"] == exited && status != "0":
		return "exit status " + status
	case value["ExecMainCode"] == killed && result != "success", value["ExecMainCode"] == dumped:
		return "killed by signal " + status
	case result != "success":
		return result
	}
	return ""
}

func (systemd) command(s *Service, verb string) string {
	words := append([]string{"systemctl"}, append(scope(s), verb, s.Name)...)
	if s.NeedsRoot() {
		words = append([]string{"sudo"}, words...)
	}
	return strings.Join(words, " ")
}

func (systemd) logCommand(s *Service) string {
	return strings.Join(append([]string{"journalctl"}, append(scope(s), "-u", s.Name)...), " ")
}

func (m systemd) lastWords(ctx context.Context, s *Service) string {
	run, err := m.control(ctx, s, "show", "--property=InvocationID", "--value", s.Name)
	if run = strings.TrimSpace(run); err != nil || run == "" {
		return ""
	}
	out, err := m.host.Run(ctx, "journalctl", append(scope(s), "--quiet", "--no-pager", "--output=cat", "--priority=err", "--lines=1",
		"--identifier="+journalName, "_SYSTEMD_INVOCATION_ID="+run)...)
	if err != nil {
		return "" // not everybody may read it
	}
	return strings.TrimPrefix(strings.TrimSpace(out), "wsync: ")
}

// Lingers tells whether a user's own systemd, with the service, begins when the system starts
// and goes on when nobody is logged in. Where there is no such thing, it is true.
func (s *Service) Lingers() bool {
	return s.System || s.Kind() != "systemd" || s.host.exists(filepath.Join(lingering, s.User))
}

// lingerTime is how long a systemd of the user's own may take to begin.
const lingerTime = 20 * time.Second

// Linger has it so, and returns when the user's systemd can be asked.
func (s *Service) Linger(ctx context.Context) error {
	if s.Lingers() {
		return nil
	}
	if _, err := s.host.Run(ctx, "loginctl", "--no-ask-password", "enable-linger", s.User); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lingerTime)
	defer cancel()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for {
		_, err := s.State(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("your systemd has not begun within %v: %w", lingerTime, err)
		case <-poll.C:
		}
	}
}
