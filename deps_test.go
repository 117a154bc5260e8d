package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsync/monitor/relpath"
)

// An importRule says which packages of this module a package may import.
type importRule struct {
	pkg  string // relative to the module
	may  string // separated by spaces; "monitor/*" is any below monitor
	why  string
	leaf bool // beside the standard library it may import golang.org/x only
}

// importRules make data flow one way, from the command line to rsync, so that
// each package can be understood with only those right of it in mind.
var importRules = []importRule{
	{pkg: "", may: "client/cli daemon monitor monitor/doctor",
		why: "main wires the programs that the binary is, and nothing else"},
	{pkg: "client/cli", may: "client client/live client/screen client/service client/web daemon/api monitor/report monitor/exclude monitor/exclude/gitignore config",
		why: "the command line asks the daemon for everything, by the client; only which rules ignore what, it says itself"},
	{pkg: "client/service", may: "", leaf: true,
		why: "a service manager is told of a program, and need not know what that does"},
	{pkg: "client", may: "daemon/api monitor/report config",
		why: "the client knows the API's language, and nothing of who answers"},
	{pkg: "client/live", may: "client daemon/api",
		why: "what views show has been worded by others, and how it is shown is theirs"},
	{pkg: "client/web", may: "client/live daemon/api",
		why: "it shows what it is told, and asks whom it is given"},
	{pkg: "client/screen", may: "client/live daemon/api",
		why: "it shows what it is told, and asks whom it is given"},
	{pkg: "daemon", may: "daemon/api watchdog daemon/metrics monitor/report monitor/journal monitor/exclude config config/logfile config/filesystem",
		why: "the daemon speaks with monitors as processes, not as packages; patterns it only reads"},
	{pkg: "daemon/api", may: "monitor/report config", leaf: true,
		why: "both ends share it, so that what it needs, both need"},
	{pkg: "daemon/metrics", may: "daemon/api monitor/report config", leaf: true,
		why: "it writes what it is given"},
	{pkg: "watchdog", may: "monitor/report config",
		why: "it supervises whatever speaks a monitor's language"},
	{pkg: "monitor", may: "monitor/* config config/logfile config/filesystem",
		why: "a monitor must run and be tested without a daemon"},
	{pkg: "monitor/report", may: "config", leaf: true,
		why: "both ends share it, so that what it needs, both need"},
	{pkg: "monitor/journal", may: "monitor/report", leaf: true,
		why: "monitors and the daemon write and read it, and it knows neither"},
	{pkg: "monitor/requests", may: "", leaf: true,
		why: "it keeps what to do, whatever that is"},
	{pkg: "monitor/relpath", may: "", leaf: true,
		why: "everything depends on it"},
	{pkg: "monitor/mounts", may: "monitor/relpath config config/filesystem",
		why: "it compares and remembers, and knows nothing of who sends"},
	{pkg: "monitor/transfer", may: "monitor/direct monitor/dirty monitor/exclude monitor/guard monitor/links monitor/marks monitor/mounts monitor/relay " +
		"monitor/relpath monitor/remote monitor/remotefs monitor/report monitor/rsync monitor/ssh monitor/walk monitor/watch config",
		why: "it carries out orders, and knows nothing of who gives them"},
	{pkg: "monitor/doctor", may: "monitor/direct monitor/exclude monitor/guard monitor/links monitor/relpath monitor/remotefs monitor/report monitor/rsync monitor/ssh monitor/transfer monitor/walk " +
		"config config/filesystem",
		why: "it looks at what the others do, and nobody needs it for that"},
	{pkg: "monitor/remote", may: "monitor/dirty monitor/exclude monitor/guard monitor/relpath monitor/report monitor/watch config", leaf: true,
		why: "what is due follows from what it is told, and from nothing that it looks at"},
	{pkg: "monitor/worker", may: "monitor/dirty monitor/exclude monitor/guard monitor/hook monitor/mounts monitor/remote monitor/report monitor/rsync monitor/watch config",
		why: "it has orders carried out, by whoever does"},
	{pkg: "monitor/hook", may: "monitor/child monitor/relpath monitor/report monitor/ssh config",
		why: "it runs commands, and nobody who sends waits for it"},
	{pkg: "monitor/dirty", may: "monitor/relpath monitor/watch", leaf: true,
		why: "what may differ has nothing to do with who sends it"},
	{pkg: "monitor/marks", may: "monitor/remote monitor/rsync monitor/sftp monitor/ssh config",
		why: "whose a destination is has nothing to do with what is sent"},
	{pkg: "monitor/links", may: "monitor/relpath monitor/walk",
		why: "names of files are about the workspace alone"},
	{pkg: "monitor/beneath", may: "", leaf: true,
		why: "it opens files, whoever asks"},
	{pkg: "monitor/walk", may: "monitor/relpath monitor/sparse", leaf: true,
		why: "it looks at files, whoever asks"},
	{pkg: "monitor/watch", may: "", leaf: true,
		why: "it is what all who are told of changes know, and does nothing itself"},
	{pkg: "monitor/watch/directory", may: "monitor/relpath config/filesystem", leaf: true,
		why: "the backends share it, so that it knows none of them"},
	{pkg: "monitor/watch/inotify", may: "monitor/relpath monitor/watch monitor/watch/directory", leaf: true,
		why: "watching knows nothing of what the changes are for"},
	{pkg: "monitor/watch/notify", may: "monitor/relpath monitor/watch monitor/watch/directory",
		why: "watching knows nothing of what the changes are for"},
	{pkg: "monitor/watch/backend", may: "monitor/watch monitor/watch/inotify monitor/watch/notify",
		why: "it chooses, and nothing else"},
	{pkg: "monitor/watch/watchtest", may: "monitor/relpath monitor/remotetest monitor/watch", leaf: true,
		why: "it tests the backends, and must know none of them"},
	{pkg: "monitor/remotetest", may: "", leaf: true,
		why: "it makes remotes for tests of any package, so that it must depend on none"},
	{pkg: "monitor/simulation", may: "", leaf: true,
		why: "all of it is in tests"},
	{pkg: "monitor/bench", may: "monitor/remotetest",
		why: "it measures the finished program, beside others"},
	{pkg: "monitor/exclude/gitignore", may: "", leaf: true,
		why: "what git ignores has nothing to do with what is mirrored"},
	{pkg: "monitor/rsync", may: "monitor/child monitor/dirty monitor/exclude monitor/relpath monitor/remotefs monitor/sparse monitor/watch config", leaf: true,
		why: "it speaks rsync's language, and knows nothing of when"},
	{pkg: "monitor/direct", may: "monitor/beneath monitor/dirty monitor/relpath monitor/remotefs monitor/sftp monitor/sparse monitor/watch config", leaf: true,
		why: "small changes have nothing to do with rsync"},
	{pkg: "monitor/guard", may: "monitor/exclude config", leaf: true,
		why: "whoever deletes asks it, and it asks nobody"},
	{pkg: "monitor/exclude", may: "monitor/exclude/gitignore monitor/relpath monitor/watch config", leaf: true,
		why: "all that look at a tree ask it"},
	{pkg: "monitor/ssh", may: "monitor/child monitor/sftp config",
		why: "a connection knows nothing of what it is used for"},
	{pkg: "monitor/child", may: "",
		why: "it starts processes, whichever"},
	{pkg: "monitor/relay", may: "", leaf: true,
		why: "it passes bytes on, whichever"},
	{pkg: "monitor/remotefs", may: "", leaf: true,
		why: "what a file system can hold is a matter of tables"},
	{pkg: "monitor/sftp", may: "", leaf: true,
		why: "it is a protocol"},
	{pkg: "monitor/sparse", may: "", leaf: true,
		why: "it looks at a file"},
	{pkg: "config", may: "", leaf: true,
		why: "everything depends on it"},
	{pkg: "config/filesystem", may: "", leaf: true,
		why: "it tells of the system, whoever asks"},
	{pkg: "config/logfile", may: "",
		why: "a log knows nothing of what it is about"},
}

