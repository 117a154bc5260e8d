package remotetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// A keyPair is a key of ssh without a passphrase, as the two files have it.
type keyPair struct{ private, public []byte }

// makeKeys makes the keys of all servers of this process: what tells one server from
// another is its port, and ssh-keygen takes as long as a login.
var makeKeys = sync.OnceValues(func() (keys struct{ host, identity keyPair }, err error) {
	if keys.host, err = makeKey(); err == nil {
		keys.identity, err = makeKey()
	}
	return keys, err
})

// keyPairs returns the keys of all servers of this process.
func keyPairs(t T) struct{ host, identity keyPair } {
	t.Helper()
	keys, err := makeKeys()
	if err != nil {
		t.Fatalf("cannot make a key: %v", err)
	}
	return keys
}

// NewKey makes a key that no server lets in, and returns the file of the private key.
func NewKey(t T) string {
	t.Helper()
	pair, err := makeKey()
	if err != nil {
		t.Fatalf("cannot make a key: %v", err)
	}
	file := filepath.Join(t.TempDir(), "key")
	pair.write(t, file)
	return file
}

// makeKey makes a key pair.
func makeKey() (pair keyPair, err error) {
	dir, err := os.MkdirTemp("", "wsync-key-")
	if err != nil {
		return pair, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "key")
	out, err := exec.Command(programs()["ssh-keygen"], "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file).CombinedOutput()
	if err != nil {
		return pair, fmt.Errorf("%w\n%s", err, out)
	}
	if pair.private, err = os.ReadFile(file); err == nil {
		pair.public, err = os.ReadFile(file + ".pub")
	}
	return pair, err
}

// write writes the files of a key: file and file.pub.
func (k keyPair) write(t T, file string) {
	t.Helper()
	writeFile(t, file, string(k.private), 0o600)
	writeFile(t, file+".pub", string(k.public), 0o644)
}
