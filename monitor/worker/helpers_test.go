package worker

import "wsync/monitor/remotetest"

var (
	check         = remotetest.Check
	newDir, write = remotetest.NewDir, remotetest.Write
)
