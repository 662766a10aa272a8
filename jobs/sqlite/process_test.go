package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
)

// The other processes run the test binary. These variables say what they do, and in
// which directory.
const (
	roleVariable = "SQLITE_TEST_ROLE"
	dirVariable  = "SQLITE_TEST_DIR"
)

// roles are the programs that another process can run on a store. name is different
// for each process. A process writes its report to stdout, line by line.
var roles = map[string]func(ctx context.Context, store *sqlite.Store, name string) error{
	"join":   joinRole,
	"budget": budgetRole,
	"finish": finishRole,
}

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	// The start is given by the parent, to all at once.
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		os.Exit(3)
	}
	store := sqlite.New(os.Getenv(dirVariable))
	if err := errors.Join(role(context.Background(), store, fmt.Sprint(os.Getpid())), store.Close()); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// joinRole asks for one piece of work many times and reports which job it got.
func joinRole(ctx context.Context, store *sqlite.Store, name string) error {
	return parallel(20, func(i int) error {
		job, _, err := store.Create(ctx, build(fmt.Sprintf("build_%s_%d", name, i)), options("k"))
		fmt.Println(job.ID)
		return err
	})
}

// budgetRole starts what a budget allows and reports what was started.
func budgetRole(ctx context.Context, store *sqlite.Store, name string) error {
	return parallel(20, func(i int) error {
		c := options("")
		c.Limits = jobs.Limits{BudgetUSD: 7, Since: epoch}
		job, _, err := store.Create(ctx, build(fmt.Sprintf("build_%s_%d", name, i)), c)
		if _, refused := errors.AsType[*jobs.LimitError](err); refused {
			return nil
		}
		fmt.Println(job.ID)
		return err
	})
}

// finishRole takes builds to their end, without end, and reports each start and
// each end once it was acknowledged.
func finishRole(ctx context.Context, store *sqlite.Store, name string) error {
	return parallel(4, func(i int) error {
		for n := 0; ; n++ {
			job := build(fmt.Sprintf("build_%s_%d_%d", name, i, n))
			_, lease, err := store.Create(ctx, job, options(""))
			if err != nil {
				return err
			}
			fmt.Println("started", job.ID)
			if err := save(ctx, store, jobs.Change{Lease: lease, Entries: []jobs.Entry{entry(1), entry(2)}}); err != nil {
				return err
			}
			last := entry(3)
			last.Final = true
			if err := finish(ctx, store, lease, ended(job), []jobs.Entry{last}); err != nil {
				return err
			}
			fmt.Println("finished", job.ID)
		}
	})
}

