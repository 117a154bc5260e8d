package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitecture holds ARCHITECTURE.md to what is there: each file, package,
// test and script that it names exists.
func TestArchitecture(t *testing.T) {
	content, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, scripts := make(map[string]bool), make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err = filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(path, "_test.go"):
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, found := range function.FindAllSubmatch(source, -1) {
				tests[string(found[1])] = true
			}
		case strings.HasSuffix(path, ".txtar"):
			scripts[e.Name()] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, quoted := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(content), -1) {
		name := quoted[1]
		var there bool
		switch first, _, _ := strings.Cut(name, "/"); {
		case strings.HasPrefix(name, "Test"):
			there = tests[name]
		case strings.HasSuffix(name, ".txtar"):
			there = scripts[name]
		case first == "monitor" || first == "daemon" || first == "watchdog" || first == "client" || first == "config" || strings.HasSuffix(name, ".go"):
			_, err := os.Stat(name)
			there = err == nil
		default:
			continue
		}
		if !there {
			t.Errorf("ARCHITECTURE.md names %s, which does not exist", name)
		}
	}
}
