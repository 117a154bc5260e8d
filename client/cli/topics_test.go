package cli

import (
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"wsync/config"
	"wsync/daemon/api"
	"wsync/monitor/report"
)

func TestTopics(t *testing.T) {
	for _, name := range topicNames() {
		text, _ := topic(name)
		if code, stdout, stderr := wsync(t, home(t), "help", name); code != 0 || stdout != text || stderr != "" {
			t.Errorf("wsync help %s: exit code %d, stderr %q, stdout %q", name, code, stderr, stdout)
		}
		for _, line := range strings.Split(text, "\n") {
			if len(line) > 120 || strings.TrimRight(line, " \t") != line {
				t.Errorf("%s: a line of %d characters, or one that ends with a space: %q", name, len(line), line)
			}
		}
		if Help(name) != "" && !strings.Contains(text, "wsync "+name+" --help") {
			t.Errorf("%s is a command, too, and does not say how that is explained", name)
		}
	}
}

// TestTopicsAreAScreen: what is read when something does not work fits on a terminal.
func TestTopicsAreAScreen(t *testing.T) {
	const lines, columns = 48, 80
	for _, name := range strings.Fields("guards ignore options rsync-daemons ssh troubleshooting") {
		text, ok := topic(name)
		if !ok {
			t.Errorf("there is no %s", name)
		}
		if n := strings.Count(text, "\n"); n > lines {
			t.Errorf("%s has %d lines", name, n)
		}
		for line := range strings.Lines(text) {
			if len(line) > columns+1 {
				t.Errorf("%s: a line of %d characters: %s", name, len(line), line)
			}
		}
	}
}

func TestTopicParts(t *testing.T) {
	text, err := topicText("json", "", true)
	if err != nil || !strings.HasPrefix(text, "What --json prints") || !strings.Contains(text, " daemon-status ") || strings.Contains(text, "revision") {
		t.Errorf("on a terminal: %v\n%s", err, text)
	}
	if n := strings.Count(text, "\n"); n > 48 {
		t.Errorf("on a terminal it has %d lines", n)
	}
	code, stdout, _ := wsync(t, home(t), "help", "json", "watch")
	if code != 0 || !strings.HasPrefix(stdout, "watch:\n  armed ") || strings.Contains(stdout, "halt") {
		t.Errorf("one object: exit code %d\n%s", code, stdout)
	}
	code, _, stderr := wsync(t, home(t), "help", "json", "nothing")
	if want := "wsync: cannot explain json nothing: there is no such part\nhint: wsync help json lists them\n"; code != exitUsage || stderr != want {
		t.Errorf("no object: exit code %d, stderr %q", code, stderr)
	}
}

// TestOptionsTopic: every option is told of.
func TestOptionsTopic(t *testing.T) {
	text, _ := topic("options")
	for _, o := range slices.Concat(config.Remote{}.Options(), config.Workspace{}.Options()) {
		if !regexp.MustCompile(`(?m)(^  |[ ,:])` + o.Name + `=`).MatchString(text) {
			t.Errorf("not told of: %s", o.Name)
		}
	}
}

// printed are the values that commands print with --json. What they hold is found from there.
var printed = []any{
	api.Status{}, problem{}, openLine{}, openResult{}, api.WaitResult{}, differenceLine{}, resultLine{}, repairLine{},
	explanation{}, report.Event{}, report.Check{}, serviceStatus{}, build{}, failure{}, ignoreList{}, ignoreVerdict{}, config.Option{},
}

// TestJSONTopic holds the description of the JSON to the types that are printed: it has
// each field of each of them, and no others.
func TestJSONTopic(t *testing.T) {
	text, _ := topic("json")
	told := objectsIn(text)
	real := make(map[string][]string)
	for _, value := range printed {
		describe(reflect.TypeOf(value), real)
	}
	for name, fields := range real {
		for _, field := range fields {
			if !slices.Contains(told[name], field) {
				t.Errorf("%s: not told: %s", name, field)
			}
		}
	}
	for name, fields := range told {
		for _, field := range fields {
			if !slices.Contains(real[name], field) {
				t.Errorf("%s: there is no such field: %s", name, field)
			}
		}
	}
}

