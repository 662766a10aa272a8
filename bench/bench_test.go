package main

import "testing"

// BenchmarkTable measures the rows of the table. An iteration is a whole row.
func BenchmarkTable(b *testing.B) {
	l, err := openLab(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer l.close()
	for _, m := range measurements() {
		b.Run(m.name, func(b *testing.B) {
			for b.Loop() {
				r, err := m.row(b.Context(), l, l.programs.ours())
				if err != nil {
					b.Fatal(err)
				}
				b.Log(r.what + ": " + r.measured)
				b.ReportMetric(r.ratio, "x-baseline")
			}
		})
	}
}
