package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Option is an option of a remote or of a workspace with its value.
type Option struct {
	Name string `json:"name"`
	// Value is the value in force, several being separated by spaces; Default is the
	// value of an option that is not set.
	Value   string `json:"value"`
	Default string `json:"default"`
	// Expected says what a value must be, Meaning what the option does.
	Expected string `json:"expected"`
	Meaning  string `json:"meaning"`
}

// Assignment gives an option a value, or its default with "".
type Assignment struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ParseAssignment reads KEY=VALUE.
func ParseAssignment(s string) (Assignment, error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return Assignment{}, fmt.Errorf("%q: expected KEY=VALUE", s)
	}
	return Assignment{Name: name, Value: value}, nil
}

// option is a line of a table of options: the JSON of the workspace file, the parsing
// and its errors, lists and help texts come from it. The zero value of its field is
// the default.
type option[T any] struct {
	name, byDefault, meaning string
	kind                     optionKind[T]
	// effect is what follows from a change.
	effect Effect
	// refuses says why what it is set for cannot have it, "" if it can; nil for
	// never.
	refuses func(t *T) string
}

// Effect says what follows from a change of options.
type Effect struct {
	// Transfers: those under way have to begin anew.
	Transfers bool
	// Pass: a full pass has to follow.
	Pass bool
	// Trial: whether the remote can do it, only a trial tells.
	Trial bool
}

// optionKind is a kind of value.
type optionKind[T any] struct {
	expected string
	// field points to the field, for JSON.
	field func(t *T) any
	// get returns the values, none if the field is zero.
	get func(t *T) []string
	// set sets the field to a value, or to zero with ""; the error says what was
	// expected.
	set func(t *T, value string) error
	// repeatable: set adds a value, and "" takes all away.
	repeatable bool
}

