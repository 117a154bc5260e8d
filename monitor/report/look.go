package report

// Look is what a remote has at a path, as it was asked.
type Look struct {
	// There is the remote's entry, nil if it has none.
	There *Entry `json:"there,omitempty"`
	// Equal: it is as it is here, or neither side has one. Differs is all in which it is not,
	// DiffNew or DiffDelete if only one side has it.
	Equal   bool             `json:"equal"`
	Differs []DifferenceKind `json:"differs,omitempty"`
	// Contents: those of a file were compared, and not only its size and time.
	Contents bool `json:"contents,omitempty"`
	// Unknown is why the remote could not be asked, "" if it was, and Hint a next step.
	Unknown string `json:"unknown,omitempty"`
	Hint    string `json:"hint,omitempty"`
}
