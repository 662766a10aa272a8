package e2e_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to look into the database from outside

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// newHostIn is newHost with a place for the state.
func newHostIn(t *testing.T, url, dir string, flags ...string) *host {
	t.Helper()
	return newHost(t, url, append([]string{"--state-dir", dir}, flags...)...)
}

// kill ends the process where it stands, with no chance to do anything about it.
func (p *process) kill() {
	p.cmd.Process.Kill() // fails if it has ended
	<-p.ended
	p.stdout.dropUnfinished()
}

// leave ends the server in order.
func (h *host) leave() {
	h.t.Helper()
	h.hangUp()
	h.exits(0)
}

// handle starts a build and does not wait for it.
func (c *conn) handle(query string) outcome {
	c.t.Helper()
	return c.outcome(c.call("build_automation", args{"query": query, "wait_seconds": 0}))
}

// look calls get_build for a build as it stands.
func (c *conn) look(buildID string) (id int) {
	c.t.Helper()
	return c.call("get_build", args{"build_id": buildID, "wait_seconds": 0})
}

// starts counts the builds that Notte was asked for, by query.
func starts(t *testing.T, api *sandbox.Server) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, r := range api.Requests() {
		if r.Method != "POST" || !strings.HasSuffix(r.Path, "/api/anything/start") {
			continue
		}
		var body struct{ Query string }
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Errorf("a build was asked for with %q: %v", r.Body, err)
		}
		counts[body.Query]++
	}
	return counts
}

// command runs the program to its end and returns its stdout.
func command(t *testing.T, url string, arguments ...string) string {
	t.Helper()
	cmd := exec.Command(binary, arguments...)
	cmd.Env = environ(t, url)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", arguments, err, stderr.String())
	}
	checkSecrets(t, "stdout", stdout.String())
	return stdout.String()
}

// checkSound has SQLite look for damage in a state directory's database.
func checkSound(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "jobs.db"))
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

// promise is what a killed process had said of a build, which is what holds.
type promise struct {
	query string
	done  bool // or merely taken on
}

// orders is builds of random length with an end that their query tells.
type orders struct {
	api  *sandbox.Server
	ends map[string]outcome // what they come to, by query
}

// place scripts one more build and returns its query.
func (o *orders) place() string {
	n := len(o.ends)
	query, function, cost := fmt.Sprintf("order %d", n), fmt.Sprintf("fn-%d", n), float64(n%40+1)/100
	o.ends[query] = outcome{Status: "done", FunctionID: function, TotalCostUSD: &cost}
	pause := func() sandbox.Step { return sandbox.Delay(rand.N(150 * time.Millisecond)) }
	o.api.Script(query, working("planning"), pause(),
		sandbox.Event(event{"type": "text_delta", "delta": strings.Repeat("a word and ", 100)}), pause(),
		sandbox.Event(event{"type": "function_uploaded", "function_id": function, "name": query}),
		sandbox.Event(event{"type": "done", "function_id": function, "total_cost_usd": cost}))
	return query
}

// check holds what is said of a build against what it came to.
func (o *orders) check(t *testing.T, who string, got outcome) {
	t.Helper()
	want := o.ends[got.Query]
	if got.Status != "done" || got.FunctionID != want.FunctionID || got.TotalCostUSD == nil || *got.TotalCostUSD != *want.TotalCostUSD || got.Durable != nil {
		t.Errorf("%s has %s; want it done with %s at $%.2f", who, got.text, want.FunctionID, *want.TotalCostUSD)
	}
}

// kill starts n builds on a server, kills it after a random number of them have
// ended, and returns what it had promised, by build ID. Half of the calls wait;
// the others are handles that are then followed.
func (o *orders) kill(t *testing.T, h *host, c *conn, n int) map[string]promise {
	t.Helper()
	first := c.lastID + 1
	for i := range n {
		arguments := args{"query": o.place()}
		if i%2 == 0 {
			arguments["wait_seconds"] = 0
		}
		c.call("build_automation", arguments)
	}
	ours := func(m message) bool {
		id, err := strconv.Atoi(string(m.ID))
		return err == nil && id >= first
	}
	left := rand.N(n - 1)
	h.stdout.await(t, "the end of enough builds", func(_ string, m message) bool {
		if !ours(m) {
			return false
		}
		switch out := m.outcome(t); out.Status {
		case "running":
			c.call("get_build", args{"build_id": out.BuildID})
		case "done":
			left--
		}
		return left < 0
	})
	late := time.AfterFunc(rand.N(10*time.Millisecond), func() { h.cmd.Process.Kill() })
	defer late.Stop()
	<-h.ended
	h.stdout.dropUnfinished()

	promised := map[string]promise{}
	for _, m := range h.stdout.messages(t) {
		if !ours(m) {
			continue
		}
		out := m.outcome(t)
		if out.Status == "done" {
			o.check(t, "the process", out)
		} else if out.Status != "running" {
			t.Errorf("before it was killed the process said %s", out.text)
		}
		promised[out.BuildID] = promise{out.Query, out.Status == "done" || promised[out.BuildID].done}
	}
	return promised
}

