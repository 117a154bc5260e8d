//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"wsync/monitor/remotetest"
)

// options are what the flags say.
type options struct {
	scenarios, tools string
	reps             int
	quick            bool
	wsync, compare   string
	json, list       bool
}

// The main goroutine keeps the main thread: children are killed when the
// thread that started them ends, and this one ends last.
func init() { runtime.LockOSThread() }

func main() {
	var o options
	flag.StringVar(&o.scenarios, "scenarios", "", "run only these `names`, separated by commas")
	flag.StringVar(&o.tools, "tools", "wsync,lsyncd,rsync", "measure these `names`, separated by commas")
	flag.IntVar(&o.reps, "reps", 0, "repeat each measurement `N` times instead of what the scenario suggests")
	flag.BoolVar(&o.quick, "quick", false, "fewer repetitions, and no scenario that takes long to prepare")
	flag.StringVar(&o.wsync, "wsync", "", "the `file` of the wsync to measure; without it, this checkout's is built")
	flag.StringVar(&o.compare, "compare", "", "the `file` of another wsync to measure in the same way")
	flag.BoolVar(&o.json, "json", false, "print JSON, with every single measurement")
	flag.BoolVar(&o.list, "list", false, "list the scenarios and tools")
	flag.Parse()

	status := 0
	if err := run(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		status = 1
	}
	os.Exit(status)
}

func run(o options, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	if o.list {
		printChoices(os.Stdout)
		return nil
	}
	if missing := remotetest.Missing(); missing != "" {
		return errors.New(missing)
	}
	scenarios, err := chosenScenarios(o.scenarios, o.quick)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Proxies, and what waits for processes, must not have to wait for the
	// goroutine that polls.
	runtime.GOMAXPROCS(max(4, runtime.NumCPU()))
	// Without this the kernel adds 50 us to each pause between two polls.
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1000, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot make timers exact: %w", err)
	}

	var result *report
	err = onStage(ctx, func(s *stage) {
		if o.wsync == "" {
			o.wsync = buildWsync(s)
		}
		for _, file := range []*string{&o.wsync, &o.compare} {
			if *file != "" {
				s.check(makeAbsolute(file))
			}
		}
		tools, missing, err := chosenTools(o)
		s.check(err)
		result = newReport(s, tools, missing)
		for _, sc := range scenarios {
			reps := sc.reps
			if o.quick {
				reps = sc.quickReps
			}
			if o.reps > 0 {
				reps = o.reps
			}
			if err := sc.measure(ctx, tools, reps, result); err != nil {
				s.Fatalf("%s: %v", sc.name, err)
			}
		}
		result.finish()
	})
	if result != nil {
		// Also what an interrupted run has measured.
		if o.json {
			err = errors.Join(err, result.printJSON(os.Stdout))
		} else {
			result.printTables(os.Stdout)
		}
		err = errors.Join(err, result.lies())
	}
	return err
}

// buildWsync builds the wsync of the checkout that this program belongs to.
func buildWsync(s *stage) string {
	say("building wsync")
	binary := filepath.Join(s.TempDir(), "wsync")
	cmd := exec.CommandContext(s.ctx, "go", "build", "-o", binary, "wsync")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("cannot build wsync: %v\n%s", err, out)
	}
	return binary
}

func makeAbsolute(file *string) error {
	path, err := exec.LookPath(*file)
	if err != nil {
		return fmt.Errorf("cannot use a wsync: %w", err)
	}
	*file, err = filepath.Abs(path)
	return err
}

// chosenScenarios finds scenarios by their names; without names it takes all,
// or all the quick ones.
func chosenScenarios(names string, quick bool) ([]*scenario, error) {
	var chosen []*scenario
	all := scenarios()
	if names == "" {
		for _, sc := range all {
			if !quick || sc.quickReps > 0 {
				chosen = append(chosen, sc)
			}
		}
		return chosen, nil
	}
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(sc *scenario) bool { return sc.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no scenario %q; see -list", name)
		}
		all[i].quickReps = max(all[i].quickReps, 2)
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// say tells whoever waits what is going on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
