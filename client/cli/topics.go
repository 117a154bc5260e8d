package cli

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

// topics are texts about what more than one command is concerned with, each in a file that
// is called like it.
//
//go:embed topics/*.txt
var topics embed.FS

// topic returns the text of a topic; ok is false if there is none of this name.
func topic(name string) (text string, ok bool) {
	content, err := topics.ReadFile("topics/" + name + ".txt")
	return string(content), err == nil
}

// topicNames are the names of all topics, in order.
func topicNames() (names []string) {
	files, _ := topics.ReadDir("topics") // it is part of the program
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file.Name(), ".txt"))
	}
	return names
}

// topicsSentence says which topics there are.
func topicsSentence() string {
	return "Topics (wsync help TOPIC): " + strings.Join(topicNames(), ", ")
}

// partHeading is the heading of a part of a topic that is for looking up, such as "status:".
var partHeading = regexp.MustCompile(`\n\n([a-z-]+):\n`)

// topicParts cuts a topic into what is before the first heading, and its parts.
func topicParts(text string) (intro string, names []string, parts map[string]string) {
	headings := partHeading.FindAllStringSubmatchIndex(text, -1)
	intro, parts = text, make(map[string]string)
	for i, at := range headings {
		end := len(text)
		if i == 0 {
			intro = text[:at[0]+1]
		}
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		name := text[at[2]:at[3]]
		names, parts[name] = append(names, name), strings.Trim(text[at[0]:end], "\n")+"\n"
	}
	return intro, names, parts
}

// topicText is what is shown of a topic: one part of it, or with "" all. On a terminal that is
// a screen, if there are parts, and which there are.
func topicText(name, part string, terminal bool) (string, error) {
	text, _ := topic(name)
	intro, names, parts := topicParts(text)
	switch {
	case part != "" && len(names) == 0:
		return "", &usageError{message: fmt.Sprintf("cannot explain %s %s: %s has no parts", name, part, name), hint: "wsync help " + name + " prints all of it"}
	case part != "" && parts[part] == "":
		return "", &usageError{message: fmt.Sprintf("cannot explain %s %s: there is no such part", name, part), hint: "wsync help " + name + " lists them"}
	case part != "":
		return parts[part], nil
	case !terminal || len(names) == 0:
		return text, nil
	}
	return intro + "\n" + wrapped("wsync help "+name+" NAME has one of these, and wsync help "+name+" | less all:", names), nil
}

// wrapped is a heading, and words in lines below it.
func wrapped(heading string, words []string) string {
	const width = 100
	var b strings.Builder
	b.WriteString(heading + "\n")
	line := " "
	for _, word := range words {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = " "
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	return b.String()
}
