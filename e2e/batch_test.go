package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// echo adds a function whose runs take a while and succeed.
func echo(api *service, after time.Duration) (id string) {
	return api.AddFunction(sandbox.Function{
		Name: "echo", Run: &sandbox.Outcome{Result: "fine", After: after},
		Variables: []sandbox.Variable{{Name: "n", Type: "int"}},
	})
}

func numbered(n int) (items []any) {
	for i := range n {
		items = append(items, args{"n": i})
	}
	return items
}

// itemStarts returns how often Notte was asked to start each item, by its variables.
func itemStarts(t *testing.T, api *service) map[string]int {
	t.Helper()
	starts := make(map[string]int)
	for _, r := range api.Requests() {
		if r.Method != "POST" || !strings.Contains(r.Path, "/runs/") || strings.HasSuffix(r.Path, "/create") {
			continue
		}
		var body struct{ Variables json.RawMessage }
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Errorf("a run was started with %q: %v", r.Body, err)
		}
		starts[string(body.Variables)]++
	}
	return starts
}

// awaitItems waits until so many items were started.
func awaitItems(t *testing.T, api *service, n int) {
	t.Helper()
	for deadline := time.Now().Add(awaitTimeout); len(itemStarts(t, api)) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d items were started within %s, want %d", len(itemStarts(t, api)), awaitTimeout, n)
		}
	}
}

// checkItemStarts checks that each of n items was started once.
func checkItemStarts(t *testing.T, api *service, n int) {
	t.Helper()
	starts := itemStarts(t, api)
	for variables, times := range starts {
		if times != 1 {
			t.Errorf("the item %s was started %d times", variables, times)
		}
	}
	if len(starts) != n {
		t.Errorf("%d items were started, want %d", len(starts), n)
	}
}

// complete checks that all n items of a batch succeeded, and that its answer has them in
// order.
func complete(t *testing.T, out outcome, n int) {
	t.Helper()
	if out.Status != "closed" || out.isError || out.Total != n || out.Succeeded != n || len(out.Results) != n {
		t.Fatalf("the batch returned %.500s", out.text)
	}
	for i, r := range out.Results {
		if r.Index != i || r.Status != "closed" || r.OK == nil || !*r.OK || string(r.Result) != `"fine"` {
			t.Errorf("item %d is %+v", i, r)
		}
	}
}

// A batch reports its progress with a total, can be left and found again by its ID, and
// can be cancelled.
func TestBatch(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"stdio", "http"} {
		for _, e := range bothEras {
			t.Run(fmt.Sprint(transport, " ", e), func(t *testing.T) {
				t.Parallel()
				api, url := newSandbox(t)
				c, _ := connect(t, transport, e, url, "--state-dir", t.TempDir())
				id := c.call("run_batch", args{"function_id": echo(api, 100*time.Millisecond), "items": numbered(20), "concurrency": 4, "wait_seconds": 120})
				m := c.journal(id).await(t, "progress of items", func(_ string, m message) bool {
					return m.updates(id) && m.Params.Progress >= 1
				})
				if m.Params.Total == nil || *m.Params.Total != 20 || !strings.Contains(m.Params.Message, " of 20 done") {
					t.Errorf("progress %+v", m.Params)
				}
				out := c.outcome(id)
				complete(t, out, 20)
				complete(t, c.outcome(c.call("get_run", args{"run_id": out.BatchID})), 20)
				checkItemStarts(t, api, 20)

				left := c.outcome(c.call("run_batch", args{"function_id": echo(api, time.Hour), "items": numbered(9), "wait_seconds": 0}))
				if left.Status != "running" || left.BatchID == "" {
					t.Fatalf("without a wait: %s", left.text)
				}
				out = c.outcome(c.call("cancel_run", args{"run_id": left.BatchID}))
				if out.Status != "cancelled" || out.RunID != left.BatchID || out.Total != 9 {
					t.Errorf("cancelled: %s", out.text)
				}
				list := c.outcome(c.call("list_runs", nil))
				if len(list.Runs) != 2 || list.Runs[0].BatchID != left.BatchID || list.Runs[0].Status != "cancelled" {
					t.Errorf("the list is %s", list.text)
				}
			})
		}
	}
}

// resume resumes a batch until it is complete. While its dead process still has it, the
// batch is joined.
func (c *conn) resume(batchID string) outcome {
	c.t.Helper()
	return c.until(2*time.Minute, "the end of the batch", func() outcome {
		return c.outcome(c.call("run_batch", args{"resume": batchID, "wait_seconds": 60}))
	}, func(out outcome) bool { return out.Status == "closed" })
}

