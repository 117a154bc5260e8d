package rsync

// Compresses reports whether the runs for this remote compress what they send. The two
// rsyncs agree on how: zstd, where both have it.
func (e Endpoint) Compresses() bool {
	return e.Compress && !e.Strategy.Basic && !e.Strategy.Uncompressed
}

// CannotCompress is why nothing is compressed with a strategy that cannot.
func (s Strategy) CannotCompress() string {
	if s.Uncompressed {
		return "the remote refuses --compress"
	}
	return "one of the two rsyncs is openrsync"
}
