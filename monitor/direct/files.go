package direct

import (
	"errors"
	"io"
	"io/fs"
	"sync"

	"wsync/monitor/beneath"
)

// Files reads the workspace's files for the lanes of all its remotes. What one
// of them has read is at hand for the others, which send the same change a
// moment later. Its methods may be called from any goroutine.
type Files struct {
	root string
	mark func() uint64

	mu      sync.Mutex // guards everything below
	recent  map[string]content
	bytes   int
	reading map[string]chan struct{} // closed when somebody has read the file
}

// content is a file as it was when it was read.
type content struct {
	info fs.FileInfo
	data []byte
	// mark is the number of the last mark when the file was not open yet: the
	// content has all that was marked until then.
	mark uint64
}

// recentBytes bounds what is kept, recentOverhead is what a file takes beside
// its content: there may be millions of empty ones.
const (
	recentBytes    = 4 << 20
	recentOverhead = 512
)

// NewFiles returns Files for the workspace in the directory root, whose marks are
// numbered; mark returns the last number, from any goroutine.
func NewFiles(root string, mark func() uint64) *Files {
	return &Files{root: root, mark: mark, recent: make(map[string]content), reading: make(map[string]chan struct{})}
}

// errNotSmall is that a file is not what the plan took it for.
var errNotSmall = errors.New("it is not a small regular file any more")

// read returns a file, whose path is relative to the workspace, of at most limit
// bytes as it was at or after the mark that is given. It waits for others that read the same file.
func (f *Files) read(path string, limit int64, mark uint64) (content, error) {
	f.mu.Lock()
	for {
		c, ok := f.recent[path]
		if ok && c.mark >= mark && int64(len(c.data)) <= limit {
			f.mu.Unlock()
			return c, nil
		}
		other := f.reading[path]
		if other == nil {
			break
		}
		f.mu.Unlock()
		<-other
		f.mu.Lock()
	}
	done := make(chan struct{})
	f.reading[path] = done
	f.mu.Unlock()
	c, err := f.readNow(path, limit)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.keep(path, c)
	}
	delete(f.reading, path)
	close(done)
	return c, err
}

// readNow reads a file of at most limit bytes.
func (f *Files) readNow(path string, limit int64) (content, error) {
	c := content{mark: f.mark()}
	// What a moment ago was a file may be a pipe now, and a directory above it a link.
	file, err := beneath.Open(f.root, path)
	if err != nil {
		return content{}, err
	}
	defer file.Close()
	// First the attributes: a time that is too old shows, one that is too new
	// would hide that the content is not the last.
	if c.info, err = file.Stat(); err != nil {
		return content{}, err
	}
	if !c.info.Mode().IsRegular() || c.info.Size() > limit {
		return content{}, errNotSmall
	}
	c.data = make([]byte, 0, c.info.Size()+1)
	for {
		n, err := file.Read(c.data[len(c.data):cap(c.data)])
		c.data = c.data[:len(c.data)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return content{}, err
		}
		if int64(len(c.data)) > limit {
			return content{}, errNotSmall
		}
		if len(c.data) == cap(c.data) {
			c.data = append(c.data, 0)[:len(c.data)]
		}
	}
	return c, nil
}

// keep remembers a file; the caller holds mu.
func (f *Files) keep(path string, c content) {
	size := len(path) + cap(c.data) + recentOverhead
	if f.bytes += size; f.bytes > recentBytes {
		f.recent, f.bytes = make(map[string]content), size // a map keeps its room
	}
	if size <= recentBytes {
		f.recent[path] = c
	}
}