// remoteOptions are those of a remote; a new one is an element here.
var remoteOptions = []option[Remote]{
	{
		"delay-updates", "off", "let the files of one transfer appear together, at its end",
		switchOption(func(r *Remote) *bool { return &r.DelayUpdates }), Effect{Transfers: true, Pass: true}, nil,
	},
	{
		"trash", "off", "keep what is deleted or overwritten there for so long",
		trashOption(), Effect{Transfers: true, Pass: true}, nil,
	},
	{
		"trash-size", "off", "remove the oldest of the trash when it is larger",
		newOption(func(r *Remote) *Size { return &r.TrashSize }, expectedSize, ParseSize, Size.String), Effect{Pass: true}, nil,
	},
	{
		"delete", DeleteMirror, "whether what is gone here is deleted there, or all is kept there that ever was",
		choiceOption(func(r *Remote) *string { return &r.Delete }, DeleteMirror, DeleteKeep), Effect{Transfers: true, Pass: true},
		func(r *Remote) string {
			if r.DeleteAfter != 0 {
				return "nothing can be deleted after " + r.DeleteAfter.String() + " (delete-after) where all is kept"
			}
			return ""
		},
	},
	{
		"delete-after", "off", "delete what is gone here so much later there",
		newOption(func(r *Remote) *Delay { return &r.DeleteAfter }, expectedDelay, ParseDelay, Delay.String), Effect{Transfers: true, Pass: true},
		func(r *Remote) string {
			if r.Keeps() {
				return "nothing is ever deleted there (delete=keep)"
			}
			return ""
		},
	},
	{
		"skip-unsupported", "off", "be in sync without what the file system there cannot hold",
		switchOption(func(r *Remote) *bool { return &r.SkipUnsupported }), Effect{}, nil,
	},
	{
		"full-pass", "FullPassInterval", "compare the whole workspace with it after so long, instead of the setting",
		intervalOption(func(r *Remote) *Interval { return &r.FullPass }), Effect{}, nil,
	},
	{
		"verify", "VerifyInterval", "compare all contents in the background after so long, instead of the setting",
		newOption(func(r *Remote) *Verify { return &r.Verify }, expectedVerify(), ParseVerify, Verify.String), Effect{}, nil,
	},
	{
		"verify-repair", "off", "bring in line what a verify in the background finds to differ, as with --repair",
		switchOption(func(r *Remote) *bool { return &r.VerifyRepair }), Effect{}, nil,
	},
	{
		"on-sync", "the workspace's", "run a command here when something was sent there, with the names on its standard input",
		hookOption(func(r *Remote) *string { return &r.OnSync }, HookOff), Effect{}, nil,
	},
	{
		"on-sync-remote", "the workspace's", "run such a command over there, before that",
		hookOption(func(r *Remote) *string { return &r.OnSyncRemote }, HookOff), Effect{}, onlyBySSH,
	},
	{
		"bandwidth", "off", "send no more than so many bytes a second; small changes come first",
		bandwidthOption(), Effect{Transfers: true}, nil,
	},
	{
		"window", "off", "when large files are sent, by the clock here; what is being sent goes on",
		windowOption(), Effect{}, nil,
	},
	{
		"window-for", WindowForLarge, "what waits for the window: files above 10 MB, or all, small changes and deletions as well",
		choiceOption(func(r *Remote) *string { return &r.WindowFor }, WindowForLarge, WindowForAll), Effect{}, nil,
	},
	{
		"compress", CompressAuto, "whether rsync compresses what it sends: with auto where the line is slow or has a bandwidth",
		choiceOption(func(r *Remote) *string { return &r.Compress }, CompressAuto, CompressOn, CompressOff), Effect{Transfers: true},
		func(r *Remote) string {
			if r.Compress == CompressOn && r.Connection.Kind() == KindLocal {
				return "rsync never compresses on one machine"
			}
			return ""
		},
	},
	{
		"rsync-path", "rsync", "the rsync to run over there, for ssh",
		rsyncPathOption(), Effect{Transfers: true, Trial: true},
		func(r *Remote) string {
			if r.Connection.Kind() != KindSSH {
				return "it is for remotes that are reached by ssh: no other rsync is run for this one"
			}
			return ""
		},
	},
	{
		"chmod", "unchanged", "what becomes of modes there",
		chmodOption(), Effect{Transfers: true, Pass: true}, nil,
	},
	{
		"umask", "000", "permissions that nothing gets there, after chmod",
		umaskOption(), Effect{Transfers: true, Pass: true}, nil,
	},
	{
		"owner", "auto", "whose files are there; auto is kept where root writes",
		whoseOption(func(r *Remote) *Whose { return &r.Owner }), Effect{Transfers: true, Pass: true, Trial: true}, nil,
	},
	{
		"group", "auto", "the group of files there; auto is kept where it may be set",
		whoseOption(func(r *Remote) *Whose { return &r.Group }), Effect{Transfers: true, Pass: true, Trial: true}, nil,
	},
	{
		"numeric-ids", "off", "keep owners and groups by number instead of by name",
		switchOption(func(r *Remote) *bool { return &r.NumericIDs }), Effect{Transfers: true, Pass: true}, nil,
	},
	{
		"hard-links", "off", "let the names of a file that has several be those of one file there",
		switchOption(func(r *Remote) *bool { return &r.HardLinks }), Effect{Transfers: true, Pass: true}, nil,
	},
	{
		"acls", "off", "mirror access control lists",
		switchOption(func(r *Remote) *bool { return &r.ACLs }), Effect{Transfers: true, Pass: true}, nil,
	},
	{
		"xattrs", "off", "mirror extended attributes",
		switchOption(func(r *Remote) *bool { return &r.Xattrs }), Effect{Transfers: true, Pass: true}, nil,
	},
	{
		"sparse", SparseAuto, "holes in files there: as here, wherever there are zeros, or none",
		choiceOption(func(r *Remote) *string { return &r.Sparse }, SparseAuto, SparseOn, SparseOff), Effect{Transfers: true}, nil,
	},
	{
		"devices", DevicesOn, "mirror FIFOs, sockets and devices",
		choiceOption(func(r *Remote) *string { return &r.Devices }, DevicesOn, DevicesOff), Effect{Transfers: true, Pass: true}, nil,
	},
	{
		"sudo", "off", "run rsync over there by sudo -n",
		switchOption(func(r *Remote) *bool { return &r.Sudo }), Effect{Transfers: true, Pass: true, Trial: true}, onlyBySSH,
	},
	{
		"ssh-option", "none", "an option of ssh that runs nothing",
		sshOptionsOption(), Effect{Transfers: true}, onlyBySSH,
	},
}

