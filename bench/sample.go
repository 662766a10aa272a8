package main

import (
	"fmt"
	"slices"
	"time"
)

// sample is a number of timings of the same thing.
type sample []time.Duration

// median is the middle one, or the mean of the middle two; 0 of none.
func (s sample) median() time.Duration {
	if len(s) == 0 {
		return 0
	}
	s = slices.Sorted(slices.Values(s))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// String is the median and, in brackets, the smallest and the largest.
func (s sample) String() string {
	if len(s) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%s (%s to %s)", ms(s.median()), ms(slices.Min(s)), ms(slices.Max(s)))
}

func ms(d time.Duration) string {
	switch f := float64(d) / float64(time.Millisecond); {
	case f < 10:
		return fmt.Sprintf("%.2f ms", f)
	default:
		return fmt.Sprintf("%.0f ms", f)
	}
}

// inTurns times both, one after the other, so that a slow moment of the machine
// does not fall on one of them alone. A round before the first does not count:
// it brings files into memory.
func inTurns(rounds int, ours, base func() (time.Duration, error)) (a, b sample, err error) {
	for round := range rounds + 1 {
		took, err := ours()
		if err != nil {
			return nil, nil, err
		}
		baseTook, err := base()
		if err != nil {
			return nil, nil, err
		}
		if round > 0 {
			a, b = append(a, took), append(b, baseTook)
		}
	}
	return a, b, nil
}

// times is how many times b goes into a.
func times(a, b sample) float64 { return float64(a.median()) / float64(b.median()) }
