package monitor

import (
	"time"

	"go.uber.org/zap"

	"wsync/monitor/guard"
)

// haltCheckInterval is how often a halted workspace is looked at again.
const haltCheckInterval = time.Second

// checkAndHalt looks at the root before the transfer of a batch that has marks up
// to mark, and halts all workers if something is wrong with it. It returns the
// reason.
func (m *mirror) checkAndHalt(mark uint64) string {
	return m.looks.After(mark, m.seq.Load, func() string {
		reason := m.checkRoot()
		if reason != "" {
			m.setHalt(reason)
		}
		return reason
	})
}

// checkRoot says why the root must not be mirrored now, or "".
func (m *mirror) checkRoot() string {
	m.mu.RLock()
	expected := m.definition.Workspace.Root
	m.mu.RUnlock()
	return guard.CheckRoot(m.root, expected)
}

// recheck halts, or goes on after a halt, by what the root is now.
func (m *mirror) recheck() { m.setHalt(m.checkRoot()) }

// recheckLater is recheck for the timer.
func (m *mirror) recheckLater() {
	m.mu.Lock()
	m.lookAgain = nil
	ended := m.ctx.Err() != nil
	m.mu.Unlock()
	if !ended {
		m.recheck()
	}
}

// setHalt halts all workers, or lets them go on with "": with a full pass,
// because nobody watched meanwhile.
func (m *mirror) setHalt(reason string) {
	m.mu.Lock()
	before := m.halt
	m.halt = reason
	if before == "" {
		m.haltSince = time.Now()
	}
	if reason != "" && m.lookAgain == nil {
		m.lookAgain = time.AfterFunc(haltCheckInterval, m.recheckLater)
	}
	if reason != before {
		for _, w := range m.workers {
			w.Halt(reason, m.seq.Add(1), time.Now())
		}
	}
	m.mu.Unlock()
	switch {
	case reason == before:
		return
	case reason != "":
		m.log.Warn("Halted", zap.String("reason", reason))
	default:
		m.log.Info("The workspace's directory is back")
	}
	m.changed(false)
}
