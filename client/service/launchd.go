package service

import (
	"context"
	"encoding/xml"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// agentLabel is what launchd calls the service.
const agentLabel = "wsync.daemon"

// Agent is the daemon as an agent of launchd, which begins at the login.
func Agent(o Options) string {
	var b strings.Builder
	line := func(indent int, format string, a ...any) {
		fmt.Fprintf(&b, strings.Repeat("\t", indent)+format+"\n", a...)
	}
	pair := func(key, value string) {
		line(1, "<key>%s</key>", key)
		line(1, "%s", value)
	}
	text := func(s string) string { return "<string>" + escaped(s) + "</string>" }
	line(0, `<?xml version="1.0" encoding="UTF-8"?>`)
	line(0, `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`)
	line(0, "<!-- wsync's daemon. `wsync service install` writes this file anew. -->")
	line(0, `<plist version="1.0">`)
	line(0, "<dict>")
	pair("Label", text(agentLabel))
	line(1, "<key>ProgramArguments</key>")
	line(1, "<array>")
	// It logs to a file of its own, so that what else it prints is all that is to be kept.
	for _, word := range []string{o.Executable, "daemon", "run", "--background"} {
		line(2, "%s", text(word))
	}
	line(1, "</array>")
	if len(o.Environment) > 0 {
		line(1, "<key>EnvironmentVariables</key>")
		line(1, "<dict>")
		for _, variable := range o.Environment {
			name, value, _ := strings.Cut(variable, "=")
			line(2, "<key>%s</key>", escaped(name))
			line(2, "%s", text(value))
		}
		line(1, "</dict>")
	}
	pair("RunAtLoad", "<true/>")
	line(1, "<!-- It is started again unless it was stopped. -->")
	line(1, "<key>KeepAlive</key>")
	line(1, "<dict>")
	line(2, "<key>SuccessfulExit</key>")
	line(2, "<false/>")
	line(1, "</dict>")
	pair("ExitTimeOut", "<integer>30</integer>")
	line(1, "<!-- Not throttled: a change is to arrive within milliseconds. -->")
	pair("ProcessType", text("Interactive"))
	pair("WorkingDirectory", text("/"))
	pair("StandardOutPath", text(o.Log))
	pair("StandardErrorPath", text(o.Log))
	line(0, "</dict>")
	line(0, "</plist>")
	return b.String()
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes all
	return b.String()
}

// launchd is the manager by that name.
type launchd struct{ host Host }

func (launchd) kind() string                { return "launchd" }
func (launchd) definition(o Options) string { return Agent(o) }
func (launchd) marks(s *Service) []string   { return []string{s.File} }

// domain is where the user's agents are.
func (m launchd) domain() string { return fmt.Sprintf("gui/%d", m.host.UID) }

func (m launchd) target(s *Service) string { return m.domain() + "/" + s.Name }

// load has nothing to do: launchd reads what is in the directory at the next login.
func (launchd) load(context.Context, *Service) error { return nil }

func (m launchd) unload(ctx context.Context, s *Service) error {
	if _, loaded := m.look(ctx, s); !loaded {
		return nil
	}
	_, err := m.host.Run(ctx, "launchctl", "bootout", m.target(s))
	return err
}

func (launchd) forget(context.Context, *Service) error { return nil }

// start loads it, by which it begins, or has one begin that was stopped.
func (m launchd) start(ctx context.Context, s *Service) error {
	if _, loaded := m.look(ctx, s); !loaded {
		_, err := m.host.Run(ctx, "launchctl", "bootstrap", m.domain(), s.File)
		return err
	}
	_, err := m.host.Run(ctx, "launchctl", "kickstart", m.target(s))
	return err
}

// restart reads its file anew.
func (m launchd) restart(ctx context.Context, s *Service) error {
	if err := m.unload(ctx, s); err != nil {
		return err
	}
	return m.start(ctx, s)
}

// look returns what launchd has to say of it; loaded is false if it does not know it.
func (m launchd) look(ctx context.Context, s *Service) (printed string, loaded bool) {
	printed, err := m.host.Run(ctx, "launchctl", "print", m.target(s))
	return printed, err == nil
}

func (m launchd) state(ctx context.Context, s *Service) (State, error) {
	printed, loaded := m.look(ctx, s)
	if !loaded {
		return State{Enabled: true, Active: "not loaded"}, nil
	}
	return agentState(printed, s.File), nil
}

// agentField is a line of what launchctl prints of an agent itself.
var agentField = regexp.MustCompile(`(?m)^\t(state|pid|last exit code) = (.*)$`)

// agentState reads what launchctl prints.
func agentState(printed, file string) State {
	state := State{Enabled: true, Active: "inactive", File: file}
	for _, m := range agentField.FindAllStringSubmatch(printed, -1) {
		switch key, value := m[1], m[2]; {
		case key == "state" && value == "running":
			state.Active = "active"
		case key == "pid":
			state.PID, _ = strconv.Atoi(value)
		case key == "last exit code" && value != "0" && !strings.HasPrefix(value, "("): // (never exited)
			state.Why = "exit status " + value
		}
	}
	if state.PID != 0 {
		state.Why = ""
	}
	return state
}

func (m launchd) command(s *Service, verb string) string {
	if verb == "restart" {
		return "launchctl kickstart -k " + m.target(s)
	}
	return "launchctl kickstart " + m.target(s)
}

func (launchd) logCommand(*Service) string { return "wsync logs" }

func (launchd) lastWords(context.Context, *Service) string { return "" }
