package watch

// identity tells one directory from another while both exist.
type identity struct {
	dev, ino uint64
}

// join appends a name to a path relative to the root.
func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
