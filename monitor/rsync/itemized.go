package rsync

// Differs says in which ways an entry differs by an itemized code, which is described in
// rsync(1) under --itemize-changes.
type Differs struct {
	// Kind is the first letter of its mode, as Listed.Kind has it.
	Kind byte
	// New: it is not there at all. Sent: its contents are sent.
	New, Sent bool
	// Content is that of a file, or of what else has some: where a link leads, or which
	// device it is. Size counts for a file whose contents were not compared.
	Content, Size, Time, Mode, Owner, Group, ACL, Xattrs bool
	// Link: a file is not the one there that it is here under another name.
	Link bool
}

// ParseCode reads an itemized code.
func ParseCode(code string) (d Differs) {
	if len(code) < 9 {
		return d
	}
	d.Kind = code[1]
	switch d.Kind {
	case 'f':
		d.Kind = '-'
	case 'L':
		d.Kind = 'l'
	case 'D', 'S':
		d.Kind = 'c'
	}
	d.Sent = IsSent(code)
	if d.New = IsNew(code); d.New {
		return d
	}
	d.Content, d.Size = code[2] == 'c', code[3] == 's'
	d.Time = code[4] == 't' || code[4] == 'T'
	d.Mode, d.Owner, d.Group = code[5] == 'p', code[6] == 'o', code[7] == 'g'
	d.ACL, d.Xattrs = len(code) > 9 && code[9] == 'a', len(code) > 10 && code[10] == 'x'
	d.Link = code[0] == 'h'
	return d
}
