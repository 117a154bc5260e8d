package rsync

import "regexp"

// Next steps that are said in several places.
const (
	makeRoom     = "make room on the remote; wsync goes on by itself"
	installRsync = "install rsync on the remote"
	quietShell   = "ssh HOST true must print nothing: look for what does in the shell's start-up files there, and whether the key has a forced command"
	checkNetwork = "check the network, its firewalls, and that the host is up; wsync goes on by itself"
	checkName    = "check the host's name, or its entry in ~/.ssh/config"
)

// knownText is a text of which something is known.
type knownText struct {
	text *expression
	// means and hint may have $1 for what text has found in parentheses.
	means, hint string
	// verdict replaces that on an exit code which only says that the connection
	// broke, or that the daemon refused: the remote was reached. Done for none.
	verdict Verdict
}

// known are texts of the system, shells and rsync that have a better explanation
// or a next step. The first that is found counts. What is said of a path that may
// not be read or written is not among them, see rights.
var known = []knownText{
	// Connections to rsync daemons. Systems say the same of file servers.
	{expressionOf(`failed to connect to .*: Connection refused`), "", "nothing listens there: start the rsync daemon, or check the port", Done},
	{expressionOf(`failed to connect to .*: (?:Connection timed out|Operation timed out|No route to host|Network is unreachable|Host is down)`), "", checkNetwork, Done},
	{expressionOf(`getaddrinfo: .*: (?:Temporary failure in name resolution|Try again)`), "the name server does not answer", checkNetwork, Done},
	{expressionOf(`getaddrinfo: `), "nobody knows the host's name", "check the host's name", Done},

	// Files and disks.
	{ending("No space left on device"), "the disk is full", makeRoom, Done},
	{ending("Disk quota exceeded"), "the quota on the remote is used up", makeRoom, Done},
	{ending("Read-only file system"), "the remote's file system is read-only", "mount it writable; wsync goes on by itself", Done},
	{expressionOf(`^skipping non-regular file `), "only root can make a device there", "", Done},
	{ending("Transport endpoint is not connected"), meansDead, "mount it again; wsync goes on by itself", Done},
	{ending(`Stale (?:NFS )?file handle`), meansStale, "mount it again; wsync goes on by itself", Done},
	{ending("Input/output error"), meansFaulty, "the kernel's log (dmesg) says why; wsync goes on by itself", Done},
	{expressionOf(`(?:Bad message|Structure needs cleaning) \(\d+\)`), "the file system is damaged", "check it with fsck; wsync goes on by itself", Done},
	{ending("Host is down"), meansDown, "bring it back; wsync goes on by itself", Done},
	{ending("Too many open files"), meansFiles, "raise the limit of open files (ulimit -n) of the user it runs as; wsync goes on by itself", Done},
	{ending("Text file busy"), "the file is a program that is running", "end it there; wsync goes on by itself", Done},
	{ending("Device or resource busy"), meansUsed, "see what is mounted there, or uses it; wsync goes on by itself", Done},
	{ending("Too many levels of symbolic links"), meansCircle, "ls -l shows where each of them leads; put that right, and wsync goes on by itself", Done},
	// A path that cannot be there has its next step from its reason.
	{ending(`File ?name too long`), "the name is too long", "", Done},
	{ending(`Invalid or incomplete multibyte or wide character|Illegal byte sequence`), "no such name is possible in that file system", "", Done},
	{ending("File too large"), "the file is too large for the file system, or for the limit of the user", "", Done},
	{expressionOf(`ERROR: destination must be a directory`), "the destination is no directory", "move away what is there, or attach with another directory", Done},
	{expressionOf(`(?:cannot stat destination|\[Receiver\] (?:mkdir|change_dir\S*)) ".*: Not a directory`), "the way to the destination leads through what is no directory", "move that away, or attach with another directory", Done},
	{expressionOf(`\[Receiver\] mkdir "(.*)/[^/"]+/?"( \(in [^)]*\))? failed: No such file or directory`), "the directory that the destination is to be in is missing", "make the directory $1$2 there", Done},

	// Programs that are missing, or not let run.
	{expressionOf(`Failed to exec (\S+): No such file or directory`), "there is no program $1 on this machine", "install it, or put it into the PATH of the daemon", Done},
	{expressionOf(`^(?:on remote machine: )?-\S+: unknown option`), "the rsync there does not know an option", "install a newer rsync on the remote", Done},
	{expressionOf(`^(?:\S*sh: )?(?:line )?(?:\d+: )?/\S*rsync\S*: (?:No such file or directory|(?:[Cc]ommand )?not found)\.?$|^\S*sh:(?:\d+:)? no such file or directory: /\S*rsync|Unknown command: '?/\S*rsync`), "there is no such rsync on the remote", "install it there, or set rsync-path to where it is", Attention},
	{expressionOf(`(?:rsync: (?:command )?not found|command not found: rsync|Unknown command: '?rsync)`), "there is no rsync on the remote", installRsync, Attention},
	{literal("rrsync error: Another instance of rrsync is already accessing"), "the remote lets one rsync in at a time, and another one is there", "rrsync -no-lock lets several in", Trouble},
	{expressionOf(`rrsync error: sending to read-only server`), "the key may only read there", "take -ro from rrsync in the remote's authorized_keys", Attention},
	{expressionOf(`rrsync error: option --(?:delete|remove)\S* has been disabled`), "the key may not delete there", "take -no-del from rrsync in the remote's authorized_keys: a mirror has to delete", Attention},
	{expressionOf(`rrsync error: option (?:-b|--backup-dir|--delay-updates) has been disabled`), "the key may not overwrite there", "take -no-overwrite from rrsync in the remote's authorized_keys", Attention},
	{expressionOf(`^Unknown --usermap name on receiver`), "the remote does not know the user", "make the user there, or set owner to a number: an rsync daemon that uses chroot knows no names", Done},
	{expressionOf(`^Unknown --groupmap name on receiver`), "the remote does not know the group", "make the group there, or set group to a number: an rsync daemon that uses chroot knows no names", Done},
	{expressionOf(`sudo: command not found|sudo: not found|command not found: sudo|Unknown command: '?sudo`), "there is no sudo on the remote", "set sudo=off, or install sudo there", Attention},
	{literal("you must have a tty to run sudo"), "sudo does not let rsync be run there without a terminal", "take requiretty away for the user in sudoers(5) there, such as: Defaults:deploy !requiretty", Attention},
	{expressionOf(`^sudo: |^Sorry, user \S+ (?:is not allowed to execute|may not run sudo)|is not in the sudoers file`), "sudo does not let rsync be run there", "the user needs a line in sudoers(5) there, such as: deploy ALL=(root) NOPASSWD: /usr/bin/rsync", Attention},

	// Daemons that refuse.
	{literal("auth failed on module"), "the rsync daemon refused the user or the password", "attach with --user and --password-file", Done},
	{literal("Unknown module"), "the rsync daemon has no such module", "rsync HOST:: lists its modules", Done},
	{literal("module is read only"), "the rsync daemon's module is read-only", "set read only = no for the module", Done},
	{expressionOf(`^@ERROR: access denied to `), "the rsync daemon does not let this machine in", "see hosts allow and hosts deny of the module in rsyncd.conf there", Done},
	{literal("@ERROR: chroot failed"), "the rsync daemon cannot enter the module's directory", "make the directory that path names in rsyncd.conf there; use chroot = yes needs a daemon that runs as root", Done},
	{expressionOf(`^@ERROR: chdir failed`), "the rsync daemon cannot enter the module's directory", "make the directory that path names in rsyncd.conf there, which the module's uid must be able to enter", Done},
	{literal("max connections"), "the rsync daemon has no connection free", "wsync tries again within a minute; max connections in rsyncd.conf there says how many there may be", Trouble},
	{expressionOf(`^@ERROR: (?:invalid|unknown|failed to (?:get|look up)) [ug]id`), "the rsync daemon does not know the user that the module is to run as", "see uid and gid of the module in rsyncd.conf there", Done},
	{expressionOf(`^The server is configured to refuse --delete`), "the rsync daemon refuses deletions", "take delete from refuse options of the module in rsyncd.conf there: a mirror has to delete", Done},
	{expressionOf(`^The server is configured to refuse (\S+)`), "the rsync daemon refuses an option", "take it from refuse options of the module in rsyncd.conf there", Done},
	{expressionOf(`^pre-xfer exec returned failure|^@ERROR: early exec failed`), "a program that the rsync daemon asks does not let this be done", "see pre-xfer exec and early exec of the module in rsyncd.conf there", Done},
	{literal("module is write only"), "the rsync daemon's module is write-only", "set write only = no for the module: wsync has to look at what is there", Done},
	{expressionOf(`server sent ".*" rather than greeting`), "what listens there is no rsync daemon", "check the port", Done},
	{expressionOf(`did not see server greeting|didn't get server startup line`), "the rsync daemon ended the connection before it began", "the daemon's log there says why", Done},
	{expressionOf(`ERROR: password file must not be other-accessible`), "others may read the password file", "chmod 600 it", Done},
	{expressionOf(`ERROR: password file must be owned by `), "the password file belongs to somebody else", "chown it to the user who runs the daemon of wsync", Done},
	{expressionOf(`could not open password file|failed to read a password from`), "the password file cannot be read", "it must be there, and readable for the user who runs the daemon of wsync", Done},
	{literal("The remote path must start with a module name"), "the destination names no module", "write it HOST::MODULE/PATH; rsync HOST:: lists the modules", Done},
}

// ending is for a word of the system, with which a line ends: names of files may have it
// as well.
func ending(text string) *expression {
	return expressionOf(`(?:^|: )(?:` + text + `)(?: \(\d+\))?\.?$`)
}

func literal(text string) *expression { return expressionOf(regexp.QuoteMeta(text)) }