// verify holds what a server knows against what its predecessors promised.
func (o *orders) verify(t *testing.T, c *conn, promised map[string]promise) {
	t.Helper()
	calls := map[int]string{}
	for id := range promised {
		calls[c.look(id)] = id
	}
	for call, id := range calls {
		got, want := c.outcome(call), promised[id]
		switch {
		case got.BuildID != id || got.Query != want.query:
			t.Errorf("%s of %q is lost: %s", id, want.query, got.text)
		case want.done || got.Status == "done":
			o.check(t, "the next process", got)
		case got.Status != "running" && got.Status != "interrupted":
			t.Errorf("%s, whose process was killed, is now %s", id, got.text)
		}
	}
}

// askAgain asks for builds that are done, and for ones that as far as anybody
// knows still run: nothing is started for either.
func (o *orders) askAgain(t *testing.T, c *conn, promised map[string]promise) {
	t.Helper()
	calls := map[int]string{}
	for id, p := range promised {
		calls[c.call("build_automation", args{"query": p.query, "wait_seconds": 0})] = id
	}
	for call, id := range calls {
		if got := c.outcome(call); got.BuildID != id || !got.Joined {
			t.Errorf("asked again for %q, which is %s, the next process answers with %s", promised[id].query, id, got.text)
		}
	}
}

// Whatever a server has told, and whatever it has given a handle for, is there
// after it was killed, and nothing is paid for twice. Each process but the last
// is killed at a random moment while builds end in it, and the next one has to
// keep its promises.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	rounds, builds := 12, 36
	if testing.Short() {
		rounds = 3
	}
	api, url := newSandbox(t)
	dir := t.TempDir()
	o := &orders{api, map[string]outcome{}}
	all, last := map[string]promise{}, map[string]promise{}
	for round := range rounds {
		h := newHostIn(t, url, dir)
		c := h.connect(bothEras[round%2])
		o.verify(t, c, last)
		o.askAgain(t, c, last)
		checkSound(t, dir)
		last = o.kill(t, h, c, builds)
		maps.Copy(all, last)
	}
	h := newHostIn(t, url, dir)
	o.verify(t, h.connect(modern), all)
	h.leave()
	checkSound(t, dir)

	told := 0
	for _, p := range all {
		if p.done {
			told++
		}
	}
	t.Logf("%d processes were killed after they had taken on %d builds and told of the end of %d", rounds, len(all), told)
	if told < rounds || told == len(all) {
		t.Errorf("%d of %d builds were told to be done, which proves little", told, len(all))
	}
	checkAccounts(t, api, url, dir)
}

// checkAccounts checks that every build that Notte was asked for was asked for
// once and is on record, and that the sum spent is that of the record.
func checkAccounts(t *testing.T, api *sandbox.Server, url, dir string) {
	t.Helper()
	var listed []outcome
	if err := json.Unmarshal([]byte(command(t, url, "builds", "--state-dir", dir, "--json", "--limit", "1000")), &listed); err != nil {
		t.Fatal(err)
	}
	recorded, sum := map[string]int{}, 0.0
	for _, b := range listed {
		recorded[b.Query]++
		if b.TotalCostUSD != nil {
			sum += *b.TotalCostUSD
		}
	}
	asked := starts(t, api)
	for _, query := range slices.Sorted(maps.Keys(asked)) {
		if asked[query] != 1 || recorded[query] != 1 {
			t.Errorf("%q was asked for %d times and is recorded %d times", query, asked[query], recorded[query])
		}
	}
	h := newHostIn(t, url, dir)
	c := h.connect(legacy)
	out := c.outcome(c.call("list_builds", args{"limit": 1}))
	if out.Spent == nil || math.Abs(*out.Spent-sum) > 0.001 {
		t.Errorf("the builds on record cost $%.2f, and list_builds says %s", sum, out.text)
	}
	h.leave()
}
