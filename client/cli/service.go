package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/client"
	"wsync/client/service"
	"wsync/config"
)

func (c *command) serviceCommand() *cli.Command {
	system := []cli.Flag{
		&cli.BoolFlag{Name: "system", Usage: "the system's service, which runs from the start of the system on; needs root"},
		&cli.StringFlag{Name: "user", Usage: "with --system, `NAME` is whose daemon it is, such as root (default: yours)"},
	}
	return &cli.Command{
		Name:        "service",
		Category:    sectionDaemon,
		Usage:       "have the system start the daemon, and keep it running",
		Description: "Makes the daemon a service: a unit of systemd, or an agent of launchd on macOS.",
		Subcommands: []*cli.Command{
			{
				Name:  "install",
				Usage: "make the daemon a service, and start it",
				Description: "Makes the daemon a service of your own, which begins with your first login and ends with your last one, and starts it.\n" +
					"A daemon that runs already is stopped before. With --linger systemd keeps your services from the start of the system\n" +
					"on until its end, whether you are logged in or not, as is the case with --system. Again, it brings the service up to\n" +
					"date, after wsync was moved for one. `wsync help services` has more.",
				Flags: append(system[:2:2],
					&cli.BoolFlag{Name: "linger", Usage: "keep your services running while you are not logged in (loginctl enable-linger)"},
					&cli.StringFlag{Name: "executable", Usage: "run the wsync at `PATH` (default: this one)"},
					&cli.BoolFlag{Name: "print", Usage: "print the unit, and change nothing"},
				),
				Action: c.serviceInstall,
			},
			{
				Name:        "uninstall",
				Usage:       "stop the service, and remove it",
				Description: "Stops the service and removes it. Workspaces stay as they are, and `wsync daemon start` mirrors them again.",
				Flags:       system,
				Action:      c.serviceUninstall,
			},
			{
				Name:        "status",
				Usage:       "say how the service is doing",
				Description: "Describes the service. The exit code is 3 if it does not run, and 1 if there is none.",
				Flags:       append(system[:2:2], jsonFlag()),
				Action:      c.serviceStatus,
			},
		},
	}
}

// thisHost is the machine with its services.
func (c *command) thisHost() (service.Host, error) {
	if c.deps.Host != nil {
		return *c.deps.Host, nil
	}
	return service.ThisHost()
}

// installedService is the service of the daemon that this command speaks with, nil if there
// is none. Another home directory than the user's has another daemon, which is no service.
func (c *command) installedService() *service.Service {
	host, err := c.thisHost()
	if err != nil || filepath.Clean(c.deps.Env("HOME")) != filepath.Clean(host.Home) {
		return nil
	}
	if all := host.Installed(); len(all) > 0 {
		return all[0]
	}
	return nil
}

