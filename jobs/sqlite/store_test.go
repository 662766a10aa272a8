package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/jobstest"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

func TestContract(t *testing.T) {
	jobstest.Test(t, func(t *testing.T) jobs.Store { return sqlite.New(t.TempDir()) })
}

func TestContractInMemory(t *testing.T) {
	jobstest.Test(t, func(*testing.T) jobs.Store { return sqlite.NewMemory() })
}

// TestContractTwice has two stores in one directory, as two processes have, and
// gives each call to the other one.
func TestContractTwice(t *testing.T) {
	jobstest.Test(t, func(t *testing.T) jobs.Store {
		dir := t.TempDir()
		return &pair{stores: [2]*sqlite.Store{sqlite.New(dir), sqlite.New(dir)}}
	})
}

// pair is two stores that share their calls.
type pair struct {
	stores [2]*sqlite.Store
	calls  atomic.Int64
}

func (p *pair) next() *sqlite.Store { return p.stores[p.calls.Add(1)%2] }

func (p *pair) Create(ctx context.Context, job jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	return p.next().Create(ctx, job, opts)
}
func (p *pair) Get(ctx context.Context, id string) (jobs.Job, error) { return p.next().Get(ctx, id) }
func (p *pair) List(ctx context.Context, q jobs.Query) ([]jobs.Job, error) {
	return p.next().List(ctx, q)
}
func (p *pair) Spending(ctx context.Context, owner string, since time.Time) (jobs.Spending, error) {
	return p.next().Spending(ctx, owner, since)
}
func (p *pair) Entries(ctx context.Context, id string, after int64, limit int) ([]jobs.Entry, error) {
	return p.next().Entries(ctx, id, after, limit)
}
func (p *pair) Save(ctx context.Context, changes []jobs.Change) []error {
	return p.next().Save(ctx, changes)
}
func (p *pair) Positions(ctx context.Context, ids []string) ([]jobs.Position, error) {
	return p.next().Positions(ctx, ids)
}
func (p *pair) Cancel(ctx context.Context, id string) error { return p.next().Cancel(ctx, id) }
func (p *pair) Renew(ctx context.Context, leases []jobs.Lease, until time.Time) (jobs.Renewal, error) {
	return p.next().Renew(ctx, leases, until)
}
func (p *pair) Adopt(ctx context.Context, owner, holder string, until, now time.Time) ([]jobs.Adopted, error) {
	return p.next().Adopt(ctx, owner, holder, until, now)
}
func (p *pair) TakeItem(ctx context.Context, batch jobs.Lease, run jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	return p.next().TakeItem(ctx, batch, run, opts)
}
func (p *pair) Resume(ctx context.Context, job jobs.Job, opts jobs.CreateOptions) (jobs.Job, jobs.Lease, error) {
	return p.next().Resume(ctx, job, opts)
}
func (p *pair) Items(ctx context.Context, id string, from, limit int) ([]jobs.Item, error) {
	return p.next().Items(ctx, id, from, limit)
}
func (p *pair) Forget(ctx context.Context, before time.Time) (int, error) {
	return p.next().Forget(ctx, before)
}
func (p *pair) Close() error {
	err := p.stores[0].Close()
	if err2 := p.stores[1].Close(); err2 != nil {
		err = err2
	}
	return err
}

func TestStoreOutlivesItsProcess(t *testing.T) {
	dir := t.TempDir()
	first := sqlite.New(dir)
	lease := start(t, first, "build_1")
	odd := entry(1)
	odd.Name = "NUL \x00, é, \"'%<\n"
	if err := save(t.Context(), first, jobs.Change{Lease: lease, Entries: []jobs.Entry{odd}}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := sqlite.New(dir)
	defer second.Close()
	log, err := second.Entries(t.Context(), "build_1", 0, 10)
	if err != nil || len(log) != 1 || log[0].Name != odd.Name {
		t.Errorf("the log is %+v, %v; want %+v", log, err, odd)
	}
	job := ended(build("build_1"))
	job.Build.Answer, job.Build.Steps = odd.Name, []string{}
	if err := finish(t.Context(), second, lease, job, nil); err != nil {
		t.Errorf("a lease outlives the store that gave it: %v", err)
	}
	got, err := second.Get(t.Context(), "build_1")
	if err != nil || got.Build.Answer != odd.Name || got.Build.Steps == nil {
		t.Errorf("Get = %+v, %v", got.Build, err)
	}
}

// TestForgetMany deletes more than fits into a transaction, with all that
// belongs to it.
func TestForgetMany(t *testing.T) {
	path := fill(t, 1000)
	store := sqlite.New(filepath.Dir(path))
	defer store.Close()
	lease := start(t, store, "build_late")
	if _, err := store.Renew(t.Context(), []jobs.Lease{lease}, epoch.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	before, err := store.Spending(t.Context(), "ann", time.Time{})
	if err != nil || before.Builds != 1001 {
		t.Fatalf("Spending = %+v, %v", before, err)
	}
	if n, err := store.Forget(t.Context(), epoch.Add(-500*time.Minute)); err != nil || n != 500 {
		t.Errorf("Forget = %d, %v; want 500", n, err)
	}
	if n, err := store.Forget(t.Context(), epoch.Add(time.Hour)); err != nil || n != 501 {
		t.Errorf("Forget = %d, %v; want 501", n, err)
	}
	if after, err := store.Spending(t.Context(), "ann", time.Time{}); err != nil || after != before {
		t.Errorf("Spending = %+v, %v; want %+v as before", after, err, before)
	}
	if err := save(t.Context(), store, jobs.Change{Lease: lease, Entries: []jobs.Entry{entry(1)}}); err != nil {
		t.Errorf("a running job was forgotten: %v", err)
	}
}

// While another program holds the lock, callers do not wait one after another: a
// few seconds for all.
func TestLockHeldByAnother(t *testing.T) {
	dir := t.TempDir()
	store := sqlite.New(dir)
	defer store.Close()
	start(t, store, "build_first")
	db, err := sql.Open("sqlite", filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * 10 * time.Millisecond) // not in one transaction
			_, _, err := store.Create(t.Context(), build(fmt.Sprint("build_", i)), options(""))
			refused(t, err, filepath.Join(dir, "jobs.db"), "another program keeps it locked")
		})
	}
	wg.Wait()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("ten callers waited %v", took)
	}
	if list, err := store.List(t.Context(), jobs.Query{Owner: "ann", Kind: jobs.KindBuild, Limit: 9}); err != nil || len(list) != 1 {
		t.Errorf("meanwhile the list is %v, %v", list, err)
	}
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	whole(t, store, "build_late", 1)
}
