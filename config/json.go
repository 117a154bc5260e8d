package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// The types of this package are read and written with a table of their fields
// instead of struct tags alone, for three reasons: fields that this version
// does not know are kept and written back, field names match exactly (the
// standard decoder ignores case, and would write such a field twice), and
// errors know their place in the file.

// field is a known field of a JSON object.
type field struct {
	name string
	// value points to the Go value.
	value any
	// zero says how a zero value is written.
	zero zeroRule
}

// zeroRule says how a zero value is written.
type zeroRule int

const (
	asValue zeroRule = iota // as any other
	asNull                  // as null, where the original has an Option
	leftOut                 // not at all: fields that the original does not have
)

// decodeError is a JSON value of the wrong form.
type decodeError struct {
	offset  int    // in bytes, from the beginning of the data
	path    string // of fields, such as ".remote_workspaces[0].name"
	message string
}

func (e *decodeError) Error() string {
	if e.path == "" {
		return e.message
	}
	path := e.path
	if path[0] == '.' {
		path = path[1:]
	}
	return path + ": " + e.message
}

// inside says of an error about a part of the data where that part lies.
func inside(err error, offset int, path string) error {
	var inner *decodeError
	if errors.As(err, &inner) {
		return &decodeError{offset + inner.offset, path + inner.path, inner.message}
	}
	return &decodeError{offset, path, err.Error()}
}

// decodeKeeping decodes a JSON object into fields and returns the members that
// are none of them; nil if there are none. null changes nothing, as everywhere
// in encoding/json.
func decodeKeeping(data []byte, fields []field) (unknown map[string]json.RawMessage, err error) {
	if string(data) == "null" {
		return nil, nil
	}
	parts, err := members(data)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(parts))
	for _, part := range parts {
		path := "." + part.name
		if seen[part.name] {
			return nil, &decodeError{part.offset, path, "the field appears twice"}
		}
		seen[part.name] = true
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == part.name })
		if i < 0 {
			// Compacted, so that writing with another indent changes nothing.
			var compact bytes.Buffer
			if err := json.Compact(&compact, part.value); err != nil {
				return nil, inside(err, part.offset, path)
			}
			if unknown == nil {
				unknown = make(map[string]json.RawMessage)
			}
			unknown[part.name] = compact.Bytes()
			continue
		}
		if err := decodeValue(part.value, fields[i].value); err != nil {
			return nil, inside(err, part.offset, path)
		}
	}
	return unknown, nil
}

// decodeValue decodes data into the value that target points to. An error of
// the standard decoder becomes a sentence about what was expected.
func decodeValue(data json.RawMessage, target any) error {
	err := json.Unmarshal(data, target)
	var known *decodeError
	if err == nil || errors.As(err, &known) {
		return err
	}
	expected := "something else"
	switch target.(type) {
	case *string, *Whose:
		expected = "a string"
	case *int:
		expected = "a whole number"
	case *bool:
		expected = "true or false"
	case **RootIdentity:
		expected = `an object with the whole numbers "device" and "inode"`
	}
	return &decodeError{message: fmt.Sprintf("expected %s, found %s", expected, describe(data))}
}

// encodeKeeping encodes a JSON object: fields in their order, then unknown in
// the order of the names.
func encodeKeeping(fields []field, unknown map[string]json.RawMessage) ([]byte, error) {
	buf := []byte{'{'}
	add := func(name string, value []byte) error {
		key, err := encodeValue(name)
		if err != nil {
			return err
		}
		if len(buf) > 1 {
			buf = append(buf, ',')
		}
		buf = append(append(append(buf, key...), ':'), value...)
		return nil
	}
	for _, f := range fields {
		value := []byte("null")
		if f.zero != asValue && isZero(f.value) {
			if f.zero == leftOut {
				continue
			}
		} else {
			var err error
			if value, err = encodeValue(f.value); err != nil {
				return nil, err
			}
		}
		if err := add(f.name, value); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		if err := add(name, unknown[name]); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}

// encodeValue is json.Marshal without the escapes for HTML, which make paths
// hard to read.
func encodeValue(value any) ([]byte, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// isZero says whether value points to a zero value.
func isZero(value any) bool {
	switch v := value.(type) {
	case *string:
		return *v == ""
	case *int:
		return *v == 0
	case *bool:
		return !*v
	case *Whose:
		return *v == WhoseAuto
	case *Age:
		return *v == 0
	case *Window:
		return *v == ""
	case *Rate:
		return *v == 0
	case *Size:
		return *v == 0
	case *Delay:
		return *v == 0
	case *Interval:
		return *v == 0
	case *Verify:
		return *v == 0
	case *list[string]:
		return len(*v) == 0
	case **RootIdentity:
		return *v == nil
	case **SSH:
		return *v == nil
	case **HostAlias:
		return *v == nil
	case **RsyncDaemon:
		return *v == nil
	case **Local:
		return *v == nil
	}
	return false
}

// list is a JSON array whose errors know their place. An empty one is nil in
// Go, and nil is written as [].
type list[T any] []T

func (l *list[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	parts, err := elements(data)
	if err != nil {
		return err
	}
	*l = nil
	for i, part := range parts {
		var element T
		if err := decodeValue(part.value, &element); err != nil {
			return inside(err, part.offset, "["+strconv.Itoa(i)+"]")
		}
		*l = append(*l, element)
	}
	return nil
}

func (l list[T]) MarshalJSON() ([]byte, error) {
	buf := []byte{'['}
	for i, element := range l {
		value, err := encodeValue(element)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, value...)
	}
	return append(buf, ']'), nil
}

// part is an element of a JSON array or a member of a JSON object.
type part struct {
	name   string // of a member
	value  json.RawMessage
	offset int // of value in the data
}

// members splits a JSON object.
func members(data []byte) ([]part, error) {
	return split(data, '{', "an object")
}

// elements splits a JSON array.
func elements(data []byte) ([]part, error) {
	return split(data, '[', "a list")
}

func split(data []byte, open json.Delim, expected string) ([]part, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if token != open {
		return nil, &decodeError{message: fmt.Sprintf("expected %s, found %s", expected, describe(data))}
	}
	var parts []part
	for decoder.More() {
		var p part
		if open == '{' {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			p.name, _ = key.(string) // the decoder knows no other keys
		}
		if err := decoder.Decode(&p.value); err != nil {
			return nil, err
		}
		p.offset = int(decoder.InputOffset()) - len(p.value)
		parts = append(parts, p)
	}
	return parts, nil
}

// describe names what data is, in a few words.
func describe(data []byte) string {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return "nothing"
	case data[0] == '{':
		return "an object"
	case data[0] == '[':
		return "a list"
	case len(data) > 40:
		return "a long value"
	}
	return string(data)
}

// readText reads a value that parse reads from a JSON string, or from a number as it is
// written there. null leaves it as it is.
func readText[T any](data []byte, parse func(string) (T, error), to *T) error {
	if string(data) == "null" {
		return nil
	}
	var s string
	if json.Unmarshal(data, &s) != nil {
		s = string(data)
	}
	read, err := parse(s)
	if err != nil {
		return &decodeError{message: err.Error()}
	}
	*to = read
	return nil
}