// rowOfField is a line about a field: its name, its type, and what it means.
var rowOfField = regexp.MustCompile(`^  (\w+\??|\.\.\.) +(\S+)( |$)`)

// objectsIn returns the fields, each with its type, of the objects that a text describes. A
// heading such as "transfer:" is before those of one.
func objectsIn(text string) map[string][]string {
	told := make(map[string][]string)
	object := ""
	for _, line := range strings.Split(text, "\n") {
		if name, ok := strings.CutSuffix(line, ":"); ok && !strings.Contains(name, " ") {
			object = name
		} else if m := rowOfField.FindStringSubmatch(line); m != nil && object != "" {
			told[object] = append(told[object], m[1]+" "+m[2])
		}
	}
	return told
}

// describe adds the fields of a struct, and of those that it holds, by the names of their
// objects.
func describe(of reflect.Type, all map[string][]string) {
	name := objectName(of)
	if _, known := all[name]; known {
		return
	}
	all[name] = nil
	plain := plainFields(of)
	for i := range of.NumField() {
		field := of.Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous:
			tag = "..."
		case tag == "" || !plain[field.Name]:
			continue
		case options == "omitempty":
			tag += "?"
		}
		all[name] = append(all[name], tag+" "+typeName(field.Type, all))
	}
}

// plainFields are the names of the fields that are printed: some are for the daemon and its
// monitors only.
func plainFields(of reflect.Type) map[string]bool {
	value := reflect.New(of).Elem()
	printed := make(map[string]bool)
	for i := range of.NumField() {
		printed[of.Field(i).Name] = true
	}
	if !value.MethodByName("Plain").IsValid() {
		return printed
	}
	for i := range of.NumField() {
		fill(value.Field(i))
	}
	rest := value.MethodByName("Plain").Call(nil)[0]
	for i := range of.NumField() {
		printed[of.Field(i).Name] = !rest.Field(i).IsZero()
	}
	return printed
}

// fill makes a value another one than zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Struct:
		v.Set(reflect.ValueOf(time.Unix(1, 0)))
	default:
		text := map[reflect.Kind]string{reflect.String: `"x"`, reflect.Bool: "true"}[v.Kind()]
		_ = json.Unmarshal([]byte(cmp.Or(text, "1")), v.Addr().Interface())
	}
}

// typeName is what a text calls a type.
func typeName(of reflect.Type, all map[string][]string) string {
	switch {
	case of == reflect.TypeFor[time.Time]():
		return "time"
	case of == reflect.TypeFor[time.Duration]():
		return "duration"
	case of == reflect.TypeFor[[]byte]():
		return "base64"
	case of.Kind() == reflect.Pointer:
		return typeName(of.Elem(), all)
	case of.Kind() == reflect.Slice:
		return "[" + typeName(of.Elem(), all) + "]"
	case of.Kind() == reflect.Map:
		return "{" + typeName(of.Elem(), all) + "}"
	case of.Kind() == reflect.Struct:
		describe(of, all)
		return objectName(of)
	case of.Kind() == reflect.String, of.Implements(reflect.TypeFor[encoding.TextMarshaler]()), of.Implements(reflect.TypeFor[json.Marshaler]()):
		return "string"
	case of.Kind() == reflect.Bool:
		return "bool"
	}
	return "number"
}

// objectNames are those of objects that are called otherwise than their types in Go.
var objectNames = map[string]string{
	"problem": "check-line", "failure": "error",
}

// capital is where a word begins in a name in Go.
var capital = regexp.MustCompile(`([a-z])([A-Z])`)

func objectName(of reflect.Type) string {
	if name := objectNames[of.Name()]; name != "" {
		return name
	}
	return strings.ToLower(capital.ReplaceAllString(of.Name(), "$1-$2"))
}
