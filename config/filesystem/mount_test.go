package filesystem

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		line string
		want Mount
	}{
		{`36 35 98:0 / /home/me/m rw,noatime master:1 - ext3 /dev/root rw,errors=continue`,
			Mount{ID: 36, Parent: 35, Path: "/home/me/m", Type: "ext3", Source: "/dev/root", Root: "/"}},
		{`36 35 98:0 /mnt1 /mnt2 rw - fuse.sshfs me@host:/dir rw`,
			Mount{ID: 36, Parent: 35, Path: "/mnt2", Type: "fuse.sshfs", Source: "me@host:/dir", Root: "/mnt1"}},
		{`36 35 0:5 / /m rw shared:1 master:2 propagate_from:3 - tmpfs none rw`,
			Mount{ID: 36, Parent: 35, Path: "/m", Type: "tmpfs", Source: "none", Root: "/"}},
		{`36 35 0:5 / /a\040b\011c\012d\134e rw - tmpfs a\040b rw`,
			Mount{ID: 36, Parent: 35, Path: "/a b\tc\nd\\e", Type: "tmpfs", Source: "a b", Root: "/"}},
		{`36 35 0:5 / /a\04 rw - tmpfs \9 rw`,
			Mount{ID: 36, Parent: 35, Path: `/a\04`, Type: "tmpfs", Source: `\9`, Root: "/"}},
		{`36 35 0:5 / /- rw - tmpfs - rw`,
			Mount{ID: 36, Parent: 35, Path: "/-", Type: "tmpfs", Source: "-", Root: "/"}},
		{`36 35 0:5 / /m rw - tmpfs  rw`,
			Mount{ID: 36, Parent: 35, Path: "/m", Type: "tmpfs", Source: "", Root: "/"}},
	}
	for _, test := range tests {
		got, err := Parse([]byte(test.line + "\n"))
		if err != nil || !slices.Equal(got, []Mount{test.want}) {
			t.Errorf("%s: %+v, %v, not %+v", test.line, got, err, test.want)
		}
	}
	for _, unwanted := range []string{
		"",
		`36 35 0:5 / /gone//deleted rw - tmpfs none rw`,
		`36 35 0:5 / /auto rw - autofs systemd-1 rw`,
	} {
		if got, err := Parse([]byte(unwanted)); err != nil || len(got) > 0 {
			t.Errorf("%q: %+v, %v", unwanted, got, err)
		}
	}
	for _, broken := range []string{"36", "36 35 98:0 / /m rw", "36 35 98:0 / /m rw -", "36 35 98:0 / /m rw - ext4", "x 35 98:0 / /m rw - ext4 none rw", "36 x 98:0 / /m rw - ext4 none rw"} {
		if got, err := Parse([]byte(broken)); err == nil {
			t.Errorf("%q: %+v", broken, got)
		}
	}
}

func TestLayers(t *testing.T) {
	for _, test := range []struct{ options, want string }{
		{"rw,lowerdir=/l,upperdir=/u,workdir=/w,uuid=on", "/l /u"},
		{"ro,lowerdir=/a:/b/c:/d", "/a /b/c /d"},
		{"rw,lowerdir=/a::/data::/more,upperdir=/u", "/a /data /more /u"},
		{"rw,lowerdir+=/a,lowerdir+=/b,datadir+=/c,upperdir=/u", "/a /b /c /u"},
		{`rw,lowerdir=/a\134:b:/c\054d,upperdir=/u\040v`, "/a:b /c,d /u v"},
		{"rw,lowerdir=l/ABC:l/DEF,upperdir=ABC/diff,workdir=ABC/work", "l/ABC l/DEF ABC/diff"},
		{"rw", ""},
	} {
		m, err := Parse([]byte("36 35 0:5 / /m rw - overlay overlay " + test.options + "\n"))
		if err != nil || len(m) != 1 || strings.ReplaceAll(m[0].layers, "\n", " ") != test.want {
			t.Errorf("%s: %+v, %v", test.options, m, err)
		}
	}
	if m, err := Parse([]byte("36 35 0:5 / /m rw - tmpfs none rw,lowerdir=/a\n")); err != nil || m[0].layers != "" {
		t.Errorf("%+v, %v", m, err)
	}
}

// A layer that can be changed by its own path makes an overlay silent.
func TestOverlayIsSilent(t *testing.T) {
	dir := t.TempDir()
	for layers, want := range map[string]bool{
		dir: runtime.GOOS == "linux", "/not/there\n" + dir: runtime.GOOS == "linux",
		"/not/there": false, "relative": false, "": false,
	} {
		if got := (Mount{Type: "overlay", layers: layers}).IsSilent(); got != want {
			t.Errorf("%q: %v", layers, got)
		}
	}
	if (Mount{Type: "ext4", layers: dir}).IsSilent() {
		t.Error("ext4 has no layers")
	}
}

