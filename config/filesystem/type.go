package filesystem

import (
	"path/filepath"
	"strings"
)

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
	{0x517b, []string{"smbfs"}},
	{0x65735546, []string{"fuse", "osxfuse", "macfuse"}},
	{0x6a656a63, []string{"virtiofs"}},
	{0x01021997, []string{"9p"}},
	{0x00c36400, []string{"ceph"}},
	{0x5346414f, []string{"afs"}},
	{0x6b414653, []string{"afs"}}, // the kernel's own
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

// Type is what kind of file system something is on.
type Type struct {
	// Name is that of the table of mounts, "nfs4" or "fuse.sshfs" for example; it
	// may be "" for one that is not silent.
	Name string
	// Silent: it changes without an event.
	Silent bool
}

// Forgetful reports whether a file may have another inode number at each look.
func (t Type) Forgetful() bool { return strings.HasPrefix(t.Name, "fuse") }

// typeOfMagic returns the type that has a magic number of statfs(2).
func typeOfMagic(magic uint32) Type {
	for _, t := range silentTypes {
		if t.magic == magic && magic != 0 {
			return Type{Name: t.names[0], Silent: true}
		}
	}
	return Type{}
}

// typeOfName returns the type that has a name in the table of mounts. A block device
// that a program of the user's serves is this machine's own.
func typeOfName(name string) Type {
	if name == "fuseblk" || name == "fusectl" {
		return Type{Name: name}
	}
	for _, t := range silentTypes {
		for _, prefix := range t.names {
			if strings.HasPrefix(name, prefix) {
				return Type{Name: name, Silent: true}
			}
		}
	}
	return Type{Name: name}
}

// IsSilent reports whether what is mounted changes without an event.
func (m Mount) IsSilent() bool { return m.kind().Silent }

// kind is the type of what is mounted.
func (m Mount) kind() Type {
	t := typeOfName(m.Type)
	t.Silent = t.Silent || m.changesBeneath()
	return t
}

// SilentIn returns what changes without an event in the directory dir: the file
// system that it is on, and what is mounted below. The paths are absolute.
func SilentIn(dir string) []Mount {
	var silent []Mount
	if t := Of(dir); t.Silent {
		silent = append(silent, Mount{Path: dir, Type: t.Name})
	}
	table, err := OpenTable()
	if err != nil {
		return silent
	}
	defer table.Close()
	mounts, err := table.Mounts()
	if err != nil {
		return silent
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		for _, m := range Below(mounts, real) {
			if m.IsSilent() {
				m.Path = filepath.Join(dir, m.Path)
				silent = append(silent, m)
			}
		}
	}
	return silent
}
