package transfer

import (
	"strings"
	"testing"

	"wsync/monitor/ssh"
)

func TestAccountWords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		account       ssh.Account
		message, hint string // parts; "" for none
	}{
		{ssh.Account{Commands: true}, "", ""},
		{ssh.Account{Commands: true, Said: "hi\x1b[31m"}, `before rsync does: "hi\x1b[31m"`, "must print nothing"},
		{ssh.Account{SFTP: true, Said: "sftp only"}, `has sftp, but runs no commands, and rsync is one; it says "sftp only"`, "login shell and rsync"},
		{ssh.Account{SFTP: true}, "has sftp, but runs no commands, and rsync is one", "login shell and rsync"},
		{ssh.Account{Said: "no"}, `runs no commands, and rsync is one; it says "no"`, "chsh"},
		{ssh.Account{}, "runs no commands, and rsync is one", "chsh"},
	} {
		message, hint := accountWords(test.account)
		if !strings.Contains(message, test.message) || !strings.Contains(hint, test.hint) || (message == "") != (test.message == "") {
			t.Errorf("%+v: %q, %q", test.account, message, hint)
		}
	}
}
