package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// fileVersion is the version of the workspace file that is written here, and the newest
// that is read. A file of version 1 is a list, as the original's is, and does not say so. It
// grows when an earlier wsync that reads the file without knowing what is new could do harm: by
// deleting, for example, what an option of the new version keeps. Such a file is an object with a
// "version", and what reads the file up to now refuses it.
const fileVersion = 1

// LoadWorkspaces reads the workspace file. A file that does not exist holds no
// workspaces. An empty file is an error, and so is a symbolic link to nothing:
// wsync never writes the one nor makes the other, so something else has
// happened, such as a full disk or a disk that is not mounted, and to go on
// would forget the workspaces at the next change.
//
// Paths are brought into the form that Validate asks for: without trailing
// slashes, and a module without a leading one. An error says at which line and
// column the file is wrong, or which workspace is, and is ErrMalformed then; the file
// is never changed.
func LoadWorkspaces(path string) ([]Workspace, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, lstatErr := os.Lstat(path); errors.Is(lstatErr, fs.ErrNotExist) {
			return nil, nil
		}
		err = errors.New("it is a symbolic link to a file that does not exist")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the workspace file %s: %w", path, cause(err))
	}
	workspaces, err := decodeWorkspaces(data)
	if err != nil {
		var wrong *decodeError
		if errors.As(err, &wrong) {
			line, column := position(data, wrong.offset)
			return nil, malformed{fmt.Errorf("cannot read the workspace file: %s:%d:%d: %w", path, line, column, err)}
		}
		return nil, malformed{fmt.Errorf("cannot read the workspace file: %s: %w", path, err)}
	}
	if err := checkWriters(path, workspaces); err != nil {
		return nil, fmt.Errorf("cannot use the workspace file %s: %w", path, err)
	}
	return workspaces, nil
}

func decodeWorkspaces(data []byte) ([]Workspace, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("the file is empty: restore it from a backup, or remove it to begin without workspaces")
	}
	if i := invalidUTF8(data); i >= 0 {
		return nil, &decodeError{offset: i, message: "not valid JSON: expected UTF-8"}
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			// Offset counts the bytes up to and with the wrong one.
			return nil, &decodeError{offset: int(syntax.Offset) - 1, message: "not valid JSON: " + err.Error()}
		}
		return nil, err
	}
	if string(raw) == "null" {
		return nil, &decodeError{message: "expected a list of workspaces, found null"}
	}
	if err := refuseNewer(raw); err != nil {
		return nil, inside(err, bytes.Index(data, raw), "")
	}
	var workspaces list[Workspace]
	// The list begins after the white space in front of it.
	if err := decodeValue(raw, &workspaces); err != nil {
		return nil, inside(err, bytes.Index(data, raw), "")
	}
	for i := range workspaces {
		workspaces[i].clean()
	}
	if err := ValidateAll(workspaces); err != nil {
		return nil, err
	}
	return workspaces, nil
}

// refuseNewer returns an error for the file of a later version.
func refuseNewer(raw json.RawMessage) error {
	if raw[0] != '{' {
		return nil
	}
	var file struct {
		Version json.Number `json:"version"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil // what else it is, is said elsewhere
	}
	if version, err := file.Version.Int64(); err != nil || version <= fileVersion {
		return nil
	}
	return &decodeError{message: fmt.Sprintf(
		"it is of version %s, which a newer wsync has written; this one reads version %d: install the newer one again, or restore the file of before from a backup",
		file.Version, fileVersion)}
}

// clean brings the paths of a hand-written file, or one of the original, into
// the form that Validate asks for.
func (w *Workspace) clean() {
	if w.LocalPath != "" {
		w.LocalPath = filepath.Clean(w.LocalPath)
	}
	for i := range w.Remotes {
		r := &w.Remotes[i]
		r.RemotePath = cleanRemotePath(r.Connection.Kind(), r.RemotePath)
	}
}

// invalidUTF8 returns the offset of the first byte that is no UTF-8, or -1.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// position turns an offset into a line and a column, both from 1. Columns
// count characters.
func position(data []byte, offset int) (line, column int) {
	before := data[:min(max(offset, 0), len(data))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

// SaveWorkspaces writes the workspace file atomically and with mode 0600, in a
// directory that must exist. Where path is a symbolic link, the file that it
// leads to is written. Workspaces that LoadWorkspaces would refuse are an
// error, and the file stays as it was.
func SaveWorkspaces(path string, workspaces []Workspace) error {
	if err := saveWorkspaces(path, workspaces); err != nil {
		return fmt.Errorf("cannot write the workspace file %s: %w", path, err)
	}
	return nil
}

func saveWorkspaces(path string, workspaces []Workspace) error {
	if err := ValidateAll(workspaces); err != nil {
		return err
	}
	compact, err := encodeValue(list[Workspace](workspaces))
	if err != nil {
		return err
	}
	var data bytes.Buffer
	if err := json.Indent(&data, compact, "", "  "); err != nil {
		return err
	}
	data.WriteByte('\n')
	if _, err := os.Lstat(path); err == nil {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	return writeAtomically(path, data.Bytes())
}
