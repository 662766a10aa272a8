package main

import (
	"fmt"
	"slices"
	"time"
)

// sample holds timings of the same thing.
type sample []time.Duration

// median returns the middle timing, or the mean of the middle two. It returns 0
// for an empty sample.
func (s sample) median() time.Duration {
	if len(s) == 0 {
		return 0
	}
	s = slices.Sorted(slices.Values(s))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// String returns the median and, in brackets, the smallest and the largest.
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

// inTurns calls first and second in turns, because other work on the machine
// then slows both. It drops the first round, which only warms up caches.
func inTurns(rounds int, first, second func() (time.Duration, error)) (a, b sample, err error) {
	for round := range rounds + 1 {
		firstTook, err := first()
		if err != nil {
			return nil, nil, err
		}
		secondTook, err := second()
		if err != nil {
			return nil, nil, err
		}
		if round > 0 {
			a, b = append(a, firstTook), append(b, secondTook)
		}
	}
	return a, b, nil
}

// times returns the ratio of the medians of a and b.
func times(a, b sample) float64 { return float64(a.median()) / float64(b.median()) }
