package rsync

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"wsync/config"
)

// A remote with config.Remote.Trash keeps what rsync deletes or overwrites:
// rsync moves it to a directory of the transfer, below config.TrashDirectory,
// where it has the path that it had. Directories of transfers that are too old
// are removed by ExpireTrash. Directories themselves are not kept, but those
// around what is.

// trashLayout is the form of a transfer's directory: its time, in UTC, with
// microseconds, because what two transfers replace must not replace each other.
const trashLayout = "2006-01-02T15-04-05.000000Z"

// trashLine is a line of a listing: a directory with the name of a transfer.
var trashLine = expressionOf(`^d[rwxsStT-]{9}\S* .* (\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}Z)$`)

// Trashes reports whether a run for this remote keeps what it deletes.
func (e Endpoint) Trashes() bool { return e.Remote.Trash != 0 && !e.Strategy.Basic }

// Untrashed reports whether the remote is to keep a trash and its rsync cannot.
func (e Endpoint) Untrashed() bool { return e.Remote.Trash != 0 && e.Strategy.Basic }

// trash are the options of a run that may delete or overwrite.
func (e Endpoint) trash() []string {
	if !e.Trashes() || e.Began.IsZero() {
		return nil
	}
	return []string{"--backup", "--backup-dir=" + e.fromTop(TrashOf(e.Began))}
}

// TrashOf is the directory, in the destination, of a transfer that began at that time.
func TrashOf(began time.Time) string {
	return config.TrashDirectory + "/" + began.UTC().Format(trashLayout)
}

// fromTop names a directory in the destination for an option. rsync takes it from
// there, but an rrsync of today from the directory that it is restricted to.
func (e Endpoint) fromTop(name string) string {
	switch to := e.Remote.RemotePath; {
	case !e.Strategy.Unnamed || e.Remote.Connection.Kind() != config.KindSSH: // no rrsync: that gives no version
	case strings.HasPrefix(to, "/"):
		return path.Join(to, name)
	case e.Strategy.WindowRefused: // as rrsync does, whose "/" is that directory
		return path.Join("/", to, name)
	}
	return name
}

// bytewise is the option that compares files by content. What is only sent
// again would be overwritten by the same, which is no reason to keep it.
func (e Endpoint) bytewise() string {
	if e.Trashes() {
		return "--checksum"
	}
	return "--ignore-times"
}

// ListTrash lists what TrashBefore reads. It fails where there is no trash yet.
func ListTrash(e Endpoint) Job {
	job := e.unfiltered([]string{"--list-only"}, nil)
	last := len(job.Args) - 1
	return Job{Args: append(job.Args[:last-1:last-1], job.Args[last]+config.TrashDirectory+"/")}
}

// ListTrashSizes lists all that is in the trash; each line is for TrashSizes.Add.
func ListTrashSizes(e Endpoint, line func(line string)) Job {
	job := e.unfiltered([]string{"--list-only", "--recursive"}, nil)
	last := len(job.Args) - 1
	return Job{Args: append(job.Args[:last-1:last-1], job.Args[last]+config.TrashDirectory+"/"), Listing: line}
}

// TrashSizes are the sizes in bytes of directories of transfers in the trash, by their
// names.
type TrashSizes map[string]int64

// Add adds a line of a ListTrashSizes.
func (s TrashSizes) Add(line string) {
	l, ok := ParseListed(line)
	name, _, _ := strings.Cut(l.Path, "/")
	if !ok || !isTransfer(name) {
		return
	}
	if l.Kind != 'd' {
		s[name] += l.Size
	} else if _, ok := s[name]; !ok {
		s[name] = 0
	}
}

// Above returns the directories, the oldest first, without which the trash has no more
// than limit bytes.
func (s TrashSizes) Above(limit int64) (names []string) {
	var total int64
	for _, size := range s {
		total += size
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if total <= limit {
			break
		}
		total -= s[name]
		names = append(names, name)
	}
	return names
}

func isTransfer(name string) bool {
	_, err := time.Parse(trashLayout, name)
	return err == nil && len(name) == len(trashLayout)
}

// TrashBefore returns the directories of transfers that began before limit, from the
// output of a ListTrash.
func TrashBefore(listing string, limit time.Time) (names []string) {
	for line := range strings.Lines(listing) {
		found := trashLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if found == nil {
			continue
		}
		began, err := time.Parse(trashLayout, found[1])
		if err == nil && began.Before(limit) {
			names = append(names, found[1])
		}
	}
	return names
}

// privateTrash is the first line of the listing of a directory that only its
// owner can enter.
var privateTrash = expressionOf(`(?m)^drwx------\S* .* \.$`)

// IsPrivate tells from the output of a ListTrash that only the owner can look
// into the trash.
func IsPrivate(listing string) bool { return privateTrash.MatchString(listing) }

// MaxExpired is how many directories an ExpireTrash may remove: they are arguments.
const MaxExpired = 500

// ExpireTrash removes directories of the trash, which must be names from
// TrashBefore or TrashSizes.Above, and nothing else. It must be run in an empty directory, and makes
// the mode and times of the trash those of that one.
func ExpireTrash(e Endpoint, names []string) Job {
	args := []string{"--recursive", "--delete"}
	for _, name := range names {
		args = append(args, "--include=/"+name, "--include=/"+name+"/**")
	}
	job := e.asHere().unfiltered(append(args, "--exclude=*"), nil)
	job.Args[len(job.Args)-1] += config.TrashDirectory + "/"
	return job
}
