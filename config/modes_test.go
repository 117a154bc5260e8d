package config

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wsync/monitor/remotetest"
)

func TestModeChanges(t *testing.T) {
	for _, test := range []struct {
		chmod, umask string
		mode, want   fs.FileMode
	}{
		{"", "", 0o644, 0o644},
		{"D2755,F644", "", fs.ModeDir | 0o700, fs.ModeDir | fs.ModeSetgid | 0o755},
		{"D2755,F644", "", fs.ModeSetuid | 0o700, 0o644},
		{"D2755,F644", "027", fs.ModeDir | 0o700, fs.ModeDir | fs.ModeSetgid | 0o750},
		{"", "027", 0o666, 0o640},
		{"", "000", 0o666, 0o666},
		{"a+X", "", 0o600, 0o600},
		{"a+X", "", 0o700, 0o711},
		{"go=u-x", "", 0o700, 0}, // refused
		{"u=rwX,go=rX", "", fs.ModeDir | 0o700, fs.ModeDir | 0o755},
		{"u=rwX,go=rX", "", fs.ModeSetgid | 0o611, fs.ModeSetgid | 0o755},
		{"g=s", "", fs.ModeSetgid | 0o671, fs.ModeSetgid | 0o601},
		{"o+s", "", 0o600, fs.ModeSetuid | 0o600},
		{"a-st", "", fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky | 0o755, 0o755},
		{"Fg+w,o-rwx", "", fs.ModeNamedPipe | 0o604, fs.ModeNamedPipe | 0o620},
		{"F600", "777", fs.ModeSymlink | 0o777, fs.ModeSymlink | 0o777},
	} {
		r := Remote{Name: "r", RemotePath: "/r", Connection: Connection{Local: &Local{}}}
		err := r.SetOptions([]Assignment{{"chmod", test.chmod}, {"umask", test.umask}})
		switch {
		case test.want == 0:
			if err == nil {
				t.Errorf("%s is taken", test.chmod)
			}
		case err != nil:
			t.Error(err)
		default:
			if got := r.ModeChanges().Apply(test.mode); got != test.want {
				t.Errorf("%q %q: of %v comes %v, want %v", test.chmod, test.umask, test.mode, got, test.want)
			}
		}
	}
}

func TestModeSyntaxRefused(t *testing.T) {
	for _, chmod := range []string{"+w", "D", "DF755", "789", "77777", "u", "u+", "u+q", "u+w,", "", "-rf", "F644;id", "u+w g+w", "644 "} {
		_, err := ParseModeChanges(chmod)
		if chmod == "u+" { // rsync takes it, and it is nothing
			continue
		}
		if err == nil {
			t.Errorf("%q is taken", chmod)
		}
	}
	for _, umask := range []string{"1000", "8", "-1", "0x1", "+22", "u=rwx", "02 2"} {
		r := Remote{Connection: Connection{Local: &Local{}}}
		if err := r.SetOptions([]Assignment{{"umask", umask}}); err == nil || r.Umask != "" {
			t.Errorf("%q is taken", umask)
		}
	}
}

// TestModesAsRsync: what rsync makes of modes is what is said here.
func TestModesAsRsync(t *testing.T) {
	if version, err := exec.Command("rsync", "--version").Output(); err != nil || !strings.HasPrefix(string(version), "rsync") {
		remotetest.Skip(t, "there is no rsync")
	}
	from, rounds := t.TempDir(), 30
	random := rand.New(rand.NewPCG(1, 2))
	// The group of the test may be one that setgid needs root for.
	modes := []fs.FileMode{0o600, 0o640, 0o711, 0o755, 0o467, fs.ModeSetuid | 0o744, fs.ModeSticky | 0o666}
	for i, mode := range modes {
		file, dir := filepath.Join(from, fmt.Sprint("f", i)), filepath.Join(from, fmt.Sprint("d", i))
		for _, err := range []error{os.WriteFile(file, nil, 0o600), os.Mkdir(dir, 0o700), os.Chmod(file, mode), os.Chmod(dir, mode|0o500)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for range rounds {
		r := Remote{Chmod: randomChmod(random)}
		if random.IntN(3) == 0 {
			r.Umask = fmt.Sprintf("%03o", random.IntN(0o1000))
		}
		to := filepath.Join(t.TempDir(), "to")
		out, err := exec.Command("rsync", "--recursive", "--perms", "--chmod="+r.ModeSyntax(), from+"/", to+"/").CombinedOutput()
		if err != nil && !strings.Contains(string(out), "Permission denied") {
			t.Fatalf("%s: %s", r.ModeSyntax(), out)
		}
		entries, err := os.ReadDir(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			before, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			after, err := os.Lstat(filepath.Join(to, e.Name()))
			if err != nil {
				continue // the directory itself cannot be searched
			}
			want := r.ModeChanges().Apply(before.Mode())
			if os.Geteuid() != 0 && want.IsDir() && want&0o200 != 0 {
				want |= 0o700 // what it needs to fill a directory, rsync takes back only where it could not write
			}
			if after.Mode() != want {
				t.Errorf("%s: rsync makes %v of %v, want %v", r.ModeSyntax(), after.Mode(), before.Mode(), want)
			}
		}
		if err := os.Chmod(to, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func randomChmod(r *rand.Rand) string {
	some := func(letters string, least int) (s string) {
		for _, l := range letters {
			if r.IntN(2) == 0 {
				s += string(l)
			}
		}
		for len(s) < least {
			s += string(letters[r.IntN(len(letters))])
		}
		return s
	}
	var parts []string
	for range 1 + r.IntN(3) {
		part := []string{"", "", "D", "F"}[r.IntN(4)]
		if r.IntN(3) == 0 {
			part += fmt.Sprintf("%o", r.IntN(0o10000))
		} else {
			part += some("ugoa", 1) + string("+-="[r.IntN(3)]) + some("rwxXst", 0)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}