// forbiddenDeps must not be reached at all, also not by a detour.
var forbiddenDeps = []struct{ pkg, dep, why string }{
	{"client", "daemon", "the client is for programs that only want to ask"},
	{"client", "watchdog", "the client is for programs that only want to ask"},
	{"client", "monitor", "the client is for programs that only want to ask"},
	{"client/cli", "daemon", "commands must not do what only the daemon may"},
	{"client/cli", "watchdog", "commands must not do what only the daemon may"},
	{"client/cli", "monitor", "commands must not do what only the daemon may"},
	{"daemon", "monitor", "a panic or a leak of a monitor must not be the daemon's"},
	{"watchdog", "monitor", "a panic or a leak of a monitor must not be the daemon's"},
	{"", "monitor/remotetest", "it is for tests"},
	{"monitor", "monitor/remotetest", "it is for tests"},
	{"monitor", "monitor/watch/watchtest", "it is for tests"},
	{"monitor/dirty", "monitor/watch/backend", "what a change is must not bring along who watches"},
	{"monitor/remote", "monitor/transfer", "what is to be done is decided without doing anything"},
}

// listedPackage is what `go list -json` says of a package.
type listedPackage struct {
	ImportPath, Name, Doc string
	Imports               []string
	Deps                  []string
	Error                 *struct{ Err string }
}

