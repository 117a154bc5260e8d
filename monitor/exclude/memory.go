package exclude

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"wsync/monitor/exclude/gitignore"
	"wsync/monitor/relpath"
)

// A directory that goes takes its rule files along, and what they say of it still holds:
// a remote may have something in it that they ignore, and that stays there. So rules of
// directories that are gone stay in force until there is a directory of that name again.
// A monitor that comes later must know of them, and so they are kept in a file: as they
// were when they were whole, so that a file that is half written when it begins releases
// nothing, either.

// memory is what is kept.
type memory struct {
	// Files are the texts of rule files of the tree, by their paths.
	Files map[string]string `json:"files,omitempty"`
	// Tagged are the directories that hold a tag, with its name.
	Tagged map[string]string `json:"tagged,omitempty"`
}

// memoryLimit is how many bytes of paths and texts are kept. Rules beyond are forgotten
// with the process.
const memoryLimit = 8 << 20

// saveInterval is the least time between two times that it is written for changes alone.
const saveInterval = time.Second

// Remember has the rules of directories that are gone kept in a file, and takes in those
// that it has. It comes before anything else.
func (l *Live) Remember(file string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.memory = file
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var m memory
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		return err
	}
	for _, dir := range m.directories() {
		d := m.found(dir, l.options)
		if !isRoot(dir) && l.isGone(dir) {
			for i, f := range d.files {
				d.files[i] = f.WithoutProblems()
			}
			l.current, l.settled = l.current.with(dir, d), l.settled.with(dir, d)
		} else {
			l.resume(dir, d)
		}
	}
	l.publish()
	return nil
}

// resume takes in what the files of a directory have said as a whole. Where they say
// something else now, it may not be whole: whoever has written it may have been at work
// when the monitor that came before this one ended. The caller holds mu.
func (l *Live) resume(dir string, d found) {
	l.current, l.settled = l.current.with(dir, d), l.settled.with(dir, d)
	now, err := l.read(dir)
	if err == nil {
		l.current = l.current.with(dir, now)
	}
	if err == nil && now.says(d) {
		l.settled = l.settled.with(dir, now)
		return
	}
	u := unsettled{changed: time.Now(), thin: now.thin, unread: err != nil}
	u.open = now.writtenAfter(u.changed.Add(-openTime))
	l.unsettled[dir] = u
}

// writtenAfter reports whether one of the files was written to after a time: nobody has
// told whether it was closed since.
func (d found) writtenAfter(t time.Time) bool {
	for _, s := range d.stamps {
		if s.info != nil && s.info.ModTime().After(t) {
			return true
		}
	}
	return false
}

// found returns what is kept of a directory.
func (m memory) found(dir string, o *options) (d found) {
	for _, name := range o.fileNames() {
		source := relpath.Join(dir, name)
		if text, ok := m.Files[source]; ok {
			d.files = append(d.files, gitignore.Parse(source, []byte(text)))
		}
	}
	if i := slices.Index(o.tags, m.Tagged[dir]); i >= 0 {
		d.tag = &o.tagRules[i]
	}
	return d
}

// says reports whether a directory says what another one does.
func (d found) says(other found) bool {
	same := func(a, b *gitignore.File) bool { return a.Source() == b.Source() && a.Text() == b.Text() }
	return d.tag == other.tag && slices.EqualFunc(d.files, other.files, same)
}

// directories are those of which something is kept.
func (m memory) directories() []string {
	dirs := slices.Collect(maps.Keys(m.Tagged))
	for source := range m.Files {
		dirs = append(dirs, relpath.Parent(source))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// inherit takes over what another Live of the workspace knows of directories that are
// gone; the caller holds the mu of that one, and is the only one to use l.
func (l *Live) inherit(other *Live) {
	for _, dir := range other.within("") {
		if isRoot(dir) || !other.isGone(dir) {
			continue
		}
		d := found{}
		for _, f := range other.current.tree.Files(dir) {
			if slices.Contains(l.options.fileNames(), f.Name()) {
				d.files = append(d.files, f)
			}
		}
		if rule := other.current.tagged[dir]; rule != nil {
			if i := slices.Index(l.options.tags, rule.Pattern); i >= 0 {
				d.tag = &l.options.tagRules[i]
			}
		}
		l.current, l.settled = l.current.with(dir, d), l.settled.with(dir, d)
	}
}

// isGone reports whether there is no directory of a name.
func (l *Live) isGone(dir string) bool {
	info, err := os.Lstat(abs(l.root, dir))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)
	}
	return !info.IsDir()
}

// saveLater has what is to be kept written soon; the caller holds mu.
func (l *Live) saveLater() {
	if l.memory == "" || l.saving {
		return
	}
	l.saving = true
	time.AfterFunc(saveInterval-time.Since(l.saved), func() { _ = l.Save() }) // the next change tries again
}

// Save writes what is to be kept, unless that is done. It is called before anything is
// deleted on a remote, and at the end: the directory that says what stays there may be gone
// when the next monitor begins.
func (l *Live) Save() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	if !l.saving {
		l.mu.Unlock()
		return nil
	}
	l.saving, l.saved = false, time.Now()
	file, m := l.memory, l.remembered()
	l.mu.Unlock()
	err := writeMemory(file, m)
	if err != nil {
		l.mu.Lock()
		l.saveLater()
		l.mu.Unlock()
	}
	return err
}

// writeMemory replaces the file.
func writeMemory(file string, m memory) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+"-")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		os.Remove(temp.Name())
	}
	return err
}

// remembered is what is to be kept; the caller holds mu.
func (l *Live) remembered() memory {
	m := memory{Files: make(map[string]string), Tagged: make(map[string]string)}
	size := 0
	keep := func(key, value string, in map[string]string) {
		if size += len(key) + len(value); size <= memoryLimit {
			in[key] = value
		}
	}
	l.settled.tree.Below("", func(dir string, files []*gitignore.File) bool {
		for _, f := range files {
			keep(relpath.Join(dir, f.Name()), f.Text(), m.Files)
		}
		return true
	})
	for dir, rule := range l.settled.tagged {
		keep(dir, rule.Pattern, m.Tagged)
	}
	return m
}