// workspaceOptions are those of a workspace.
var workspaceOptions = []option[Workspace]{
	{
		"on-empty", OnEmptyHalt, "whether deletions that empty the workspace are held from now on, or let happen",
		choiceOption(func(w *Workspace) *string { return &w.OnEmpty }, OnEmptyHalt, OnEmptyAllow), Effect{}, nil,
	},
	{
		"on-sync", HookOff, "run a command when something was sent to a remote, with the names on its standard input",
		hookOption(func(w *Workspace) *string { return &w.OnSync }, ""), Effect{}, nil,
	},
	{
		"on-sync-remote", HookOff, "run such a command over there, on remotes that are reached by ssh",
		hookOption(func(w *Workspace) *string { return &w.OnSyncRemote }, ""), Effect{}, nil,
	},
}

// newOption puts a field and the form of its values together. parse is not asked about "",
// nor format about a zero value.
func newOption[T any, V comparable](field func(*T) *V, expected string, parse func(string) (V, error), format func(V) string) optionKind[T] {
	var zero V
	return optionKind[T]{
		expected: expected,
		field:    func(t *T) any { return field(t) },
		get: func(t *T) []string {
			if value := *field(t); value != zero {
				return []string{format(value)}
			}
			return nil
		},
		set: func(t *T, value string) (err error) {
			parsed := zero
			if value != "" {
				if parsed, err = parse(value); err != nil {
					return err
				}
			}
			*field(t) = parsed
			return nil
		},
	}
}

func switchOption[T any](field func(*T) *bool) optionKind[T] {
	const expected = "on or off"
	return newOption(field, expected, func(value string) (bool, error) {
		if value != "on" && value != "off" {
			return false, fmt.Errorf("expected %s, found %q", expected, value)
		}
		return value == "on", nil
	}, func(bool) string { return "on" })
}

// choiceOption is one of some words, the first of which is the default.
func choiceOption[T any](field func(*T) *string, choices ...string) optionKind[T] {
	expected := orList(choices)
	return newOption(field, expected, func(value string) (string, error) {
		if !slices.Contains(choices, value) {
			return "", fmt.Errorf("expected %s, found %q", expected, value)
		}
		if value == choices[0] {
			return "", nil
		}
		return value, nil
	}, func(value string) string { return value })
}

func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// rsyncPathPattern is a path that no shell takes for anything else.
var rsyncPathPattern = regexp.MustCompile(`^/[A-Za-z0-9._/+@-]*[A-Za-z0-9._+@-]$`)

func rsyncPathOption() optionKind[Remote] {
	const expected = "an absolute path of letters, digits and ._+@-"
	return newOption(func(r *Remote) *string { return &r.RsyncPath }, expected, func(value string) (string, error) {
		if !rsyncPathPattern.MatchString(value) {
			return "", fmt.Errorf("expected %s, found %q", expected, value)
		}
		return value, nil
	}, func(value string) string { return value })
}

func bandwidthOption() optionKind[Remote] {
	return newOption(func(r *Remote) *Rate { return &r.Bandwidth }, expectedRate, ParseRate, Rate.String)
}

