package ssh

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// maxLogins is how many logins at a host are under way at once, of all monitors that share
// a directory of logins: sshd refuses some from ten on (MaxStartups of sshd_config(5)), which
// are tried again ever more rarely.
const maxLogins = 8

// turnTime is how long a login waits for its turn while no other succeeds: these may be
// waiting for a host that does not answer, which is known after ssh's ConnectTimeout.
const turnTime = 10 * time.Second

// LimitLogins bounds the logins that are under way at a host, together with all pools that
// have the same directory, also those of other processes. It is called before the first
// connection is made.
func (p *Pool) LimitLogins(dir string) { p.logins = filepath.Join(dir, "logins") }

// turn waits until another login at a host may begin, and returns the function that says
// how it ended. dir is the directory of logins, "" for no limit.
func turn(ctx context.Context, dir string, h Host) (over func(succeeded bool), err error) {
	over = func(bool) {}
	if dir == "" || os.MkdirAll(dir, 0o700) != nil {
		return over, nil // nobody has to wait for want of a file
	}
	// Only what leads to another sshd counts.
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", h.Name, h.Port))
	name := filepath.Join(dir, hex.EncodeToString(sum[:6]))
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	late := time.NewTimer(turnTime)
	defer late.Stop()
	var success time.Time // the last one of others
	for {
		newest := success
		first := rand.IntN(maxLogins)
		for i := range maxLogins {
			file, last := slot(fmt.Sprintf("%s-%d", name, (first+i)%maxLogins))
			if file != nil {
				return func(succeeded bool) { leave(file, succeeded) }, nil
			}
			if last.After(newest) {
				newest = last
			}
		}
		if newest.After(success) {
			success = newest
			late.Reset(turnTime)
		}
		select {
		case <-ctx.Done():
			return over, ctx.Err()
		case <-late.C:
			return over, nil
		case <-poll.C:
		}
	}
}

// slot locks a file, which stands for a login that is under way. If somebody else has, file
// is nil, and success when the last login of the slot succeeded.
func slot(path string) (file *os.File, success time.Time) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, time.Time{}
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return file, time.Time{}
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil {
		success = info.ModTime()
	}
	return nil, success
}

// leave unlocks a slot, as the end of the process does.
func leave(file *os.File, succeeded bool) {
	if succeeded {
		_, _ = file.WriteAt([]byte{'\n'}, 0) // its time is what counts
	}
	file.Close()
}
