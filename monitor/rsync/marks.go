package rsync

import (
	"path"
	"strings"

	"wsync/config"
)

// Levels are the directory of the remote and those above it, as far as its path
// names them and at most maxLevels: where the marks of mirrors may be that this
// one would meet.
func Levels(r config.Remote) []string {
	return levels(r.RemotePath, r.Connection.Kind() == config.KindRsyncDaemon)
}

const maxLevels = 32

func levels(name string, module bool) (all []string) {
	for len(all) < maxLevels {
		all = append(all, name)
		up := path.Dir(name)
		if up == name || module && up == "." {
			break
		}
		name = up
	}
	return all
}

// at is the endpoint with another directory as its destination.
func (e Endpoint) at(level string) Endpoint {
	e.Remote.RemotePath = level
	return e
}

// PushMark sends the mark at name, of the working directory, to the destination, or
// to a directory above it. Modes are the remote's business: others who write to the
// destination must be able to read it there.
func PushMark(e Endpoint, level, name string) Job {
	args := append([]string{"--relative", "--dirs", "--perms", "--ignore-times", "--from0", fromList}, e.mkpath()...)
	return e.at(level).plain(args, list([]string{name}))
}

// RemoveMark removes the mark at name from the destination, or from a directory above
// it, and the directory that it is in unless there is more, but makes nothing. It must
// be run in an empty directory.
func RemoveMark(e Endpoint, level, name string) Job {
	return e.at(level).plain([]string{"--recursive", "--delete", "--include=/" + path.Dir(name) + "/", "--include=/" + name, "--exclude=*"}, nil).IfThere()
}

// PullMarks fetches all marks at the levels to dir, where each has the path that it
// has there. Levels that have none make rsync complain, and end with code 23.
func PullMarks(e Endpoint, levels []string, dir string) Job {
	args := []string{"--relative", "--no-implied-dirs", "--dirs", "--include=" + config.MarkPrefix + "*", "--exclude=" + config.TempDirectory + "/*"}
	return e.pullMarks(args, levels, dir)
}

// PullOwnMarks is PullMarks for the destination alone and in a way that every rsync
// knows, also one that may only be used below a directory.
func PullOwnMarks(e Endpoint, dir string) Job {
	args := []string{"--recursive", "--include=/" + path.Base(config.MarkPrefix) + "*", "--exclude=*"}
	return e.pullMarks(args, []string{e.Remote.RemotePath}, dir)
}

// maxMark is the size in bytes above which something is no mark.
const maxMark = "4096"

func (e Endpoint) pullMarks(args, levels []string, dir string) Job {
	job := e.plain(append(args, "--max-size="+maxMark), nil)
	job.Args = job.Args[:len(job.Args)-2] // "./", and the destination
	for _, level := range levels {
		if e.Remote.Connection.Kind() != config.KindLocal {
			level = escapeWildcards(level)
		}
		job.Args = append(job.Args, e.at(level).destination()+config.TempDirectory+"/")
	}
	job.Args = append(job.Args, dir+"/")
	return job
}

// escapeWildcards keeps the other side, which expands what it is asked for, from
// taking a name for a pattern.
func escapeWildcards(name string) string {
	return strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// markIn returns the directory, relative to the destination, of another mirror whose
// mark is at a path that would be deleted.
func markIn(name string) (dir, id string, ok bool) {
	i := strings.LastIndex(name, "/"+config.MarkPrefix)
	if i < 0 {
		return "", "", false
	}
	id = name[i+len("/"+config.MarkPrefix):]
	return name[:i], id, id != "" && !strings.Contains(id, "/")
}

// IsProbe reports whether a path is what a probe has made, of this mirror or another.
func IsProbe(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	return strings.HasPrefix(top, probePrefix)
}
