package rsync

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestReadLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line string
		want Result
	}{
		{"", Result{}},
		{"<f+++++++++ 12 a b", Result{Progress: Progress{1, 12, "a b", 0}, Changed: 1, Created: 1}},
		{">f..t...... 3 x", Result{Progress: Progress{1, 3, "x", 0}, Changed: 1}},
		{".d..t...... 4096 ./", Result{}},
		{"cd+++++++++ 4096 d/", Result{Created: 1}},
		{"cL+++++++++ 1 l", Result{Changed: 1, Created: 1}},
		{".f...p..... 1 x", Result{Changed: 1}},
		{"hf+++++++++ 0 h => x", Result{Changed: 1, Created: 1}},
		{"hf          5 new/y", Result{Changed: 1}},
		{"*deleting   0 d/a b", Result{Changed: 1, Deleted: 1, DeletedSample: []string{"d/a b"}}},
		{`*deleting   0  lead\#012x`, Result{Changed: 1, Deleted: 1, DeletedSample: []string{" lead\nx"}}},
		{"Number of files: 1,234 (reg: 1,000, dir: 234)", Result{Entries: 1234}},
		{"Number of files: 5", Result{Entries: 5}},
		{"Number of files: x", Result{}},
		{"Number of deleted files: 3", Result{}},
		{"created directory /x y", Result{}},
		{"cannot delete non-empty directory: x", Result{Stderr: "\ncannot delete non-empty directory: x\n"}},
		{`skipping non-regular file "x"`, Result{Stderr: "\nskipping non-regular file \"x\"\n"}},
		{"total size is 4  speedup is 0.01", Result{}},
		{"IO error encountered -- skipping file deletion", Result{Stderr: "\nIO error encountered -- skipping file deletion\n"}},
	} {
		var got Result
		got.readLine(test.line)
		if got.reported != nil {
			got.Stderr = got.reported.String()
		}
		if got.Code != test.want.Code || got.Stderr != test.want.Stderr || got.Progress != test.want.Progress || got.Changed != test.want.Changed || got.Created != test.want.Created ||
			got.Deleted != test.want.Deleted || got.Entries != test.want.Entries || !slices.Equal(got.DeletedSample, test.want.DeletedSample) {
			t.Errorf("%q: got %+v, want %+v", test.line, got, test.want)
		}
	}
	var r Result
	for _, made := range []string{"a", "a/b", "ab", "c/d", "c/d/e/f", "c"} {
		r.readLine("cd+++++++++ 4096 " + made + "/")
	}
	if !slices.Equal(r.Made, []string{"a", "ab", "c/d", "c"}) {
		t.Errorf("%q were made", r.Made)
	}
	for range 100 {
		r.readLine("*deleting   0 x")
	}
	if r.Deleted != 100 || len(r.DeletedSample) != deletedSample {
		t.Errorf("%d deletions, %d named", r.Deleted, len(r.DeletedSample))
	}
}

func FuzzReadLine(f *testing.F) {
	f.Add("<f+++++++++ 12 a b")
	f.Add("*deleting   0  lead\\#012x")
	f.Add("Number of files: 1,234 (")
	f.Fuzz(func(t *testing.T, line string) {
		var r Result
		r.readLine(line)
		r.readLine(line)
		if r.Deleted > r.Changed || len(r.DeletedSample) > deletedSample || r.Files > 2 {
			t.Errorf("%q: %+v", line, r)
		}
	})
}

// Of a file that is to be one with another, and differs in nothing else, rsync writes a
// code with blanks, whose name must not be lost.
func TestReadLinked(t *testing.T) {
	var got []string
	r := Result{differing: func(name, code string) { got = append(got, name+" "+code) }}
	r.readLine("hf          5 a  b")
	r.readLine("hf..t...... 5 c")
	r.readLine("hf is what somebody says")
	if want := []string{"a  b hf.........", "c hf..t......"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Between names rsync says how far it is within a file, as it was seen to with
// --bwlimit=8000; a line of that is no name.
func TestReadPart(t *testing.T) {
	t.Parallel()
	const said = "<f+++++++++ 2 aa\n\r              2   0%    0.00kB/s    0:00:00  \r              2   0%    0.00kB/s    0:00:00 (xfr#1, to-chk=2/3)\n" +
		"<f+++++++++ 30000000 big30\n\r      8,617,986  28%    7.85MB/s    0:00:02  \r     17,268,738  57%    7.83MB/s    0:00:01  "
	var sent []string
	var parts []int64
	r := Result{sending: func(path string, size int64) { sent = append(sent, path) }}
	from := bufio.NewReaderSize(strings.NewReader(said), 16) // so that lines are cut
	for {
		line, err := readLine(from)
		if r.readPart(line) {
			parts = append(parts, r.Part)
		} else {
			r.readLine(line)
		}
		if err != nil {
			break
		}
	}
	if want := []int64{2, 2, 8_617_984, 17_268_736}; !slices.Equal(parts, want) {
		t.Errorf("parts %v, expected %v", parts, want)
	}
	if want := []string{"aa", "big30"}; !slices.Equal(sent, want) || r.Files != 2 || r.Bytes != 30_000_002 || r.Changed != 2 || r.reported != nil {
		t.Errorf("sent %q, %+v", sent, r)
	}
}

// said is what rsync writes, a piece at a time.
type said []string

func (s *said) Read(p []byte) (int, error) {
	if len(*s) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*s)[0])
	*s = (*s)[1:]
	return n, nil
}

// What rsync says of a file that is on its way ends with the beginning of the next
// line, and is told when it has come so far.
func TestPartIsTold(t *testing.T) {
	t.Parallel()
	const told = "\r     10,000,000  10%   15.99MB/s    0:00:32  "
	pieces := said{"<f+++++++++ 100000000 big\n\r         32,768   0%    0.00kB/s    0:00:00  ", told, strings.Replace(told, "10,", "20,", 1), strings.Replace(told, "10,", "30,", 1)}
	left := len(pieces)
	var parts []int64
	var r Result
	r.read(&pieces, func(p Progress) {
		if len(pieces) < left { // the first time since it was read
			parts, left = append(parts, p.Part), len(pieces)
		}
	})
	if want := []int64{0, 32_768, 10_000_000, 20_000_000}; !slices.Equal(parts, want) {
		t.Errorf("told %v, expected %v", parts, want)
	}
}
