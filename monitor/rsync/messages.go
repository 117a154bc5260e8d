package rsync

import (
	"strings"

	"wsync/monitor/dirty"
)

// about says what a line of rsync's means for the paths of a run.
type about int

const (
	// aboutAll: nothing is known about any path while there is such a line.
	aboutAll about = iota + 1
	// aboutPath: the path that is named failed, and no other for it.
	aboutPath
	// harmless: nothing is missing on the remote for it.
	harmless
)

// naming is how a line names its path.
type naming int

const (
	// The zero value: in quotes, with the directory that it is in on the side that
	// speaks, and perhaps the module.
	_ naming = iota
	// relative: as it is, from the top of the tree; quoted: the same in quotes.
	relative
	quoted
	// called: in parentheses behind the name of a system call.
	called
	// written: as relative, or the whole of it; it may be that of a temporary file.
	written
)

// message is a kind of line that rsync writes about an error.
type message struct {
	// text is how the line begins, without "rsync: [generator] " before it, and
	// then what comes before the path, which may be anywhere behind.
	text, before string
	// behind is what comes after a path that is not in quotes; "" is the end.
	behind string
	about  about
	naming naming
	// attribute: only mode, owner or times are not as they should be.
	attribute bool
	reason    dirty.Reason
	// reported: rsync says it on standard output, where names of files are as well.
	// pins: a directory could not be deleted for what is in it.
	reported, pins bool
}

