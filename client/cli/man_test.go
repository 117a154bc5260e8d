package cli

import (
	"bytes"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"wsync/config"
	"wsync/monitor/remotetest"
)

// manual is the manual page of a version.
func manual() string {
	return manPage((&command{}).commands(), "v1.2.3", time.Date(2026, 5, 6, 23, 0, 0, 0, time.UTC))
}

// TestManPage: it has all that there is.
func TestManPage(t *testing.T) {
	text := manual()
	if want := `.TH "WSYNC" "1" "2026\-05\-06" "wsync v1.2.3" "User Commands"` + "\n"; !strings.HasPrefix(text, want) {
		t.Errorf("it begins with %q", strings.SplitN(text, "\n", 2)[0])
	}
	expect := func(what, line string) {
		t.Helper()
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%s is missing: no line is %q", what, line)
		}
	}
	walk((&command{}).commands(), nil, func(path []string, command *cli.Command) {
		name := strings.Join(path, " ")
		switch {
		case command.Hidden && strings.Contains(text, roff(name)):
			t.Errorf("%s is hidden", name)
		case command.Hidden || len(command.Subcommands) > 0:
			return
		}
		expect(name, bold(strings.TrimSpace("wsync "+name+" "+command.ArgsUsage)))
		for _, flag := range visible(command.Flags) {
			value, usage := optionUsage(flag)
			expect(name, bold(strings.TrimSpace(optionNames(flag)+" "+value))+"\n"+sentence(usage))
		}
	})
	for _, key := range config.SettingKeys() {
		expect("a setting", bold(key.Name))
	}
	for _, o := range (config.Remote{}).Options() {
		expect("an option", bold(o.Name))
	}
	for code := exitDone; code <= exitStaysDown; code++ {
		expect("an exit code", bold(strconv.Itoa(code)))
	}
	for _, name := range []string{"DESCRIPTION", "FILES", "ENVIRONMENT", "EXAMPLES", "SEE ALSO", "GUARDS"} {
		if section := regexp.MustCompile(`\n\.SH "` + name + `"\n\.?[^.]`); !section.MatchString(text) {
			t.Errorf("%s is empty", name)
		}
	}
	for _, name := range topicNames() {
		if !strings.Contains(text, roff(name)) {
			t.Errorf("the topic %s is missing", name)
		}
	}
	if code, stdout, stderr := wsync(t, home(t), "help", "--man"); code != 0 || !strings.Contains(stdout, `"wsync test"`) || stderr != "" {
		t.Errorf("wsync help --man: exit code %d, stderr %q", code, stderr)
	}
}

func TestPageText(t *testing.T) {
	for text, want := range map[string]string{
		"One\ntwo `wsync x`.\n\n.hidden":                ".PP\nOne two \\fBwsync x\\fR.\n.PP\n\\&.hidden\n",
		"  a -b  first\n        second\n  a 'c'  third": ".TP\n\\fBa \\-b\\fR\nfirst second\n.TP\n\\fBa \\(aqc\\(aq\\fR\nthird\n",
		"Do:\n  x ~ \\y\n  .z":                          ".PP\nDo:\n.PP\n.RS\n.EX\nx \\(ti \\ey\n\\&.z\n.EE\n.RE\n",
	} {
		p := &page{}
		p.text(text)
		if p.String() != want {
			t.Errorf("%q becomes\n%swant\n%s", text, p.String(), want)
		}
	}
}

// TestManPageIsWellFormed: groff has nothing to warn of.
func TestManPageIsWellFormed(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		remotetest.Skip(t, "there is no groff")
	}
	cmd := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z")
	cmd.Stdin = strings.NewReader(manual())
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil || said.Len() > 0 {
		t.Errorf("groff: %v\n%s", err, &said)
	}
}
