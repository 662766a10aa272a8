package main

import (
	"slices"
	"testing"
)

// One iteration is one measurement, as the table makes it, so that a run of
// all benchmarks takes about a minute. Nothing is asserted about times.

func BenchmarkDeltas(b *testing.B) {
	for name, flushed := range map[string]bool{"buffered": false, "flushed": true} {
		b.Run(name, func(b *testing.B) {
			l := newLab(b)
			report(b, "x-raw", func() (float64, error) {
				ours, raw, err := l.deltas(b.Context(), 100_000, 5, flushed)
				return times(ours, raw), err
			})
		})
	}
}

func BenchmarkStep(b *testing.B) {
	l := newLab(b)
	report(b, "x-raw", func() (float64, error) {
		ours, raw, err := l.steps(b.Context(), 20)
		b.ReportMetric(ours.median().Seconds()*1e3, "ms/step")
		return times(ours, raw), err
	})
}

func BenchmarkQuiet(b *testing.B) {
	for _, how := range []era{modern, oneSession, ownSession} {
		b.Run(string(how), func(b *testing.B) {
			l := newLab(b)
			report(b, "x-relay", func() (float64, error) {
				ours, err := l.quiet(b.Context(), 1000, how)
				if err != nil {
					return 0, err
				}
				b.ReportMetric(float64(ours)/1024, "KiB/build")
				relay, err := l.quietRelay(b.Context(), 1000)
				return float64(ours) / float64(relay), err
			})
		})
	}
}

func BenchmarkStart(b *testing.B) {
	l := newLab(b)
	report(b, "x-hello", func() (float64, error) {
		ours, hello, err := l.starts(b.Context(), 30)
		b.ReportMetric((ours.median()-hello.median()).Seconds()*1e3, "ms-more")
		return times(ours, hello), err
	})
}

func BenchmarkBinary(b *testing.B) {
	l := newLab(b)
	report(b, "x-hello", func() (float64, error) {
		ours, hello, err := l.sizes()
		b.ReportMetric(float64(ours)/1e6, "MB")
		return float64(ours) / float64(hello), err
	})
}

func BenchmarkMany(b *testing.B) {
	l := newLab(b)
	report(b, "x-memory", func() (float64, error) {
		disk, memory, err := l.many(b.Context(), 200, 50, manyGap, 1)
		return times(disk, memory), err
	})
}

func BenchmarkKept(b *testing.B) {
	l := newLab(b)
	for name, first := range map[string]bool{"list": false, "first-list": true} {
		b.Run(name, func(b *testing.B) {
			report(b, "x-small", func() (float64, error) {
				large, small, err := l.lists(b.Context(), 100_000, 20, first)
				b.ReportMetric(large.median().Seconds()*1e3, "ms/list")
				return times(large, small), err
			})
		})
	}
	b.Run("start", func(b *testing.B) {
		report(b, "x-empty", func() (float64, error) {
			large, empty, err := l.startsKept(b.Context(), 100_000, 30)
			return times(large, empty), err
		})
	})
}

// report measures and reports the median of the ratios to the baseline.
func report(b *testing.B, unit string, measure func() (ratio float64, err error)) {
	b.Helper()
	var ratios []float64
	for b.Loop() {
		ratio, err := measure()
		if err != nil {
			b.Fatal(err)
		}
		ratios = append(ratios, ratio)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], unit)
}

func newLab(tb testing.TB) *lab {
	tb.Helper()
	l, err := openLab(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(l.close)
	return l
}
