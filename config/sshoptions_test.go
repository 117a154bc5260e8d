package config

import (
	"slices"
	"strings"
	"testing"
)

func TestSSHOptions(t *testing.T) {
	for value, want := range map[string]string{
		"Compression=yes":              "Compression=yes",
		"compression=yes":              "Compression=yes",
		"Ciphers=+aes128-ctr,3des-cbc": "Ciphers=+aes128-ctr,3des-cbc",
		"MACs=-hmac-sha1*":             "MACs=-hmac-sha1*",
		"HostKeyAlias=web.example.org": "HostKeyAlias=web.example.org",
		"ConnectTimeout=30":            "ConnectTimeout=30",

		// What runs something, reads or writes files, or is wsync's own business.
		"ProxyCommand=id": "", "proxycommand=id": "", "LocalCommand=id": "", "PermitLocalCommand=yes": "", "KnownHostsCommand=id": "",
		"RemoteCommand=id": "", "Match=exec": "", "Include=/tmp/x": "", "PKCS11Provider=/tmp/x.so": "", "SecurityKeyProvider=/tmp/x.so": "",
		"ProxyJump=x": "", "XAuthLocation=/tmp/x": "", "IdentityAgent=/tmp/x": "", "UserKnownHostsFile=/tmp/x": "", "ControlPath=/tmp/x": "",
		"BatchMode=no": "", "SendEnv=X": "", "SetEnv=X=y": "", "ForwardAgent=yes": "", "LogLevel=DEBUG": "", "Tag=x": "",
		"StrictHostKeyChecking=no": "", "Tunnel=yes": "", "LocalForward=1": "", "DynamicForward=1": "",
		// What is right, and more.
		"Compression": "", "Compression=": "", "Compression=yes\nProxyCommand=id": "", "Compression=yes -oProxyCommand=id": "",
		"Compression yes": "", "Ciphers=a b": "", "Ciphers=`id`": "", "Ciphers=$(id)": "", "HostKeyAlias=-oProxyCommand": "", "BindInterface=%h": "",
		"ConnectTimeout=1;id": "", "-oProxyCommand=id": "", "Compression=yes\n": "", " Compression=yes": "", "Compression =yes": "", "=yes": "",
	} {
		r := Remote{Name: "r", RemotePath: "/r", Connection: Connection{HostAlias: &HostAlias{HostAlias: "h"}}}
		err := r.SetOptions([]Assignment{{"ssh-option", value}})
		if got := strings.Join(r.SSHOptions, "|"); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", value, got, err, want)
		}
		if want == "" && err != nil {
			continue
		}
		r.SSHOptions[0] = "ProxyCommand=id"
		if r.Validate() == nil {
			t.Error("a file may have any")
		}
	}
	r := Remote{Connection: Connection{HostAlias: &HostAlias{HostAlias: "h"}}}
	set := func(words string) error { return r.SetOptions(assign(t, words)) }
	if err := set("ssh-option=Compression=yes ssh-option=ConnectTimeout=3"); err != nil || !slices.Equal(r.SSHOptions, []string{"Compression=yes", "ConnectTimeout=3"}) {
		t.Error(err, r.SSHOptions)
	}
	if err := set("ssh-option=Compression=no ssh-option=compression=yes"); err == nil || len(r.SSHOptions) != 2 {
		t.Error(err, r.SSHOptions)
	}
	if err := set("ssh-option=TCPKeepAlive=no"); err != nil || !slices.Equal(r.SSHOptions, []string{"TCPKeepAlive=no"}) {
		t.Error(err, r.SSHOptions)
	}
	if err := set("ssh-option="); err != nil || r.SSHOptions != nil {
		t.Error(err, r.SSHOptions)
	}
}

func TestRsyncCommand(t *testing.T) {
	for _, test := range []struct {
		path string
		sudo bool
		want string
	}{{"", false, "rsync"}, {"/opt/rsync", false, "/opt/rsync"}, {"", true, "sudo -n rsync"}, {"/opt/rsync", true, "sudo -n /opt/rsync"}} {
		if got := (Remote{RsyncPath: test.path, Sudo: test.sudo}).RsyncCommand(); got != test.want {
			t.Errorf("%q, %v: %q, want %q", test.path, test.sudo, got, test.want)
		}
	}
	local := Remote{Connection: Connection{Local: &Local{}}}
	for _, words := range []string{"sudo=on", "ssh-option=Compression=yes"} {
		if err := local.SetOptions(assign(t, words)); err == nil || !strings.Contains(err.Error(), "reached by ssh") {
			t.Errorf("%s: %v", words, err)
		}
	}
}
