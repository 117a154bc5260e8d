package config

// The names that wsync uses for itself at a destination.
const (
	// TempDirectory is the directory, at the top of the destination, in which
	// small changes are made ready where sftp carries them, and in which the marks
	// are; see Mark. It is never mirrored, whatever directory it is in: there may be
	// the destination of another mirror.
	TempDirectory = ".wsync-tmp"
	// DelayDirectory is the name of the directories in which the remote's rsync
	// keeps the files of a run until its end; see Remote.DelayUpdates.
	DelayDirectory = ".wsync-delayed"
	// TrashDirectory is the directory, at the top of the destination, that
	// keeps what was deleted or overwritten; see Remote.Trash.
	TrashDirectory = ".wsync-trash"
)
