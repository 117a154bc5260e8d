package filesystem

import (
	"testing"

	"wsync/monitor/remotetest"
)

func TestTypeOfName(t *testing.T) {
	for name, silent := range map[string]bool{
		"nfs": true, "nfs4": true, "cifs": true, "smb3": true, "fuse": true, "fuse.sshfs": true, "9p": true, "virtiofs": true, "ceph": true,
		"smbfs": true, "macfuse": true, "webdav": true,
		// A block device of this machine, and what tells of all that is done through it.
		"fuseblk": false, "fusectl": false, "ext4": false, "overlay": false, "tmpfs": false, "apfs": false, "": false, "nfsd": true,
	} {
		if got := typeOfName(name); got.Silent != silent || got.Name != name {
			t.Errorf("%q: %+v", name, got)
		}
	}
	if !typeOfName("fuse.sshfs").Forgetful() || typeOfName("nfs4").Forgetful() {
		t.Error("FUSE alone forgets inodes")
	}
}

func TestTypeOfMagic(t *testing.T) {
	for magic, want := range map[uint32]string{
		0x6969: "nfs", 0xff534d42: "cifs", 0xfe534d42: "smb", 0x517b: "smbfs", 0x65735546: "fuse", 0x01021997: "9p", 0x6b414653: "afs",
		0xef53: "", 0x794c7630: "", 0x01021994: "", 0: "", // ext4, overlay, tmpfs
	} {
		if got := typeOfMagic(magic); got.Name != want || got.Silent != (want != "") {
			t.Errorf("%#x: %+v", magic, got)
		}
	}
}

func TestOf(t *testing.T) {
	if got := Of(t.TempDir()); got.Silent {
		remotetest.Skip(t, "the temporary directory is on "+got.Name)
	}
	if got := Of("/does/not/exist"); got != (Type{}) {
		t.Errorf("%+v", got)
	}
	if silent := SilentIn(t.TempDir()); len(silent) > 0 {
		t.Errorf("%+v", silent)
	}
	if silent := SilentIn("/does/not/exist"); len(silent) > 0 {
		t.Errorf("%+v", silent)
	}
}