// A batch of 100 is killed at a random moment, and so is the process that resumes it. In
// the end each item was started once.
func TestBatchIsKilledAndResumed(t *testing.T) {
	t.Parallel()
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			api, url := newSandbox(t)
			dir := t.TempDir()
			const items = 100
			p, c := newServerIn(t, url, dir, round%2 == 1, bothEras[round%2])
			batch := c.outcome(c.call("run_batch", args{
				"function_id": echo(api, rand.N(100*time.Millisecond)), "items": numbered(items), "concurrency": 10, "wait_seconds": 0,
			})).BatchID
			for kill := range 2 {
				enough := (kill+1)*items/4 + rand.N(items/8)
				awaitItems(t, api, enough)
				p.kill()
				checkDatabase(t, dir)
				p, c = newServerIn(t, url, dir, round%2 == 0, bothEras[(round+kill)%2])
				interrupted := c.until(time.Minute, "the end of the batch that was killed", func() outcome {
					return c.outcome(c.call("get_run", args{"run_id": batch, "wait_seconds": 5}))
				}, func(out outcome) bool { return out.Status != "running" })
				if interrupted.Status != "interrupted" || interrupted.NotStarted == 0 {
					t.Errorf("after the kill: %.500s", interrupted.text)
				}
				if kill == 0 {
					out := c.outcome(c.call("run_batch", args{"resume": batch, "wait_seconds": 0}))
					if out.Status != "running" {
						t.Errorf("resumed: %.500s", out.text)
					}
				}
			}
			complete(t, c.resume(batch), items)
			checkItemStarts(t, api, items)
			checkDatabase(t, dir)
		})
	}
}

// Notte refuses most of what a batch asks for, and no item fails.
func TestBatchInAStorm(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	c, _ := connect(t, "stdio", modern, url, "--state-dir", t.TempDir())
	function := echo(api, 20*time.Millisecond)
	busy := []step{sandbox.Header("Retry-After", "0.05"), sandbox.Status(429, "application/json", `{"detail":"Too many requests"}`)}
	api.FaultNext(60, "POST", "/functions/{id}/runs/create", busy...)
	id := c.call("run_batch", args{"function_id": function, "items": numbered(40), "concurrency": 10, "wait_seconds": 300})
	awaitItems(t, api, 10)
	api.FaultNext(20, "POST", "/functions/{id}/runs/create", sandbox.Header("Retry-After", "0.05"), sandbox.Status(503, "application/json", `{"detail":"busy"}`))
	complete(t, c.outcome(id), 40)
	checkItemStarts(t, api, 40)
}

// Two processes share a database: each follows and joins the batch of the other, and one
// cancels what the other runs.
func TestTwoProcessesOneBatch(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	_, a, b := twoServers(t, url)
	call := args{"function_id": echo(api, 300*time.Millisecond), "items": numbered(12), "wait_seconds": 0}
	batch := a.outcome(a.call("run_batch", call)).BatchID
	call["wait_seconds"] = 120
	joined := b.outcome(b.call("run_batch", call))
	if joined.BatchID != batch || !joined.Joined {
		t.Errorf("the other process returned %.500s", joined.text)
	}
	complete(t, joined, 12)
	complete(t, b.outcome(b.call("get_run", args{"run_id": batch})), 12)
	checkItemStarts(t, api, 12)

	long := a.outcome(a.call("run_batch", args{"function_id": echo(api, time.Hour), "items": numbered(9), "wait_seconds": 0}))
	if out := b.outcome(b.call("cancel_run", args{"run_id": long.BatchID})); out.Status != "cancelled" {
		t.Errorf("cancelled by the other process: %.500s", out.text)
	}
}

// The command batch is killed, and another one runs what is left: all results come out in
// order.
func TestBatchCommandIsKilledAndResumed(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	dir, function := t.TempDir(), echo(api, 50*time.Millisecond)
	file := filepath.Join(dir, "items.csv")
	table := "n\n"
	for i := range 60 {
		table += fmt.Sprintln(i)
	}
	if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "batch", function, "--items", file, "--concurrency", "5", "--state-dir", dir)
	cmd.Env = environ(t, url)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitItems(t, api, 20)
	cmd.Process.Kill()
	cmd.Wait()
	var runs []outcome
	if err := json.Unmarshal([]byte(command(t, url, "runs", "--state-dir", dir, "--json")), &runs); err != nil || len(runs) != 1 {
		t.Fatalf("%d runs are listed, %v", len(runs), err)
	}
	out := command(t, url, "batch", "--resume", runs[0].BatchID, "--state-dir", dir)
	n := 0
	for scanner := bufio.NewScanner(bytes.NewBufferString(out)); scanner.Scan(); n++ {
		var item outcome
		if err := json.Unmarshal(scanner.Bytes(), &item); err != nil || item.Index != n || item.OK == nil || !*item.OK {
			t.Errorf("line %d is %s, %v", n, scanner.Text(), err)
		}
	}
	if n != 60 {
		t.Errorf("%d results", n)
	}
	checkItemStarts(t, api, 60)
}

// The state directory is removed while a batch runs. It ends with the results of its
// items lost, and says so.
func TestBatchThatLosesItsItems(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files that are open cannot be removed there")
	}
	t.Parallel()
	api, url := newSandbox(t)
	dir := filepath.Join(t.TempDir(), "state", "anything-mcp")
	c := newHostIn(t, url, dir).connect(modern)
	batch := c.call("run_batch", args{"function_id": echo(api, time.Second), "items": numbered(20), "concurrency": 1})
	awaitItems(t, api, 2)
	if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
		t.Fatal(err)
	}
	out := c.outcome(batch)
	if out.Status != "interrupted" || !strings.Contains(out.text, "not stored any more, so it cannot be resumed") {
		t.Errorf("the batch returned %s", out.text)
	}
}