func TestBelow(t *testing.T) {
	tests := []struct {
		name, mounts, dir, want string // ID on parent at path; IDs
	}{
		{"one, and others", "1 0 /, 2 1 /w/m, 3 1 /x, 4 1 /w2/m", "/w", "2 m"},
		{"the directory itself", "1 0 /, 2 1 /w, 3 2 /w/m", "/w", "3 m"},
		{"everything", "1 0 /, 2 1 /w, 3 2 /w/m", "/", "2 w, 3 w/m"},
		{"nested", "1 0 /, 2 1 /w/m, 3 2 /w/m/n", "/w", "2 m, 3 m/n"},
		{"one over another", "1 0 /, 2 1 /w/m, 3 2 /w/m", "/w", "3 m"},
		{"three at a place, in any order", "4 3 /w/m, 1 0 /, 3 2 /w/m, 2 1 /w/m", "/w", "4 m"},
		{"over a directory that leads to one", "1 0 /, 2 1 /w/d/m, 3 1 /w/d", "/w", "3 d"},
		{"on one that is over another", "1 0 /, 2 1 /w/d, 3 2 /w/d, 4 3 /w/d/m", "/w", "3 d, 4 d/m"},
		{"on one that another is over", "1 0 /, 2 1 /w/d, 3 2 /w/d, 4 2 /w/d/m", "/w", "3 d"},
		{"below a root that is covered", "1 0 /, 2 1 /w/m, 3 1 /w", "/w", ""},
		{"a parent that is not listed", "2 1 /w/m", "/w", "2 m"},
		{"its own parent", "1 1 /, 2 1 /w/m", "/w", "2 m"},
		{"names that begin alike", "1 0 /, 2 1 /w/m, 3 1 /w/m2", "/w", "2 m, 3 m2"},
	}
	for _, test := range tests {
		var text strings.Builder
		for m := range strings.SplitSeq(test.mounts, ", ") {
			f := strings.Fields(m)
			text.WriteString(f[0] + " " + f[1] + " 0:5 / " + f[2] + " rw - tmpfs none rw\n")
		}
		mounts, err := Parse([]byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range Below(mounts, test.dir) {
			got = append(got, string(rune('0'+m.ID))+" "+m.Path)
		}
		if joined := strings.Join(got, ", "); joined != test.want {
			t.Errorf("%s: %q, not %q", test.name, joined, test.want)
		}
	}
}

// Where the system does not say which mount another one is on, their order does.
func TestFindParents(t *testing.T) {
	tests := []struct {
		name, paths, dir, want string // the ID is the place in the order
	}{
		{"one, and others", "/ /dev /w/m /w2/m", "/w", "3 on 1"},
		{"nested", "/ /w/m /w/m/n", "/w", "2 on 1, 3 on 2"},
		{"one over another", "/ /w/m /w/m", "/w", "3 on 2"},
		{"over a directory that leads to one", "/ /w/d/m /w/d", "/w", "3 on 1"},
		{"on one that is over another", "/ /w/d /w/d /w/d/m", "/w", "3 on 2, 4 on 3"},
		{"on the root itself", "/ /w /w/m", "/w", "3 on 2"},
		{"names that begin alike", "/ /w/m /w/m2", "/w", "2 on 1, 3 on 1"},
	}
	for _, test := range tests {
		var mounts []Mount
		for i, path := range strings.Fields(test.paths) {
			mounts = append(mounts, Mount{ID: i + 1, Path: path})
		}
		findParents(mounts)
		var got []string
		for _, m := range Below(mounts, test.dir) {
			got = append(got, fmt.Sprintf("%d on %d", m.ID, m.Parent))
		}
		if joined := strings.Join(got, ", "); joined != test.want {
			t.Errorf("%s: %q, not %q", test.name, joined, test.want)
		}
	}
}

func TestSameFileSystem(t *testing.T) {
	base := Mount{ID: 1, Path: "m", Type: "ext4", Source: "/dev/sdb1", Root: "/", FSID: "aa"}
	with := func(change func(m *Mount)) Mount {
		m := base
		change(&m)
		return m
	}
	tests := []struct {
		name  string
		other Mount
		want  bool
	}{
		{"mounted again", with(func(m *Mount) { m.ID = 2 }), true},
		{"found at another device", with(func(m *Mount) { m.Source = "/dev/sdc1" }), true},
		{"another disk at the same device", with(func(m *Mount) { m.FSID = "bb" }), false},
		{"without an identifier", with(func(m *Mount) { m.FSID = "" }), true},
		{"without an identifier at another device", with(func(m *Mount) { m.FSID, m.Source = "", "/dev/sdc1" }), false},
		{"another directory of it", with(func(m *Mount) { m.Root = "/x" }), false},
		{"another type", with(func(m *Mount) { m.Type = "xfs" }), false},
	}
	for _, test := range tests {
		if base.SameFileSystem(test.other) != test.want || test.other.SameFileSystem(base) != test.want {
			t.Errorf("%s: not %v", test.name, test.want)
		}
	}
}
