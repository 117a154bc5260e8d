package remotetest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// helperVariable makes the test binary a process that leashes itself a child,
// prints its number and waits to be killed.
const helperVariable = "REMOTETEST_LEASH"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		leashAndWait()
	}
	Prepare()
	os.Exit(m.Run())
}

func TestFreePortIsBelowTheOutgoingOnes(t *testing.T) {
	if port := freePort(t); port < 20000 || port >= 32000 {
		t.Errorf("freePort() = %d", port)
	}
}

func TestDescendantsOfNobody(t *testing.T) {
	t.Parallel()
	// No system has a process of this number.
	if got := descendants(-1); len(got) != 0 {
		t.Errorf("descendants(-1) = %v", got)
	}
}

func TestDescendantsAreFoundByPSToo(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/bin/ps"); err != nil {
		return // processes() does not need it here
	}
	for _, p := range processesOfPS() {
		if p.pid == os.Getpid() && p.parent == os.Getppid() {
			return
		}
	}
	t.Errorf("this process is not in the list")
}

func leashAndWait() {
	child := exec.Command("sleep", "600") // it does nothing else that would end it
	err := child.Start()
	if err == nil {
		_, err = leash(child.Process.Pid)
	}
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	os.Stdout.WriteString(strconv.Itoa(child.Process.Pid) + "\n")
	_ = child.Wait()
	os.Exit(0)
}

func TestLeash(t *testing.T) {
	t.Parallel()
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), helperVariable+"=1")
	stdout, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = helper.Wait()
	living := func() bool {
		for _, p := range processes() {
			if p.pid == pid {
				return !p.zombie
			}
		}
		return false
	}
	if !poll(func() bool { return !living() }) {
		t.Errorf("the process outlives the test")
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// makeTree writes files from their paths to their content.
func makeTree(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for path, content := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
