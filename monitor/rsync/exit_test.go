package rsync

import "testing"

// documented are the codes of rsync(1), and those that rsync, ssh and the shell
// use besides.
var documented = []int{0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16, 19, 20, 21, 22, 23, 24, 25, 30, 35, 124, 125, 126, 127, 255}

func TestEveryCodeHasAVerdict(t *testing.T) {
	t.Parallel()
	for _, code := range documented {
		v, ok := verdicts[code]
		if !ok {
			t.Errorf("code %d is not in the table", code)
		}
		if (v.verdict == Done) != (code == 0) || (v.meaning == "") != (code == 0) {
			t.Errorf("code %d is %v, %q", code, v.verdict, v.meaning)
		}
	}
	for code := range verdicts {
		found := false
		for _, d := range documented {
			found = found || d == code
		}
		if !found {
			t.Errorf("code %d is in the table, and nowhere else", code)
		}
	}
}

func TestOnlyZeroIsDone(t *testing.T) {
	t.Parallel()
	for code := -10; code < 300; code++ {
		verdict, meaning := Classify(code)
		if (verdict == Done) != (code == 0) {
			t.Errorf("code %d is %v", code, verdict)
		}
		if code != 0 && meaning == "" {
			t.Errorf("code %d has no meaning", code)
		}
	}
}

// The verdicts on which the worker's reactions rest.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for verdict, codes := range map[Verdict][]int{
		Partial: {23}, Vanished: {24}, PartialDeletion: {25},
		Unreachable: {10, 12, 16, 19, 20, 30, 35, 255},
		Trouble:     {6, 11, 13, 14, 15, 21, 22, 124, 125, 99},
		Attention:   {1, 2, 3, 4, 5, 126, 127},
	} {
		for _, code := range codes {
			if got, _ := Classify(code); got != verdict {
				t.Errorf("code %d is %v, expected %v", code, got, verdict)
			}
		}
	}
}
