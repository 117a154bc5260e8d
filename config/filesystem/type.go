package filesystem

import "strings"

// silentTypes are the types of file systems that change without an event: what
// another machine does, or whoever is behind them. By the magic number of statfs(2)
// on Linux, and the beginnings of the names in the table of mounts, there or on
// macOS.
var silentTypes = []struct {
	magic uint32
	names []string
}{
	{0x6969, []string{"nfs"}},
	{0xff534d42, []string{"cifs"}},
	{0xfe534d42, []string{"smb"}},
	{0x517b, nil}, // smbfs
	{0x65735546, []string{"fuse", "osxfuse", "macfuse"}},
	{0x6a656a63, []string{"virtiofs"}},
	{0x01021997, []string{"9p"}},
	{0x00c36400, []string{"ceph"}},
	{0x5346414f, []string{"afs"}},
	{0x6b414653, nil}, // the kernel's own afs
	{0x73757245, []string{"coda"}},
	{0x564c, []string{"ncpfs"}},
	{0x01161970, []string{"gfs2"}},
	{0x7461636f, []string{"ocfs2"}},
	{0x0bd00bd0, []string{"lustre"}},
	{0x47504653, []string{"gpfs"}},
	{0x19830326, []string{"beegfs"}},
	{0x20030528, []string{"orangefs", "pvfs2"}},
	{0x786f4256, []string{"vboxsf"}},
	{0xbacbacbc, []string{"vmhgfs"}},
	{0x7c7c6673, []string{"prl_fs"}},
	{0, []string{"webdav", "afpfs", "davfs"}},
}

// isSilentType tells that a type of the table of mounts changes without an event.
// A block device that a program of the user's serves is this machine's own.
func isSilentType(name string) bool {
	if name == "fuseblk" || name == "fusectl" {
		return false
	}
	for _, t := range silentTypes {
		for _, prefix := range t.names {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}