func windowOption() optionKind[Remote] {
	return newOption(func(r *Remote) *Window { return &r.Window }, expectedWindow, ParseWindow, func(w Window) string { return string(w) })
}

func intervalOption(field func(*Remote) *Interval) optionKind[Remote] {
	expected := fmt.Sprintf("a duration from %s to %s, such as 10m or 1d", FormatDuration(minInterval), FormatDuration(maxInterval))
	return newOption(field, expected, ParseInterval, Interval.String)
}

// trashOption is how long the trash is kept. When it is turned off, what it has stays.
func trashOption() optionKind[Remote] {
	const off = Age(0)
	kind := newOption(func(r *Remote) *Age { return &r.Trash }, "off, or a duration from 1h to 3650d, such as 12h or 7d", func(value string) (Age, error) {
		if value == "off" {
			return off, nil
		}
		return ParseAge(value)
	}, Age.String)
	set := kind.set
	kind.set = func(r *Remote, value string) error {
		had := r.Trash != off || r.TrashLeft
		err := set(r, value)
		r.TrashLeft = had && r.Trash == off
		return err
	}
	return kind
}

// Options are the options of the remote, in the order of the table.
func (r Remote) Options() []Option { return optionsOf(remoteOptions, &r) }

// Options are the options of the workspace itself, in the order of the table.
func (w Workspace) Options() []Option { return optionsOf(workspaceOptions, &w) }

func optionsOf[T any](table []option[T], t *T) []Option {
	var all []Option
	for _, o := range table {
		value := o.byDefault
		if set := o.kind.get(t); len(set) > 0 {
			value = strings.Join(set, " ")
		}
		all = append(all, Option{Name: o.name, Value: value, Default: o.byDefault, Expected: o.kind.expected, Meaning: o.meaning})
	}
	return all
}

// SetOptions gives options values. It changes nothing if one of them is wrong; the
// error says which values are right, or which options there are.
func (r *Remote) SetOptions(assignments []Assignment) error {
	changed := r.Clone()
	if err := setOptions(remoteOptions, &changed, assignments, "remote"); err != nil {
		return err
	}
	*r = changed
	return nil
}

// SetOptions is like Remote.SetOptions, for the options of the workspace itself.
func (w *Workspace) SetOptions(assignments []Assignment) error {
	changed := w.Clone()
	if err := setOptions(workspaceOptions, &changed, assignments, "workspace"); err != nil {
		return err
	}
	*w = changed
	return nil
}

// setOptions sets options of t, which is a noun.
func setOptions[T any](table []option[T], t *T, assignments []Assignment, noun string) error {
	seen := make(map[string]bool)
	for _, a := range assignments {
		i := slices.IndexFunc(table, func(o option[T]) bool { return o.name == a.Name })
		if i < 0 {
			return unknownOption(a.Name, noun, namesOf(table))
		}
		o := table[i]
		switch {
		case seen[o.name] && !o.kind.repeatable:
			return fmt.Errorf("%s is given twice", o.name)
		case !seen[o.name] && o.kind.repeatable:
			if err := o.kind.set(t, ""); err != nil {
				return err
			}
		}
		seen[o.name] = true
		if err := o.set(t, a.Value); err != nil {
			return err
		}
	}
	for _, o := range table { // one may refuse another, in whatever order they came
		if err := o.refusal(t); seen[o.name] && err != nil {
			return err
		}
	}
	return nil
}

// set sets the option to a value.
func (o option[T]) set(t *T, value string) error {
	if err := o.kind.set(t, value); err != nil {
		return fmt.Errorf("%s: %w", o.name, err)
	}
	return nil
}

// refusal is why t cannot have the option as it is set, nil if it can.
func (o option[T]) refusal(t *T) error {
	if o.refuses == nil || len(o.kind.get(t)) == 0 {
		return nil
	}
	if why := o.refuses(t); why != "" {
		return fmt.Errorf("%s: %s", o.name, why)
	}
	return nil
}

