package remote

import "testing"

func TestBarriers(t *testing.T) {
	var b Barriers
	b.Add(1, 10)
	b.Add(2, 20)
	b.Add(3, 30)
	b.Wanted = 2
	for _, step := range []struct {
		name                       string
		unacknowledged, unverified Open
		answers                    bool
		acknowledged, verified     uint64
		waiting, wants             bool
	}{
		{"the first mark is open", 10, 10, false, 0, 0, true, true},
		{"a later one is", 11, 5, true, 1, 0, true, true},
		{"the same again", 11, 5, false, 1, 0, true, true},
		{"nothing is verified that is not acknowledged", 11, None, true, 1, 1, true, true},
		{"two at once", None, 25, true, 3, 2, true, false},
		{"all", None, None, true, 3, 3, false, false},
		{"nobody waits", None, None, false, 3, 3, false, false},
	} {
		if answers := b.Answer(step.unacknowledged, step.unverified); answers != step.answers {
			t.Errorf("%s: answers: %v, expected %v", step.name, answers, step.answers)
		}
		if b.Acknowledged != step.acknowledged || b.Verified != step.verified || b.Waiting() != step.waiting || b.WantsVerified() != step.wants {
			t.Errorf("%s: %+v", step.name, b)
		}
	}
	if b.Asked != 3 {
		t.Errorf("asked %d, expected 3", b.Asked)
	}
}
