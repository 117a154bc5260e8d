package main

import (
	"bytes"
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

func init() {
	// setxattr FILE NAME [VALUE]: give a file an extended attribute, or take it away.
	scriptCommands["setxattr"] = cmdSetXattr
	// setacl FILE UID: an access control list lets a user read a file.
	scriptCommands["setacl"] = cmdSetACL
	// [!] samexattrs A B: the two files have the same extended attributes, access control
	// lists among them.
	scriptCommands["samexattrs"] = cmdSameXattrs
	canXattrs = func() bool {
		file := filepath.Join(os.TempDir(), "wsync-xattrs-"+strconv.Itoa(os.Getpid()))
		if os.WriteFile(file, nil, 0o600) != nil {
			return false
		}
		defer os.Remove(file)
		return unix.Lsetxattr(file, "user.wsync", []byte("x"), 0) == nil && unix.Lsetxattr(file, aclName, acl(1), 0) == nil
	}
}

func cmdSetXattr(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2 || len(args) == 3, "setxattr FILE NAME [VALUE]")
	file := ts.MkAbs(args[0])
	if len(args) == 2 {
		ts.Check(unix.Lremovexattr(file, args[1]))
		return
	}
	ts.Check(unix.Lsetxattr(file, args[1], []byte(args[2]), 0))
}

const aclName = "system.posix_acl_access"

// acl is an access control list as the kernel takes it: the owner may read and write,
// the user uid may read.
func acl(uid uint32) []byte {
	const none = 1<<32 - 1
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, uint32(2))
	for _, e := range []struct {
		Tag, Perm uint16
		ID        uint32
	}{{1, 6, none}, {2, 4, uid}, {4, 4, none}, {0x10, 4, none}, {0x20, 0, none}} {
		_ = binary.Write(&b, binary.LittleEndian, e)
	}
	return b.Bytes()
}

func cmdSetACL(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "setacl FILE UID")
	uid, err := strconv.ParseUint(args[1], 10, 32)
	ts.Check(err)
	ts.Check(unix.Lsetxattr(ts.MkAbs(args[0]), aclName, acl(uint32(uid)), 0))
}

func cmdSameXattrs(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, false, len(args) == 2, "[!] samexattrs A B")
	a, b := xattrs(ts, args[0]), xattrs(ts, args[1])
	if maps.Equal(a, b) == neg {
		ts.Fatalf("%s has %q, %s has %q", args[0], a, args[1], b)
	}
}

// xattrs are the attributes of a file, with their values.
func xattrs(ts *testscript.TestScript, name string) map[string]string {
	file, buffer := ts.MkAbs(name), make([]byte, 64<<10)
	n, err := unix.Llistxattr(file, buffer)
	ts.Check(err)
	all := make(map[string]string)
	for _, name := range slices.Collect(strings.SplitSeq(string(buffer[:n]), "\x00")) {
		if name == "" {
			continue
		}
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(file, name, value)
		ts.Check(err)
		all[name] = string(value[:n])
	}
	return all
}