// messages are what rsync says at the levels of errors and warnings, and what
// else it says of a path that is not on the remote then; the first that matches
// counts. They are those of 3.5.0 and older ones, for the options that are used
// here. Many end no run and do not show in its exit code.
var messages = []message{
	// The sender. What cannot be read keeps the receiver from deleting anything.
	{text: `filename overflows max-path len by `, before: `: `, about: aboutPath, naming: relative, reason: dirty.TooLong},
	{text: `skipping overly long name: `, about: aboutPath, naming: relative, reason: dirty.TooLong},
	{text: `path too long: `, about: aboutPath, naming: relative, reason: dirty.TooLong},
	{text: `file has vanished: "`, about: aboutPath},
	{text: `directory has vanished: "`, about: aboutPath},
	{text: `link_stat "`, about: aboutPath},
	{text: `readlink_stat("`, about: aboutPath},
	{text: `opendir "`, about: aboutPath},
	{text: `readdir("`, about: aboutPath},
	{text: `change_dir "`, about: aboutPath},
	{text: `send_files failed to open "`, about: aboutPath},
	{text: `read errors mapping "`, about: aboutPath},
	{text: `cannot send file with empty name in "`, about: aboutPath},
	{text: `skipping symlink with 0-length value: "`, about: aboutPath},
	{text: `symlink has no referent: "`, about: aboutPath},
	{text: `skipped diminished file: "`, about: aboutPath},
	{text: `cannot convert filename: `, behind: ` (`, about: aboutPath, naming: relative, reason: dirty.BadName},
	{text: `cannot convert symlink data for: "`, about: aboutPath, reason: dirty.BadName},
	{text: `skipping file with bogus (zero) st_mode: "`, about: aboutPath, reported: true},
	{text: `skipping directory `, about: aboutPath, naming: relative, reported: true},
	{text: `FATAL I/O ERROR: `, about: aboutAll},
	{text: `fstat failed`, about: aboutAll},
	{text: `receive_sums failed`, about: aboutAll},

	// The receiver: entries and their contents.
	{text: `recv_generator: mkdir "`, about: aboutPath},
	{text: `recv_generator: failed to stat "`, about: aboutPath},
	{text: `symlink "`, about: aboutPath},
	{text: `mknod "`, about: aboutPath},
	{text: `link "`, about: aboutPath},
	{text: `rename "`, about: aboutPath},
	{text: `copy "`, about: aboutPath},
	{text: `copyfile "`, about: aboutPath},
	{text: `rename failed for "`, about: aboutPath},
	{text: `mkstemp "`, about: aboutPath},
	{text: `open "`, about: aboutPath},
	{text: `stat "`, about: aboutPath},
	{text: `fstat "`, about: aboutPath},
	{text: `write failed on "`, about: aboutPath},
	{text: `lseek of "`, about: aboutPath},
	{text: `ftruncate failed on "`, about: aboutPath},
	{text: `close failed on "`, about: aboutPath},
	{text: `fsync failed on "`, about: aboutPath},
	{text: `write "`, about: aboutPath},
	{text: `read "`, about: aboutPath},
	{text: `unlink "`, about: aboutPath},
	{text: `ftruncate "`, about: aboutPath},
	{text: `recv_files: "`, about: aboutPath},
	{text: `temporary filename too long: `, about: aboutPath, naming: relative, reason: dirty.TooLong},
	{text: `skipping non-regular file "`, about: aboutPath, naming: quoted, reason: dirty.BadKind, reported: true},
	{text: `skipping socket (creation unsupported here): "`, about: aboutPath, reason: dirty.BadKind},
	{text: `ERROR: daemon refused to receive `, before: `"`, about: aboutPath, naming: quoted, reason: dirty.Excluded},
	{text: `ERROR: rejecting file transfer request for daemon excluded file: `, about: aboutPath, naming: relative, reason: dirty.Excluded},
	{text: `ERROR: rejecting excluded file-list name: `, about: aboutPath, naming: relative},
	{text: `ERROR: rejecting unrequested file-list name: `, about: aboutPath, naming: relative},
	{text: `ERROR: `, behind: ` failed verification`, about: aboutPath, naming: relative},
	{text: `ABORTING due to invalid path from sender: `, about: aboutPath, naming: relative},
	{text: `ABORTING due to unsafe pathname from sender: `, about: aboutPath, naming: relative},
	{text: `invalid file mode `, before: ` for `, behind: ` [`, about: aboutPath, naming: relative},
	{text: noPartialDir, behind: ` -- discarding `, about: aboutPath, naming: relative},
	{text: `refusing malicious fuzzy operation for `, about: aboutPath, naming: relative},
	{text: `refusing unconfined partial basis for `, about: aboutPath, naming: relative},
	{text: `got a block match with no basis file for "`, about: aboutPath},

	// The receiver: what is to make way, and what is to be kept in the trash.
	{text: `could not make way for `, before: `: `, about: aboutPath, naming: relative},
	{text: `delete_file: `, about: aboutPath, naming: called},
	{text: `cannot delete non-empty directory: `, about: aboutPath, naming: relative, reported: true, pins: true},
	{text: `cannot delete mount point: `, about: aboutPath, naming: relative, reported: true, pins: true},
	{text: `keep_backup failed: "`, about: aboutPath},
	{text: `backup filename too long`, about: aboutAll},

	// The receiver: attributes.
	{text: `failed to set times on "`, about: aboutPath, attribute: true},
	{text: `failed to set permissions on "`, about: aboutPath, attribute: true},
	{text: `failed to set attributes on "`, about: aboutPath, attribute: true},
	{text: `failed to set mode on "`, about: aboutPath, attribute: true},
	{text: `failed to modify permissions on "`, about: aboutPath, attribute: true},
	{text: `rsync_xal_set: `, before: `xattr("`, behind: `","`, about: aboutPath, naming: written, attribute: true},
	{text: `rsync_xal_clear: `, before: `xattr("`, behind: `","`, about: aboutPath, naming: written, attribute: true},
	{text: `set_acl: `, before: `(`, behind: `, ACL_TYPE`, about: aboutPath, naming: written, attribute: true},
	{text: `chown "`, about: aboutPath, attribute: true},
	{text: `chgrp "`, about: aboutPath, attribute: true},
	{text: `lchown "`, about: aboutPath, attribute: true},
	{text: `chmod "`, about: aboutPath, attribute: true},
	{text: `utime "`, about: aboutPath, attribute: true},
	{text: `utimes "`, about: aboutPath, attribute: true},
	{text: `utimens "`, about: aboutPath, attribute: true},
	{text: `do_chmod: no symlink-safe chmod for "`, about: aboutPath, naming: quoted, attribute: true, reason: dirty.BadAttribute},
	{text: `uid 4294967295 (-1) is impossible to set on "`, about: aboutPath, attribute: true, reason: dirty.BadAttribute},
	{text: `gid 4294967295 (-1) is impossible to set on "`, about: aboutPath, attribute: true, reason: dirty.BadAttribute},
	{text: `Time value of `, behind: ` truncated on receiver`, about: aboutPath, naming: relative, attribute: true, reason: dirty.BadAttribute},
	{text: `Create time value of `, behind: ` truncated on receiver`, about: aboutPath, naming: relative, attribute: true, reason: dirty.BadAttribute},
	{text: `Access time value of `, behind: ` truncated on receiver`, about: aboutPath, naming: relative, attribute: true, reason: dirty.BadAttribute},

	// What follows another line, or is done in another way.
	{text: `*** Skipping any contents`, about: harmless},
	{text: `*** Try using "--old-d"`, about: harmless},
	{text: `WARNING: parent dir is absent in the file list: `, about: harmless},
	{text: `WARNING: file is too large for checksum sending: `, about: harmless},
	{text: `failed to open "`, before: `, continuing`, about: harmless},
	{text: `do_fallocate "`, about: harmless},
	{text: `renaming `, before: ` because of text busy`, about: harmless},
	{text: `out of file descriptors resolving a deep path`, about: harmless}, // and then a path fails
	{text: `gen_challenge: `, about: harmless},
	{text: `default_perms_for_dir: `, about: harmless},

	// The run as a whole: its destination, its connection, its memory.
	{text: `mkdir "`, about: aboutAll},
	{text: `change_dir#`, about: aboutAll},
	{text: `ERROR: destination `, about: aboutAll},
	{text: `ERROR: cannot overwrite non-directory`, about: aboutAll},
	{text: `ERROR: cannot stat destination `, about: aboutAll},
	{text: `ERROR: daemon has excluded destination `, about: aboutAll},
	{text: `ERROR: rejecting non-directory transfer-root entry`, about: aboutAll},
	{text: `ERROR: module is `, about: aboutAll},
	{text: `ERROR: The remote path must start with a module name`, about: aboutAll},
	{text: `connection unexpectedly closed`, about: aboutAll},
	{text: `read error`, about: aboutAll},
	{text: `write error`, about: aboutAll},
	{text: `safe_read `, about: aboutAll},
	{text: `safe_write `, about: aboutAll},
	{text: `io timeout after `, about: aboutAll},
	{text: `daemon handshake timeout`, about: aboutAll},
	{text: `failed to connect to `, about: aboutAll},
	{text: `getaddrinfo`, about: aboutAll},
	{text: `did not see server greeting`, about: aboutAll},
	{text: `didn't get server startup line`, about: aboutAll},
	{text: `server sent "`, about: aboutAll},
	{text: `the server omitted `, about: aboutAll},
	{text: `could not open password file `, about: aboutAll},
	{text: `ERROR: password file must `, about: aboutAll},
	{text: `ERROR: failed to read a password from `, about: aboutAll},
	{text: `Failed to exec `, about: aboutAll},
	{text: `Unknown --usermap name on receiver: `, about: aboutAll},
	{text: `Unknown --groupmap name on receiver: `, about: aboutAll},
	{text: `overflow: `, about: aboutAll},
	{text: `buffer overflow: `, about: aboutAll},
	{text: `out of memory`, about: aboutAll},
	{text: `exceeded --max-alloc=`, about: aboutAll},
}

// find returns the message that a line is, nil if it is none that is known. rest is
// the line from where its path begins.
func find(line string) (m *message, rest string) {
	for i := range messages {
		m := &messages[i]
		rest, ok := strings.CutPrefix(line, m.text)
		if !ok || !strings.Contains(rest, m.behind) {
			continue
		}
		if m.before == "" {
			return m, rest
		}
		if _, rest, ok = strings.Cut(rest, m.before); ok {
			return m, rest
		}
	}
	return nil, ""
}

// prefixes are how lines of rsync's begin that are no words of ssh or of the
// remote's shell, whatever they say.
var prefixes = []string{"rsync: ", "ERROR: ", "WARNING: ", "ABORTING due to "}

// reported reports whether a line of standard output is about a path that is not on
// the remote as it should be.
func reported(line string) bool {
	m, _ := find(line)
	return m != nil && m.reported
}
