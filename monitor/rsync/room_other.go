//go:build !linux

package rsync

const isLinux = 0
