package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

// kinds are the stores to compare, the baseline first.
var kinds = []struct {
	name string
	open func(testing.TB) jobs.Store
}{
	{"memory", func(t testing.TB) jobs.Store {
		s := sqlite.NewMemory()
		t.Cleanup(func() { s.Close() })
		return s
	}},
	{"disk", func(t testing.TB) jobs.Store {
		s := sqlite.New(t.TempDir())
		t.Cleanup(func() { s.Close() })
		return s
	}},
}

// BenchmarkAppend appends an entry at a time, for one job and for 200 at once.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 200} {
		for _, kind := range kinds {
			b.Run(fmt.Sprintf("callers=%d/%s", callers, kind.name), func(b *testing.B) {
				store := kind.open(b)
				leases := make([]jobs.Lease, callers)
				for i := range leases {
					leases[i] = start(b, store, fmt.Sprint("build_", i))
				}
				b.ResetTimer()
				var wg sync.WaitGroup
				for i, lease := range leases {
					wg.Go(func() {
						for seq := i; seq < b.N; seq += callers {
							if err := save(b.Context(), store, jobs.Change{Lease: lease, Entries: []jobs.Entry{entry(int64(seq + 1))}}); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

// BenchmarkBuilds takes 200 builds at once through 50 steps each, from their
// start to their end.
func BenchmarkBuilds(b *testing.B) {
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				store := kind.open(b)
				b.StartTimer()
				var wg sync.WaitGroup
				for i := range 200 {
					wg.Go(func() { whole(b, store, fmt.Sprint("build_", i), 50) })
				}
				wg.Wait()
			}
		})
	}
}

// whole takes a build from its start through its steps to its end.
func whole(t testing.TB, store jobs.Store, id string, steps int64) {
	lease := start(t, store, id)
	for seq := int64(1); seq <= steps; seq++ {
		if err := save(t.Context(), store, jobs.Change{Lease: lease, Entries: []jobs.Entry{entry(seq)}}); err != nil {
			t.Error(err)
		}
	}
	last := entry(steps + 1)
	last.Final = true
	if err := finish(t.Context(), store, lease, ended(build(id)), []jobs.Entry{last}); err != nil {
		t.Error(err)
	}
}

// start stores a running build.
func start(t testing.TB, store jobs.Store, id string) jobs.Lease {
	_, lease, err := store.Create(t.Context(), build(id), options(""))
	if err != nil {
		t.Error(err)
	}
	return lease
}

// BenchmarkOpen opens the store in a directory, asks it one question and closes it.
func BenchmarkOpen(b *testing.B) {
	for _, size := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("jobs=%d", size), func(b *testing.B) {
			dir := filepath.Dir(fill(b, size))
			for b.Loop() {
				store := sqlite.New(dir)
				if _, err := store.Spending(b.Context(), "ann", epoch); err != nil {
					b.Fatal(err)
				}
				if err := store.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			store := sqlite.New(b.TempDir())
			if err := store.Open(b.Context()); err != nil {
				b.Fatal(err)
			}
			if err := store.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLarge runs the frequent queries on a store of 100,000 ended builds.
func BenchmarkLarge(b *testing.B) {
	store := sqlite.New(filepath.Dir(fill(b, 100_000)))
	defer store.Close()
	for name, ask := range map[string]func() error{
		"list": func() error {
			list, err := store.List(b.Context(), jobs.Query{Owner: "ann", Kind: jobs.KindBuild, Limit: 20})
			if len(list) != 20 {
				b.Errorf("%d jobs", len(list))
			}
			return err
		},
		"list running": func() error {
			_, err := store.List(b.Context(), jobs.Query{Owner: "ann", Kind: jobs.KindBuild, State: jobs.StateRunning, Limit: 20})
			return err
		},
		"spending of 30 days": func() error {
			_, err := store.Spending(b.Context(), "ann", epoch.Add(-30*24*time.Hour))
			return err
		},
		"create within a budget": func() error {
			c := options("")
			c.Limits = jobs.Limits{BudgetUSD: 0.01, Since: epoch.Add(-24 * time.Hour)}
			if _, _, err := store.Create(b.Context(), build("build_late"), c); err == nil {
				b.Error("a cent was enough")
			}
			return nil
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
