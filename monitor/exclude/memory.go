package exclude

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"wsync/monitor/exclude/gitignore"
	"wsync/monitor/relpath"
)

// A directory that goes takes its rule files along, and what they say of it still holds:
// a remote may have something in it that they ignore, and that stays there. So rules of
// directories that are gone stay in force until there is a directory of that name again.
// A monitor that comes later must know of them, and so they are kept in a file.

// memory is what is kept.
type memory struct {
	// Files are the texts of rule files below the root, by their paths.
	Files map[string]string `json:"files,omitempty"`
	// Tagged are the directories that hold a tag, with its name.
	Tagged map[string]string `json:"tagged,omitempty"`
}

// memoryLimit is how many bytes of paths and texts are kept. Rules beyond are forgotten
// with the process.
const memoryLimit = 8 << 20

// saveDelay is how long changes of what is kept are gathered.
const saveDelay = time.Second

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
		if !l.isGone(dir) {
			continue
		}
		d := found{}
		for _, name := range l.options.fileNames() {
			source := relpath.Join(dir, name)
			if text, ok := m.Files[source]; ok {
				d.files = append(d.files, gitignore.Parse(source, []byte(text)).WithoutProblems())
				l.texts[source] = text
			}
		}
		if i := slices.Index(l.options.tags, m.Tagged[dir]); i >= 0 {
			d.tag = &l.options.tagRules[i]
		}
		l.current, l.settled = l.current.with(dir, d), l.settled.with(dir, d)
	}
	l.publish()
	return nil
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
				l.texts[f.Source()] = other.texts[f.Source()]
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
	time.AfterFunc(saveDelay, func() { _ = l.Save() }) // the next change tries again
}

// Save writes what is to be kept.
func (l *Live) Save() error {
	l.mu.Lock()
	l.saving = false
	file, m := l.memory, l.remembered()
	l.mu.Unlock()
	if file == "" {
		return nil
	}
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
	l.current.tree.Below("", func(dir string, files []*gitignore.File) bool {
		for _, f := range files {
			source := relpath.Join(dir, f.Name())
			if text, ok := l.texts[source]; ok && !isRoot(dir) {
				keep(source, text, m.Files)
			}
		}
		return true
	})
	for dir, rule := range l.current.tagged {
		keep(dir, rule.Pattern, m.Tagged)
	}
	for source := range l.texts {
		if !l.current.has(relpath.Parent(source)) {
			delete(l.texts, source)
		}
	}
	return m
}

// movedTexts takes in that a directory was renamed; the caller holds mu.
func (l *Live) movedTexts(from, to string) {
	for source, text := range maps.Clone(l.texts) {
		if rest, ok := strings.CutPrefix(source, from+"/"); ok {
			l.texts[to+"/"+rest] = text
		}
	}
}
