package rsync

import (
	"slices"
	"strings"
)

// hostName is a host as ssh writes it in known_hosts, with no character that means
// anything to a shell: it may get into a command line of a hint.
const hostName = `(\[[0-9A-Za-z_.:%-]+\]:\d+|[0-9A-Za-z_.:%-]+)`

// ofSSH are texts of ssh of which something is known. They count where nothing came from
// the other side. The first that is found counts.
var ofSSH = []knownText{
	// The host, before ssh trusts it.
	{expressionOf(`^Host key for ` + hostName + ` has changed`), "somebody may be posing as $1, or it was set up anew",
		"ask whoever runs $1 whether its key is another one now; only then: ssh-keygen -R '$1', and connect once by hand", Done},
	{expressionOf(`host key for ` + hostName + ` (?:was|is marked as) revoked`), "somebody may be posing as $1: its key was revoked",
		"ask whoever runs $1 for its new key, and do not connect before", Done},
	{literal("REMOTE HOST IDENTIFICATION HAS CHANGED"), "somebody may be posing as the host, or it was set up anew",
		"ask whoever runs it whether its key is another one now; only then: ssh-keygen -R HOST, and connect once by hand", Done},
	{expressionOf(`^No \S+ host key is known for ` + hostName + ` `), "", "connect once by hand with ssh to check and accept the key of $1", Done},
	{literal("Host key verification failed"), "", "connect once by hand with ssh to check and accept the host's key", Done},

	// The way there.
	{literal("Could not resolve hostname"), "", checkName, Done},
	{expressionOf(`^ssh: connect to host .*: Connection refused`), "", "nothing listens there: start sshd, or check the port", Done},
	{expressionOf(`^ssh: connect to host .*: |^Connection to .* timed out|^Connection timed out|^Timeout, server `), "", checkNetwork, Done},
	{expressionOf(`^Unable to negotiate with .*: no matching host key type found`), "", "update the older of the two OpenSSHs, or allow what the host offers by HostKeyAlgorithms in ~/.ssh/config", Done},
	{expressionOf(`^Unable to negotiate with .*: no matching key exchange method found`), "", "update the older of the two OpenSSHs, or allow what the host offers by KexAlgorithms in ~/.ssh/config", Done},
	{expressionOf(`^Unable to negotiate with .*: no matching (?:cipher|MAC) found`), "", "update the older of the two OpenSSHs, or allow what the host offers by Ciphers and MACs in ~/.ssh/config", Done},
	{expressionOf(`^Protocol major versions differ|_exchange_identification: (?:No SSH version received|.* not allowed: |Invalid|banner line)|^banner exchange: .*: invalid format`), "what listens there is no sshd", "check the port", Done},
	{expressionOf(`^Connection (?:closed|reset) by UNKNOWN port`), "the ProxyCommand or jump host did not lead to the host", "ssh -G HOST shows proxycommand and proxyjump; ssh to the host must work without a question", Done},
	{expressionOf(`_exchange_identification: (?:read: |write: )?(?:Connection|Broken pipe|client sent)`), "the host ended the connection before the login",
		"sshd there may have too many logins at once (MaxStartups), or have locked this machine out for a while (PerSourcePenalties, fail2ban); its log says why, and wsync goes on by itself", Done},

	// Configuration.
	{expressionOf(`Bad configuration option: `), "", "correct it there: the ssh of this machine knows no such option", Done},
	{literal("Bad owner or permissions on "), "", "chmod 600 that file, which nobody else may write", Done},

	// Accounts.
	{literal("Too many authentication failures"), "", "the agent offers many keys before the right one: name it with --identity-file, or with IdentitiesOnly in ~/.ssh/config", Done},
	{accountClosed, "the account on the remote is closed", "have whoever runs the host open it (chage -E), or attach with another user", Done},
	{passwordExpired, "the password of the account has expired", "log in once by hand with ssh, and change it", Done},
	{literal("System is booting up"), "the host is starting, and lets nobody in yet", "wsync goes on by itself", Done},
	// The names of the ways to log in, where a system's error has its number.
	{expressionOf(`Permission denied \((?:password|keyboard-interactive|,)+\)`), "the host takes no keys, and there is nobody to type a password", "allow keys there (PubkeyAuthentication yes), and put yours into authorized_keys: ssh to the host must work without a question", Done},
	{loginRefused, "", "check the user name and the key, or run ssh-add for a key with a passphrase; ssh to the host must work without a question", Done},
	{expressionOf(`^Connection (?:closed|reset) by `), "the host ended the connection during the login", "the log of sshd there says why: the account may be closed or not allowed, or too many are being logged in; wsync goes on by itself", Done},
}

// ofKeys are those about keys, which count where the login was refused: ssh also
// complains of a key that it then does without.
var ofKeys = []knownText{
	{expressionOf(`^Load key ".*": bad permissions`), "", "chmod 600 the key file: ssh uses none that others may read", Done},
	{literal("UNPROTECTED PRIVATE KEY FILE"), "", "chmod 600 the key file: ssh uses none that others may read", Done},
	{expressionOf(`^Load key ".*": Permission denied`), "", "the key file must be readable for the user who runs the daemon", Done},
	{expressionOf(`^Load key ".*": `), "", "ssh cannot read it as a private key: name the right file with --identity-file", Done},
	{expressionOf(`^Warning: Identity file (.*) not accessible: `), "there is no such key file", "name the right one with --identity-file", Done},
	{expressionOf(`from agent: |agent refused operation|^Could not open a connection to your authentication agent`), "the agent does not sign with the key", "unlock the agent, or confirm its question; ssh-add -l must list the key for the user who runs the daemon", Done},
}

// loginRefused is what ssh says when it was not let in.
var loginRefused = expressionOf(`Permission denied \([a-z]`)

// explainSSH looks for what is known about the first line of ssh's, or else any other.
func explainSSH(lines []string) explained {
	if slices.ContainsFunc(lines, loginRefused.MatchString) {
		if e := search(ofKeys, lines); e.line != "" {
			return e
		}
	}
	e := search(ofSSH, lines)
	for _, line := range lines {
		if m := offending.FindStringSubmatch(line); m != nil {
			e.hint = strings.Replace(e.hint, "ssh-keygen -R", "ssh-keygen -f '"+m[1]+"' -R", 1)
		}
	}
	return e
}

// offending is where ssh has the key that it expected, if ssh-keygen has to be told: it
// looks into ~/.ssh/known_hosts by itself.
var offending = expressionOf(`^Offending \S+ key in (/[0-9A-Za-z_./@+-]+):\d+$`)

// The words of PAM and of sshd about accounts that nobody can log in to.
var (
	accountClosed   = expressionOf(`(?i)^(?:(?:your|this|the|user) )?account (?:has |is )?(?:expired|locked|disabled)`)
	passwordExpired = expressionOf(`(?i)^(?:WARNING: )?your password has expired|^Password change required`)
)

// lastWord is what ssh says last, and seldom why.
var lastWord = expressionOf(`^Connection (?:closed|reset) by `)

// unheard is what rsync says when nothing at all came from the other side.
const unheard = "connection unexpectedly closed (0 bytes received so far)"

// nothingCame reports whether a run failed before anything came from the other side, for
// which ssh may have a reason.
func nothingCame(code int, c Complaints) bool { return code == codeSSH || c.contain(unheard) }