const module = "wsync"

// listPackages returns the packages of this module by their path within it.
func listPackages(t *testing.T) map[string]*listedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Doc,Imports,Deps,Error", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	packages := make(map[string]*listedPackage)
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(listedPackage)
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Error != nil {
			t.Errorf("package %s: %s", p.ImportPath, p.Error.Err)
		}
		packages[within(p.ImportPath)] = p
	}
}

// within returns a package's path within this module; those of others stay.
func within(importPath string) string {
	if importPath == module {
		return ""
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func isOurs(importPath string) bool {
	return relpath.Within(importPath, module)
}

// isGo tells what the makers of Go provide: the standard library, by its first
// path element, which is no host's name, and golang.org/x.
func isGo(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".") || strings.HasPrefix(importPath, "golang.org/x/")
}

// ruleFor returns the rule of a package, nil if there is none.
func ruleFor(pkg string) *importRule {
	for i, rule := range importRules {
		if rule.pkg == pkg || matches(rule.pkg, pkg) {
			return &importRules[i]
		}
	}
	return nil
}

// matches reports whether pattern is "x/*" and pkg below x.
func matches(pattern, pkg string) bool {
	parent, ok := strings.CutSuffix(pattern, "*")
	return ok && strings.HasPrefix(pkg, parent)
}

func TestImports(t *testing.T) {
	packages := listPackages(t)
	for path, p := range packages {
		rule := ruleFor(path)
		if rule == nil {
			t.Errorf("no rule says what package %q may import: add one to importRules", path)
			continue
		}
		allowed := func(pkg string) bool {
			return slices.ContainsFunc(strings.Fields(rule.may), func(may string) bool {
				return may == pkg || matches(may, pkg)
			})
		}
		for _, imported := range p.Imports {
			switch {
			case isOurs(imported) && !allowed(within(imported)):
				t.Errorf("%q imports %q, but may import only %q: %s", path, within(imported), rule.may, rule.why)
			case rule.leaf && !isOurs(imported) && !isGo(imported):
				t.Errorf("%q imports %q, but is a leaf: %s", path, imported, rule.why)
			}
		}
	}
	for _, rule := range importRules {
		if !strings.HasSuffix(rule.pkg, "*") && packages[rule.pkg] == nil {
			t.Errorf("a rule is about package %q, which does not exist", rule.pkg)
		}
	}
	for _, forbidden := range forbiddenDeps {
		p := packages[forbidden.pkg]
		if p != nil && slices.Contains(p.Deps, module+"/"+forbidden.dep) {
			t.Errorf("%q depends on %q: %s", forbidden.pkg, forbidden.dep, forbidden.why)
		}
	}
}

// The account of a remote is a machine: given the same, it decides the same. So
// there is nothing in it that looks at anything, or waits for it.
func TestTheAccountIsPure(t *testing.T) {
	may := strings.Fields("cmp context errors fmt iter maps math math/rand/v2 slices strconv strings time")
	for _, imported := range listPackages(t)["monitor/remote"].Imports {
		if !isOurs(imported) && !slices.Contains(may, imported) {
			t.Errorf("monitor/remote imports %q", imported)
		}
	}
	for _, file := range sources(t, "monitor/remote") {
		for i, line := range strings.Split(file.text, "\n") {
			for _, impure := range []string{"time.Now(", "time.Since(", "time.After", "time.Sleep(", "\tgo ", "rand.Int", "rand.N("} {
				if strings.Contains(line, impure) {
					t.Errorf("%s:%d: %q", file.name, i+1, impure)
				}
			}
		}
	}
}

// source is the text of a Go file that is no test.
type source struct{ name, text string }

func sources(t *testing.T, dir string) (all []source) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, source{name, string(text)})
	}
	return all
}

func TestPackagesHaveDocComments(t *testing.T) {
	for path, p := range listPackages(t) {
		name := path[strings.LastIndex(path, "/")+1:]
		want := "Package " + name + " "
		if p.Name == "main" && name != "" {
			want = strings.ToUpper(name[:1]) + name[1:] + " " // a command, by its name
		}
		switch {
		case p.Doc == "":
			t.Errorf("package %q has no doc comment", path)
		case path != "" && !strings.HasPrefix(p.Doc, want):
			t.Errorf("the doc comment of package %q does not begin with %q", path, want)
		}
	}
}

// main.go wires; whatever needs more lines than that has a room of its own.
func TestMainIsShort(t *testing.T) {
	content, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(content, []byte("\n")); lines >= 60 {
		t.Errorf("main.go has %d lines", lines)
	}
}
