package links

// Others returns the other names of the file at name that are known, as far as they are
// its names now.
func (l *Index) Others(name string) []string {
	info, err := l.lstat(name)
	if err != nil {
		return nil
	}
	id, nlink, ok := identify(info)
	if !ok || nlink < 2 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[id]
	if f == nil {
		return nil
	}
	return l.current(f, name)
}