// parallel calls work n times at once and joins the errors.
func parallel(n int, work func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = work(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// process is another process in its role.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

func spawn(t *testing.T, role, dir string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, dirVariable+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{cmd, stdin, bufio.NewScanner(stdout)}
}

// together runs processes of one role on one directory at the same time and
// returns all that they report.
func together(t *testing.T, n int, role, dir string) []string {
	t.Helper()
	var others []*process
	for range n {
		others = append(others, spawn(t, role, dir))
	}
	for _, p := range others {
		if _, err := io.WriteString(p.stdin, "go\n"); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	for _, p := range others {
		for p.lines.Scan() {
			lines = append(lines, p.lines.Text())
		}
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("a process ended with %v, having reported %q", err, lines)
		}
	}
	return lines
}

func TestProcessesJoinOneJob(t *testing.T) {
	dir := t.TempDir()
	got := make(map[string]int)
	for _, id := range together(t, 3, "join", dir) {
		got[id]++
	}
	if len(got) != 1 {
		t.Errorf("three processes asked for one piece of work and got the jobs %v, want one", got)
	}
	for id, n := range got {
		if n != 60 {
			t.Errorf("%s was given %d times, want 60", id, n)
		}
	}
	store := sqlite.New(dir)
	defer store.Close()
	list, err := store.List(t.Context(), jobs.Query{Owner: "ann", Kind: jobs.KindBuild, Limit: 100})
	if err != nil || len(list) != 1 {
		t.Errorf("stored are %d jobs, %v; want one", len(list), err)
	}
}

func TestProcessesShareABudget(t *testing.T) {
	if started := together(t, 3, "budget", t.TempDir()); len(started) != 7 {
		t.Errorf("%d builds at a dollar each fitted into seven dollars: %v", len(started), started)
	}
}

// TestKill kills a process at random moments while builds finish in it. What it
// had acknowledged is there afterwards, whole.
func TestKill(t *testing.T) {
	kills := 30
	if testing.Short() {
		kills = 5
	}
	dir := t.TempDir()
	store := sqlite.New(dir) // looks on all the while, as another host would
	defer store.Close()
	started, finished := 0, 0
	for range kills {
		p := spawn(t, "finish", dir)
		if _, err := io.WriteString(p.stdin, "go\n"); err != nil {
			t.Fatal(err)
		}
		var acknowledged []string
		for p.lines.Scan() {
			acknowledged = append(acknowledged, p.lines.Text())
			// Four builds run at once, so one of the first five lines is an end.
			if len(acknowledged) == 6 {
				after := time.Duration(rand.IntN(100_000)) * time.Microsecond
				kill := time.AfterFunc(after, func() { _ = p.cmd.Process.Kill() })
				defer kill.Stop()
			}
		}
		if err := p.cmd.Wait(); err == nil || len(acknowledged) < 6 {
			t.Fatalf("the process ended by itself: %v, %q", err, acknowledged)
		}
		// The last line may be cut short.
		for _, line := range acknowledged[:len(acknowledged)-1] {
			what, id, _ := strings.Cut(line, " ")
			switch what {
			case "started":
				started++
				if _, err := store.Get(t.Context(), id); err != nil {
					t.Errorf("%s was started: %v", id, err)
				}
			case "finished":
				finished++
				checkFinished(t, store, id)
			default:
				t.Fatalf("the process reports %q", line)
			}
		}
	}
	sum, err := store.Spending(t.Context(), "ann", epoch)
	if err != nil || sum.Builds < finished || sum.USD != float64(sum.Builds)/4 {
		t.Errorf("the ledger says %+v, %v; %d builds were finished", sum, err, finished)
	}
	if started < kills || finished < kills {
		t.Errorf("%d starts and %d ends in %d processes prove little", started, finished, kills)
	}
	checkWhole(t, filepath.Join(dir, "jobs.db"))
	t.Logf("%d kills, %d starts and %d ends acknowledged", kills, started, finished)
}

// TestKillAtBirth kills processes while they create the database. The next process
// can use the file that is left, or creates a new one.
func TestKillAtBirth(t *testing.T) {
	kills := 30
	if testing.Short() {
		kills = 5
	}
	for range kills {
		dir := t.TempDir()
		p := spawn(t, "finish", dir)
		if _, err := io.WriteString(p.stdin, "go\n"); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(rand.IntN(20_000))*time.Microsecond, func() { _ = p.cmd.Process.Kill() })
		defer kill.Stop()
		for p.lines.Scan() {
		}
		if err := p.cmd.Wait(); err == nil {
			t.Fatal("the process ended by itself")
		}
		store := sqlite.New(dir)
		whole(t, store, "build_late", 3)
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

// checkWhole makes SQLite check the file for damage.
func checkWhole(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the database is damaged: %s, %v", verdict, err)
	}
	var orphans int
	if err := db.QueryRow("SELECT count(*) FROM pragma_foreign_key_check").Scan(&orphans); err != nil || orphans != 0 {
		t.Errorf("%d rows belong to no job, %v", orphans, err)
	}
}

func checkFinished(t *testing.T, store jobs.Store, id string) {
	t.Helper()
	job, err := store.Get(t.Context(), id)
	if err != nil || job.State != jobs.StateDone || job.Build.TotalCostUSD == nil {
		t.Errorf("%s was finished: %+v, %v", id, job, err)
	}
	log, err := store.Entries(t.Context(), id, 0, 10)
	if err != nil || len(log) != 3 || !log[2].Final {
		t.Errorf("%s has the log %+v, %v; want its three entries", id, log, err)
	}
}
