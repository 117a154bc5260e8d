package transfer

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"wsync/monitor/remote"
	"wsync/monitor/ssh"
)

// findOut puts a better reason into the outcome of a transfer that failed because
// no rsync answered. What answers instead shows when it is asked for nothing; that
// takes a moment, and is done after such a failure only.
func (l *Lane) findOut(ctx context.Context, out *remote.Outcome) {
	account, err := l.connection.Ask(ctx, l.environment())
	if err != nil {
		l.log.Debug("Cannot find out what the account lets be done", zap.Error(err))
		return
	}
	message, hint := accountWords(account)
	if message == "" {
		return
	}
	// The host is there, and nothing has begun.
	out.Failure = failed(remote.Attention, errors.New(message), hint)
	out.Causes &^= remote.Interrupted
}

// accountWords says why no rsync can be run on an account, and what to do, or ""
// if the account is not why.
func accountWords(a ssh.Account) (message, hint string) {
	says := ""
	if a.Said != "" {
		says = fmt.Sprintf("; it says %q", a.Said)
	}
	switch {
	case a.Commands && a.Said == "":
		return "", ""
	case a.Commands:
		return fmt.Sprintf("the login shell on the remote says something before rsync does: %q", a.Said),
			"ssh HOST true must print nothing: look for what does in the shell's start-up files there, and let it print on terminals only"
	case a.SFTP:
		return "the account on the remote has sftp, but runs no commands, and rsync is one" + says,
			"give the account a login shell and rsync, or a key with command=\"rrsync DIRECTORY\"; sftp alone cannot verify what is there"
	}
	return "the account on the remote runs no commands, and rsync is one" + says,
		"give the account a login shell there, such as with chsh -s /bin/sh"
}