// userName is what a user may be called, or what stands for one in the template of a unit.
var userName = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9_.-]*\$?|%i)$`)

// namedService is the service that the options name.
func (c *command) namedService(cCtx *cli.Context, host service.Host) (*service.Service, error) {
	name := cCtx.String("user")
	switch {
	case !cCtx.Bool("system") && name != "":
		return nil, &usageError{message: "--user goes with --system only"}
	case !cCtx.Bool("system"):
		return host.Own()
	case name == "" && c.deps.Env("SUDO_USER") != "":
		return nil, &usageError{message: "--system: whose daemon is it?", hint: "--user " + c.deps.Env("SUDO_USER") + ", or --user root"}
	case name == "":
		name = host.User
	case !userName.MatchString(name):
		return nil, &usageError{message: fmt.Sprintf("--user %s: expected the name of a user", name)}
	}
	return host.OfSystem(name)
}

// chosenService is the service that the options name or, without any, the one that is
// installed.
func (c *command) chosenService(cCtx *cli.Context, host service.Host) (*service.Service, error) {
	s, err := c.namedService(cCtx, host)
	if err != nil || s.Installed() {
		return s, err
	}
	if installed := c.installedService(); installed != nil && !cCtx.Bool("system") {
		return installed, nil
	}
	err = fmt.Errorf("%s is not installed", s.Name)
	switch {
	case cCtx.Command.Name == "uninstall": // nobody who wants that wants it installed
		return nil, err
	case s.System:
		return nil, withHint(err, "wsync service install --system --user %s", s.User)
	}
	return nil, withHint(err, "wsync service install")
}

func (c *command) serviceInstall(cCtx *cli.Context) error {
	host, err := c.thisHost()
	if err != nil {
		return err
	}
	s, err := c.namedService(cCtx, host)
	if err != nil {
		return err
	}
	if !cCtx.Bool("print") {
		err = c.installable(cCtx.Context, host, s)
	}
	var options service.Options
	if err == nil {
		options, err = c.serviceOptions(s, cCtx.String("executable"))
	}
	if err != nil {
		return fmt.Errorf("cannot install %s: %w", s.Name, err)
	}
	definition := s.Definition(options)
	if cCtx.Bool("print") {
		c.print(definition)
		return nil
	}
	if cCtx.Bool("linger") {
		if err := s.Linger(cCtx.Context); err != nil {
			return withHint(fmt.Errorf("cannot have your services linger: %w", err), "sudo loginctl enable-linger %s", s.User)
		}
	}
	if _, err := s.State(cCtx.Context); err != nil {
		hint := "is systemd what runs here? systemctl status"
		if !s.System {
			hint = "without a login of your own, such as by su, it is there with: sudo loginctl enable-linger " + s.User
		}
		return withHint(fmt.Errorf("cannot install %s: %s cannot be asked: %w", s.Name, s.Kind(), err), "%s", hint)
	}
	changed, err := s.Install(cCtx.Context, definition)
	if err != nil {
		return withHint(fmt.Errorf("cannot install %s: %w", s.Name, err), "%s", rootHint(s))
	}
	return c.startInstalled(cCtx.Context, host, s, changed)
}

// rootHint is a next step for who lacks rights.
func rootHint(s *service.Service) string {
	if s.NeedsRoot() {
		return "the system's services are root's: sudo wsync service ... --system --user " + s.User
	}
	return "wsync service status"
}

// installable says why the service must not be installed, or nil.
func (c *command) installable(ctx context.Context, host service.Host, s *service.Service) error {
	home := c.deps.Env("HOME")
	switch {
	case s.User == "%i":
		return &usageError{message: "--user %i is for --print"}
	case !s.System && filepath.Clean(home) != filepath.Clean(host.Home):
		return withHint(fmt.Errorf("HOME is %s, and the service would have the home directory of %s, %s", home, host.User, host.Home), "sudo -u USER -i, or --system --user USER")
	case !s.System && c.deps.Env("SUDO_USER") != "" && host.UID == 0:
		return withHint(errors.New("with sudo, it would be a service of root's own"), "leave sudo out, or say --system --user %s", c.deps.Env("SUDO_USER"))
	}
	whose, err := host.As(ctx, s.User)
	if err != nil {
		return err
	}
	for _, other := range whose.Installed() {
		switch {
		case other.Name == s.Name:
		case other.System:
			return withHint(fmt.Errorf("%s is installed, and a user has one daemon", other.Name), "sudo wsync service uninstall --system --user %s", s.User)
		default:
			return withHint(fmt.Errorf("%s has %s, and a user has one daemon", s.User, other.File), "wsync service uninstall, as %s", s.User)
		}
	}
	return nil
}

// startInstalled has the service run what is installed now.
func (c *command) startInstalled(ctx context.Context, host service.Host, s *service.Service, changed bool) error {
	c.result("%s is installed: %s", s.Name, s.File)
	settings, err := config.LoadSettings(c.deps.Env)
	if err != nil {
		return err
	}
	state, err := s.State(ctx)
	if err != nil {
		return err
	}
	if s.User == host.User {
		if status, err := c.clientOf(settings).Status(ctx, "", "", 0); err == nil && status.Daemon.PID != state.PID {
			if _, err := stopDaemon(ctx, c.clientOf(settings)); err != nil {
				return fmt.Errorf("cannot stop the daemon that runs already: %w", err)
			}
			c.result("the daemon that ran already is stopped (pid %d)", status.Daemon.PID)
		}
	}
	act := s.Start
	if changed && state.Running() {
		act = s.Restart
	}
	if err := c.startService(ctx, s, settings, act); err != nil {
		return err
	}
	if !s.Lingers() {
		c.note("it ends with your last session, and does not begin before your next login")
		c.hint("to have it always: wsync service install --linger")
	}
	return nil
}

// startService starts the daemon by its service, with act, and says so.
func (c *command) startService(ctx context.Context, s *service.Service, settings config.Settings, act func(context.Context) error) error {
	if err := act(ctx); err != nil {
		return c.serviceFailure(ctx, s, err)
	}
	state, err := s.State(ctx)
	if err != nil {
		return err
	}
	c.result("the daemon is running (pid %d), as the service %s", state.PID, s.Name)
	if status, err := c.clientOf(settings).Status(ctx, "", "", 0); err == nil && status.Daemon.PID == state.PID {
		c.problems(status.Daemon)
	}
	return nil
}

// serviceFailure says why a service has not started.
func (c *command) serviceFailure(ctx context.Context, s *service.Service, err error) error {
	state, stateErr := s.State(ctx)
	if s.NeedsRoot() && (stateErr != nil || state.Why == "") {
		hint := s.StartCommand()
		if state.Running() {
			hint = s.RestartCommand()
		}
		return withHint(fmt.Errorf("cannot start the daemon: it is a service of the system: %w", err), "%s", hint)
	}
	if stateErr == nil && state.Why != "" {
		err = fmt.Errorf("its service %s %s", s.Name, c.serviceEnd(ctx, s, state))
	}
	return withHint(fmt.Errorf("cannot start the daemon: %w", err), "%s", s.LogCommand())
}

// serviceEnd says how a service that does not run stands.
func (c *command) serviceEnd(ctx context.Context, s *service.Service, state service.State) string {
	text := "is " + state.Active
	if state.Active == "failed" {
		text = "has failed"
	}
	if state.Why == "" {
		return text
	}
	text += " (" + state.Why + ")"
	if words := s.LastWords(ctx); words != "" {
		text += ": " + words
	}
	return text
}

// askTime bounds a question about the service by a command that has failed.
const askTime = 5 * time.Second

// underService says of a command that found no daemon that it is a service, how that stands
// and how to start it.
func (c *command) underService(ctx context.Context, err error) error {
	var hinted *hintedError
	if !errors.Is(err, client.ErrNoDaemon) || errors.As(err, &hinted) {
		return err
	}
	s := c.installedService()
	if s == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	state, stateErr := s.State(ctx)
	if stateErr != nil {
		return withHint(fmt.Errorf("%w: its service %s cannot be asked: %w", err, s.Name, stateErr), "%s", s.StartCommand())
	}
	how := "wsync daemon start, or " + s.StartCommand()
	if s.NeedsRoot() {
		how = s.StartCommand()
	}
	return withHint(fmt.Errorf("%w: its service %s %s", err, s.Name, c.serviceEnd(ctx, s, state)), "%s; what it has said: %s", how, s.LogCommand())
}

func (c *command) serviceUninstall(cCtx *cli.Context) error {
	host, err := c.thisHost()
	if err != nil {
		return err
	}
	s, err := c.chosenService(cCtx, host)
	if err != nil {
		return err
	}
	if err := s.Uninstall(cCtx.Context); err != nil {
		return withHint(fmt.Errorf("cannot uninstall %s: %w", s.Name, err), "%s", rootHint(s))
	}
	c.result("%s is uninstalled, and its daemon is stopped", s.Name)
	c.hint("wsync daemon start mirrors on without it")
	if !s.System && s.Lingers() && s.Kind() == "systemd" {
		c.note("other services of yours go on without a login, as before; to end that: loginctl disable-linger")
	}
	return nil
}

// serviceStatus is what there is to say of a service.
type serviceStatus struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	File    string `json:"file"`
	System  bool   `json:"system,omitempty"`
	User    string `json:"user"`
	Enabled bool   `json:"enabled"`
	State   string `json:"state"`
	Why     string `json:"why,omitempty"`
	PID     int    `json:"pid,omitempty"`
	// Lingers: it goes on without a login.
	Lingers bool `json:"lingers"`
	// OtherPID is a daemon that runs, and is not the service's.
	OtherPID int `json:"other_pid,omitempty"`
}

func (c *command) serviceStatus(cCtx *cli.Context) error {
	host, err := c.thisHost()
	if err != nil {
		return err
	}
	s, err := c.chosenService(cCtx, host)
	if err != nil {
		return err
	}
	state, err := s.State(cCtx.Context)
	if err != nil {
		return fmt.Errorf("cannot ask for %s: %w", s.Name, err)
	}
	status := serviceStatus{
		Kind: s.Kind(), Name: s.Name, File: state.File, System: s.System, User: s.User,
		Enabled: state.Enabled, State: state.Active, Why: state.Why, PID: state.PID, Lingers: s.Lingers(),
	}
	if connected, err := c.connect(); err == nil && s.User == host.User {
		if answer, err := connected.Status(cCtx.Context, "", "", 0); err == nil && answer.Daemon.PID != state.PID {
			status.OtherPID = answer.Daemon.PID
		}
	}
	if cCtx.Bool("json") {
		err = c.json(status)
	} else {
		c.serviceText(status, s)
	}
	if err == nil && !state.Running() {
		err = &codedError{code: exitNoDaemon}
	}
	return err
}

// serviceOptions are how the service runs the daemon.
func (c *command) serviceOptions(s *service.Service, executable string) (service.Options, error) {
	o := service.Options{Executable: executable, System: s.System, User: s.User}
	if settings, err := config.LoadSettings(c.deps.Env); err == nil {
		o.Log = settings.DaemonLogPath()
	}
	var err error
	if o.Executable == "" {
		o.Executable, err = ownPath(c.deps.Args[0])
	}
	if err != nil {
		return o, err
	}
	if !filepath.IsAbs(o.Executable) {
		return o, &usageError{message: fmt.Sprintf("--executable is %s: expected an absolute path", o.Executable)}
	}
	if path := c.deps.Env("WSYNC_CONFIG_PATH"); path != "" {
		o.Environment = append(o.Environment, "WSYNC_CONFIG_PATH="+path)
	}
	if !s.System && needsPath(s.Kind()) {
		o.Environment = append(o.Environment, "PATH="+c.deps.Env("PATH"))
	}
	return o, nil
}

// ownPath is where this binary lies: by the name by which the shell has found it, which may
// be a link that stays over upgrades.
func ownPath(called string) (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot find wsync itself: %w", err)
	}
	if strings.Contains(own, string(filepath.Separator)+"go-build") {
		return "", withHint(fmt.Errorf("%s is removed at the end of `go run`", own), "go build -o wsync . && sudo install wsync /usr/local/bin/")
	}
	found, err := exec.LookPath(called)
	if err == nil {
		found, err = filepath.Abs(found)
	}
	if err == nil && sameFile(found, own) {
		return found, nil
	}
	return own, nil
}

func sameFile(a, b string) bool {
	first, errFirst := os.Stat(a)
	second, errSecond := os.Stat(b)
	return errFirst == nil && errSecond == nil && os.SameFile(first, second)
}

// managerPaths are where service managers have programs looked for.
var managerPaths = map[string][]string{
	"systemd": {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"},
	"launchd": {"/usr/bin", "/bin", "/usr/sbin", "/sbin"},
}

// needsPath tells whether the programs that mirror are elsewhere.
func needsPath(kind string) bool {
	for _, program := range []string{"rsync", "ssh"} {
		path, err := exec.LookPath(program)
		if err == nil && !slices.Contains(managerPaths[kind], filepath.Dir(path)) {
			return true
		}
	}
	return false
}