func namesOf[T any](table []option[T]) []string {
	var names []string
	for _, o := range table {
		names = append(names, o.name)
	}
	return names
}

// unknownOption is the error about an option that a noun does not have.
func unknownOption(name, noun string, names []string) error {
	switch {
	case noun == "workspace" && slices.Contains(namesOf(remoteOptions), name):
		return fmt.Errorf("%s is an option of a remote: name that, too", name)
	case noun == "remote" && slices.Contains(namesOf(workspaceOptions), name):
		return fmt.Errorf("%s is an option of the workspace: name no remote", name)
	}
	best, bestDistance := "", len(name)/2+1
	for _, n := range names {
		if d := distance(name, n); d < bestDistance {
			best, bestDistance = n, d
		}
	}
	if best != "" {
		return fmt.Errorf("a %s has no option %q: did you mean %s?", noun, name, best)
	}
	return fmt.Errorf("a %s has no option %q: it has %s", noun, name, strings.Join(names, ", "))
}

// validateOptions checks options that somebody has written into the file.
func validateOptions[T any](table []option[T], t T) error {
	for _, o := range table {
		values := o.kind.get(&t)
		if o.kind.repeatable {
			if err := o.kind.set(&t, ""); err != nil {
				return err
			}
		}
		var err error
		for _, value := range values {
			err = cmp.Or(err, o.set(&t, value))
		}
		if err = cmp.Or(err, o.refusal(&t)); err != nil {
			return errors.New(strings.ReplaceAll(o.name, "-", "_") + strings.TrimPrefix(err.Error(), o.name))
		}
	}
	return nil
}

// optionFields are the fields of options in JSON.
func optionFields[T any](table []option[T], t *T) []field {
	var fields []field
	for _, o := range table {
		fields = append(fields, field{strings.ReplaceAll(o.name, "-", "_"), o.kind.field(t), leftOut})
	}
	return fields
}

// Demands reports whether the option called name has a value that a remote may not be
// able to follow.
func (r Remote) Demands(name string) bool {
	switch name {
	case "owner":
		return r.Owner.Demands()
	case "group":
		return r.Group.Demands()
	case "compress":
		return r.Compress == CompressOn
	}
	return slices.ContainsFunc(remoteOptions, func(o option[Remote]) bool { return o.name == name && len(o.kind.get(&r)) > 0 })
}

// OptionChanged reports whether the option called name differs between two remotes.
func OptionChanged(before, after Remote, name string) bool {
	return slices.ContainsFunc(remoteOptions, func(o option[Remote]) bool {
		return o.name == name && !slices.Equal(o.kind.get(&before), o.kind.get(&after))
	})
}

// OptionsChanged says what follows from the options of a remote being those of after
// instead of those of before.
func OptionsChanged(before, after Remote) (e Effect) {
	for _, o := range remoteOptions {
		if !slices.Equal(o.kind.get(&before), o.kind.get(&after)) {
			e.Transfers = e.Transfers || o.effect.Transfers
			e.Pass = e.Pass || o.effect.Pass
			e.Trial = e.Trial || o.effect.Trial
		}
	}
	return e
}

// Trial returns what is to be tried out before the options of a remote become those of after
// instead of those of before; ok is false if that is nothing. What it asks for already, and
// may not get, is not tried out with it.
func Trial(before, after Remote) (tried Remote, ok bool) {
	tried = after.Clone()
	if before.Owner == after.Owner && before.Sudo == after.Sudo {
		tried.Owner = WhoseAuto
	}
	if before.Group == after.Group && before.Sudo == after.Sudo {
		tried.Group = WhoseAuto
	}
	demands := tried.Owner.Demands() || tried.Group.Demands() || tried.Sudo || tried.RsyncPath != ""
	return tried, demands && OptionsChanged(before, after).Trial
}
