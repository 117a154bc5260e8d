package notify

import (
	"testing"

	"wsync/monitor/watch/watchtest"
)

func TestMounts(t *testing.T)          { watchtest.Mounts(t, create) }
func TestOverlay(t *testing.T)         { watchtest.Overlay(t, create) }
func TestMountsElsewhere(t *testing.T) { watchtest.MountsElsewhere(t, create) }
