// Package inotify watches a directory tree on Linux. It misses nothing that the
// kernel tells of, and says so when the kernel's queue has overflowed.
package inotify
