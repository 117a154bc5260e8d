package config

// MoveTo gives the remote the destination of another one. What that leaves open of the way
// there, such as the user, the port and the file with the key, stays as it is if the kind
// and the host are the same.
func (r *Remote) MoveTo(dest Remote) {
	from, to := r.Connection, dest.Connection.clone()
	r.RemotePath = dest.RemotePath
	switch {
	case from.Kind() != to.Kind():
	case from.SSH != nil && to.HostAlias != nil && from.SSH.Host == to.HostAlias.HostAlias:
		to = from.clone()
	case from.SSH != nil && to.SSH != nil && from.SSH.Host == to.SSH.Host:
		fill(&to.SSH.Port, from.SSH.Port)
		fill(&to.SSH.Username, from.SSH.Username)
		fill(&to.SSH.IdentityFile, from.SSH.IdentityFile)
	case from.RsyncDaemon != nil && to.RsyncDaemon != nil && from.RsyncDaemon.Host == to.RsyncDaemon.Host:
		fill(&to.RsyncDaemon.Port, from.RsyncDaemon.Port)
		fill(&to.RsyncDaemon.Username, from.RsyncDaemon.Username)
		fill(&to.RsyncDaemon.PasswordFile, from.RsyncDaemon.PasswordFile)
	}
	r.Connection = to
}

// fill sets what is unset.
func fill[T comparable](value *T, with T) {
	var unset T
	if *value == unset {
		*value = with
	}
}
