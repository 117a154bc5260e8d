package cli

import (
	"embed"
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
	return "Topics, by wsync help TOPIC: " + strings.Join(topicNames(), ", ")
}
