// Command library uses this module's packages without MCP: it has Notte build a
// function, shows the work, and runs the function.
//
//	go run ./examples/library "fetch the top 3 hacker news posts"
//
// With NOTTE_API_KEY it spends money. Without it, all goes to the sandbox. With -state
// builds outlive the program: the same query within 15 minutes is not built again.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
	"github.com/anything-mcp/anything-mcp/progress"
)

func main() {
	state := flag.String("state", "", "the `directory` of the database; empty: in memory")
	flag.Parse()
	query := cmp.Or(flag.Arg(0), "fetch the top 3 hacker news posts")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	cfg := notte.Config{Key: notte.APIKey(os.Getenv("NOTTE_API_KEY"))}
	if cfg.Key == "" {
		stand := sandbox.New()
		defer stand.Close()
		cfg.Key, cfg.HTTPClient = "any-key", stand.Client()
	}
	client, err := notte.NewClient(cfg)
	if err != nil {
		log.Fatal(err)
	}
	store := sqlite.NewMemory()
	if *state != "" {
		store = sqlite.New(*state)
	}
	defer store.Close()
	if err := buildAndRun(ctx, os.Stdout, client, store, query); err != nil {
		log.Fatal(err)
	}
}

// buildAndRun has Notte build a function and runs it once. It writes what happens to w.
func buildAndRun(ctx context.Context, w io.Writer, client *notte.Client, store jobs.Store, query string) error {
	m := jobs.NewManager(store, jobs.Options{ReuseWindow: 15 * time.Minute, MaxBuilds: 1, DailyBudgetUSD: 5})
	defer m.Stop(context.WithoutCancel(ctx)) // before the store is closed

	build, err := follow(ctx, w, m, jobs.BuildSpec{Client: client, Query: query})
	if err != nil {
		return err
	}
	if !build.Succeeded() {
		return fmt.Errorf("the build %s ended as %s: %s", build.ID, build.State, build.Build.Error)
	}
	if cost := build.Build.TotalCostUSD; cost != nil {
		fmt.Fprintf(w, "built %s for %.2f dollars\n", build.FunctionID(), *cost)
	}

	run, err := follow(ctx, w, m, jobs.RunSpec{Client: client, FunctionID: build.FunctionID()})
	if err != nil {
		return err
	}
	if !run.Succeeded() {
		return fmt.Errorf("the run %s ended as %s: %s", run.ID, run.State, run.Run.Error)
	}
	fmt.Fprintf(w, "%s\n", run.Run.Result)
	return nil
}

// follow starts a job, or joins one, and writes its log until it ends. The job goes on
// if follow fails: it can be followed again by its ID, from any entry.
func follow(ctx context.Context, w io.Writer, m *jobs.Manager, spec jobs.Spec) (jobs.Job, error) {
	job, joined, err := m.Start(ctx, spec)
	if err != nil {
		return job, err
	}
	fmt.Fprintf(w, "%s (was there before: %t)\n", job.ID, joined)
	for after, ended := int64(0), false; !ended; {
		entries, err := m.Next(ctx, job.Owner, job.ID, after, time.Minute)
		if err != nil {
			return job, err
		}
		for _, e := range entries {
			if line, ok := progress.Describe(e.Event); ok && !e.Final {
				fmt.Fprintln(w, " ", line)
			}
			after, ended = e.Seq, e.Final
		}
	}
	return m.Get(ctx, job.Owner, job.ID)
}
