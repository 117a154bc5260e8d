package gitignore

import (
	"slices"
	"strings"
	"testing"
)

// fifty are rules as a project with several languages has them.
const fifty = `*.o
*.a
*.so
*.so.*
*.dylib
*.exe
*.test
*.out
*.prof
/bin/
/dist/
/build/
node_modules/
bower_components
npm-debug.log*
yarn-error.log*
.pnpm-debug.log*
.env
.env.*
!.env.example
coverage/
.nyc_output
*.tsbuildinfo
.cache
.parcel-cache
.next/
__pycache__/
*.py[cod]
*$py.class
.venv
venv/
.pytest_cache/
.mypy_cache/
*.egg-info/
.tox/
target/
**/*.rs.bk
*.iml
.idea/**
!.idea/codeStyles
.vscode/*
!.vscode/settings.json
*.sw[a-p]
*~
.DS_Store
Thumbs.db
docs/_build/
src/**/generated/
/tmp/*
!/tmp/.keep
`

var benchPaths = []string{"main.go", "src/server/handlers/user_handler.go", "web/app/components/button/Button.test.tsx", "src/native/codec/frame.o", "README.md", "api/v1/generated/schema.json", "node_modules/left-pad/index.js"}

// BenchmarkFifty measures a path, with all directories above it, by fifty rules.
func BenchmarkFifty(b *testing.B) {
	tree := new(Tree).With("", Parse(".gitignore", []byte(fifty)))
	b.Run("Check", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			tree.Check(benchPaths[i%len(benchPaths)], false)
		}
	})
	b.Run("CheckEntry", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			tree.CheckEntry(benchPaths[i%len(benchPaths)], false)
		}
	})
	// Rules of which the last byte of a name rules out none.
	var hard strings.Builder
	for line := range strings.Lines(fifty) {
		hard.WriteString("a*" + strings.TrimSpace(strings.Trim(line, "!/\n")) + "*\n")
	}
	b.Run("Open", func(b *testing.B) {
		tree := new(Tree).With("", Parse(".gitignore", []byte(hard.String())))
		for i := 0; b.Loop(); i++ {
			tree.Check(benchPaths[i%len(benchPaths)], false)
		}
	})
	b.Run("Nested", func(b *testing.B) {
		tree := NewTree(parse("config", "*.swp", "4913")).With("", Parse(".gitignore", []byte(fifty))).
			With("src", parse("src/.gitignore", "*.gen.go")).With("src/server", parse("src/server/.gitignore", "/handlers/*.txt"))
		for i := 0; b.Loop(); i++ {
			tree.Check(benchPaths[i%len(benchPaths)], false)
		}
	})
}

// BenchmarkParse measures the reading of fifty rules.
func BenchmarkParse(b *testing.B) {
	text := []byte(fifty)
	for b.Loop() {
		Parse(".gitignore", text)
	}
}

// The benchmark measures what it says.
func TestBenchmarkHasFiftyRules(t *testing.T) {
	f := Parse(".gitignore", []byte(fifty))
	if len(f.Rules()) != 50 || len(f.Problems()) != 0 {
		t.Errorf("%d rules, %v", len(f.Rules()), f.Problems())
	}
	tree := new(Tree).With("", f)
	var ignored []string
	for _, path := range benchPaths {
		if tree.Check(path, false).Ignored {
			ignored = append(ignored, path)
		}
	}
	if want := []string{"src/native/codec/frame.o", "node_modules/left-pad/index.js"}; !slices.Equal(ignored, want) {
		t.Errorf("%q are ignored, expected %q", ignored, want)
	}
}
