package worker

import "testing"

func TestGitLocked(t *testing.T) {
	root := newDir(t)
	write(t, root, ".git/HEAD", ".git/refs/heads/a.lock", "w/.git/worktrees/x/HEAD", "w/.git/worktrees/x/index.lock", "m/.git/modules/s/index.lock",
		"l/.git/HEAD.lock", "file/.git")
	for dir, want := range map[string]bool{".git": false, "w/.git": true, "m/.git": false, "m/.git/modules/s": true, "l/.git": true, "none/.git": false, "file/.git": false} {
		if got := repositories(root).Locked(dir); got != want {
			t.Errorf("%s: %t", dir, got)
		}
	}
}
