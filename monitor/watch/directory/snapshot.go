package directory

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"wsync/config/filesystem"
)

// Snapshot is what the entries of a directory were, by their names.
type Snapshot map[string]print

// print tells one state of an entry from another.
type print struct {
	// id covers what makes it another file: device, inode and type.
	id uint64
	// rest covers all else that lstat tells, but access times.
	rest uint64
	dir  bool
}

const (
	// unsettled is how close to now a time stamp may be before the entry is
	// suspected to change once more without getting another.
	unsettled = 50 * time.Millisecond
	// unsettledCoarse is the same for file systems that keep whole seconds.
	unsettledCoarse = 2 * time.Second
)

// errReplaced is what Take returns if another directory has come.
var errReplaced = errors.New("it was replaced")

// Take makes the snapshot of the directory at path, which must be the one that id
// is of, and returns the names of its subdirectories as well. t is the type of its
// file system.
func Take(path string, id Identity, t filesystem.Type) (Snapshot, []string, error) {
	fd, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, nil, err
	}
	if id != IdentityOf(&st) {
		return nil, nil, errReplaced
	}
	names, err := f.Readdirnames(-1)
	var detailed *fs.PathError
	if errors.As(err, &detailed) {
		err = detailed.Err
	}
	if err != nil {
		return nil, nil, err
	}
	entries := make(Snapshot, len(names))
	var dirs []string
	now := time.Now()
	for _, name := range names {
		err := ignoringEINTR(func() error {
			if t.Silent {
				return statAfresh(fd, name, &st)
			}
			return unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
		})
		if err == unix.ENOENT {
			continue
		}
		if err != nil {
			entries[name] = unknown(err)
			continue
		}
		if t.Forgetful() {
			st.Ino = 0
		}
		p := printOf(&st, now)
		entries[name] = p
		if p.dir {
			dirs = append(dirs, name)
		}
	}
	return entries, dirs, nil
}

// unknown makes the print of an entry that is there and cannot be looked at: it
// differs when that ends, or ends in another way, and keeps nothing else from being
// compared.
func unknown(err error) print {
	return print{rest: maphash.String(printSeed, err.Error())}
}

var printSeed = maphash.MakeSeed()

// printOf makes the print of an entry. One that has just changed gets a print
// that the next look does not find again, as it may change within one tick of
// the file system's clock.
func printOf(st *unix.Stat_t, now time.Time) print {
	var h maphash.Hash
	h.SetSeed(printSeed)
	var buf [8]byte
	add := func(values ...uint64) uint64 {
		for _, v := range values {
			binary.NativeEndian.PutUint64(buf[:], v)
			h.Write(buf[:])
		}
		return h.Sum64()
	}
	kind := uint64(st.Mode) & unix.S_IFMT
	p := print{dir: kind == unix.S_IFDIR}
	p.id = add(uint64(st.Dev), st.Ino, kind)
	p.rest = add(uint64(st.Mode), uint64(st.Uid), uint64(st.Gid), uint64(st.Rdev), uint64(st.Size),
		uint64(st.Mtim.Nano()), uint64(st.Ctim.Nano()))
	limit := unsettled
	if st.Ctim.Nsec == 0 && st.Mtim.Nsec == 0 {
		limit = unsettledCoarse
	}
	if !p.dir && now.Sub(time.Unix(st.Ctim.Unix())) < limit {
		p.rest ^= uint64(now.UnixNano())
	}
	return p
}

// Difference is an entry that differs between two snapshots of a directory.
type Difference struct {
	Name string
	// Was and Is: it was there before, and is there now; WasDir and IsDir: as a
	// directory.
	Was, Is, WasDir, IsDir bool
	// Replaced: it is another one of the same name, or a new one.
	Replaced bool
}

// Since returns what differs in s from a snapshot that was made before.
func (s Snapshot) Since(before Snapshot) []Difference {
	var all []Difference
	for name, now := range s {
		if old, was := before[name]; !was || old != now {
			all = append(all, Difference{Name: name, Was: was, Is: true, WasDir: old.dir, IsDir: now.dir, Replaced: old.id != now.id})
		}
	}
	for name, old := range before {
		if _, is := s[name]; !is {
			all = append(all, Difference{Name: name, Was: true, WasDir: old.dir})
		}
	}
	return all
}
