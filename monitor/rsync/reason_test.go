package rsync

import (
	"testing"

	"wsync/monitor/dirty"
)

func TestReason(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]dirty.Reason{
		// By glibc, musl and Darwin.
		`rsync: [receiver] mkstemp "/srv/mirror/.x.zls0SY" failed: File name too long (36)`:                                dirty.TooLong,
		`rsync: [generator] recv_generator: mkdir "/srv/mirror/d" failed: Filename too long (36)`:                          dirty.TooLong,
		`rsync: [generator] recv_generator: failed to stat "/srv/mirror/d" (in mod): File name too long (63)`:              dirty.TooLong,
		`rsync: [sender] readlink_stat("/home/u/ws/d") failed: File name too long (36)`:                                    dirty.TooLong,
		`rsync: [generator] recv_generator: mkdir "/srv/mirror/d" failed: Illegal byte sequence (92)`:                      dirty.BadName,
		`rsync: [receiver] mkstemp "/srv/mirror/.x.zls0SY" failed: Invalid or incomplete multibyte or wide character (84)`: dirty.BadName,
		`rsync: [receiver] mkstemp "/srv/mirror/.a:b.zls0SY" failed: Invalid argument (22)`:                                dirty.BadName,
		`rsync: [receiver] write failed on "/srv/mirror/big": File too large (27)`:                                         dirty.TooLarge,
		`rsync: [receiver] open "/srv/mirror/big" failed: Value too large for defined data type (75)`:                      dirty.TooLarge,
		`rsync: [generator] symlink "/srv/mirror/l" -> "t" failed: Operation not permitted (1)`:                            dirty.BadKind,
		`rsync: [generator] symlink "/srv/mirror/l" -> "t" failed: Function not implemented (38)`:                          dirty.BadKind,
		`rsync: [generator] mknod "/srv/mirror/f" failed: Operation not permitted (1)`:                                     dirty.BadKind,
		`skipping non-regular file "d"`: dirty.BadKind,
		`rsync: [generator] failed to set times on "/srv/mirror/x": Invalid argument (22)`:                  dirty.BadAttribute,
		`rsync: [receiver] chown "/srv/mirror/.x.zls0SY" failed: Invalid argument (22)`:                     dirty.BadAttribute,
		`rsync: [generator] failed to set permissions on "/srv/mirror/x": Operation not supported (95)`:     dirty.BadAttribute,
		`rsync: [generator] failed to set times on "/srv/mirror/x": Value too large for data type (75)`:     dirty.BadAttribute,
		`rsync: [generator] failed to set permissions on "/srv/mirror/x": Operation not permitted (1)`:      "",
		`rsync: [receiver] mkstemp "/srv/mirror/.x.zls0SY" failed: Operation not permitted (1)`:             "",
		`rsync: [receiver] mkstemp "/srv/mirror/.File name too long (36).zls0SY" failed: Permission denied`: "",
		`rsync: [receiver] mkstemp "/srv/mirror/.x.zls0SY" failed: Permission denied (13)`:                  "",
		`rsync: [sender] send_files failed to open "/home/u/ws/x": Value too large for data type (75)`:      "",
		`rsync: [sender] read errors mapping "/home/u/ws/x": Invalid argument (22)`:                         "",
		`file has vanished: "/home/u/ws/a"`: "",
	} {
		for _, f := range ParseStderr(line, testSource, testDestination).Failures {
			if f.Reason != want {
				t.Errorf("%s: %q", line, f.Reason)
			}
		}
		if got := reasonOf(line, attribute.MatchString(line)); got != want {
			t.Errorf("%s: %q, expected %q", line, got, want)
		}
	}
}
