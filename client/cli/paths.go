package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// absolutePath returns a path of this machine as a shell would understand it:
// relative to the working directory, "~" for the home directory. Shells leave "~"
// alone in quotes and behind "--option=". Only the client knows what a relative
// path is relative to.
func absolutePath(path string) (string, error) {
	if path == "~" || strings.HasPrefix(path, "~/") {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		return filepath.Join(home, path[1:]), nil
	}
	if strings.HasPrefix(path, "~") {
		return "", fmt.Errorf("%q is not expanded: write the absolute path, or ./%s for a name that begins so", path, path)
	}
	if path == "" {
		return "", errors.New("the path is empty")
	}
	return filepath.Abs(path)
}

// withLocalPath returns a destination in which a path of this machine is absolute.
// What could be a host keeps its form: a word without a slash, which may lack the
// path, and all that has a colon before the first slash.
func withLocalPath(dest string) (string, error) {
	first, _, slash := strings.Cut(dest, "/")
	if strings.Contains(first, ":") || filepath.IsAbs(dest) || !slash && first != "." && first != ".." && !strings.HasPrefix(first, "~") || dest == "" {
		return dest, nil
	}
	return absolutePath(dest)
}
