// Bench measures wsync against other ways to mirror a directory, in one run
// and in turns, so that whatever else the machine does hits all alike: the
// time from a change to its being visible on a remote. It prints tables.
//
//	go run ./monitor/bench                     all scenarios, all tools
//	go run ./monitor/bench -quick              less of everything
//	go run ./monitor/bench -list               what there is to choose from
//	go run ./monitor/bench -compare OLD/wsync  another build of wsync, too
//
// It needs Linux, rsync and an sshd; any user may run it. Servers listen on
// loopback only, everything is in temporary directories, and every process is
// ended. With TMPDIR=/dev/shm, where there are some gigabytes of memory, the
// speed of the disk, and of whoever else writes to it, is left out.
package main
