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

	_ "modernc.org/sqlite" // opens the database, to check it

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// newHostIn is newHost with a state directory.
func newHostIn(t *testing.T, url, dir string, flags ...string) *host {
	t.Helper()
	return newHost(t, url, append([]string{"--state-dir", dir}, flags...)...)
}

// kill ends the process at once, without a chance to clean up.
func (p *process) kill() {
	p.cmd.Process.Kill() // fails if it has ended
	<-p.ended
	p.stdout.dropUnfinished()
}

// stop closes the server's stdin and checks that it exits with 0.
func (h *host) stop() {
	h.t.Helper()
	h.closeStdin()
	h.exits(0)
}

// startBuild starts a build and returns its handle without waiting for its end.
func (c *conn) startBuild(query string) outcome {
	c.t.Helper()
	return c.outcome(c.call("build_automation", args{"query": query, "wait_seconds": 0}))
}

// getNow calls get_build without waiting, and returns the call's ID.
func (c *conn) getNow(buildID string) (id int) {
	c.t.Helper()
	return c.call("get_build", args{"build_id": buildID, "wait_seconds": 0})
}

// startsByQuery returns how often Notte was asked for each build.
func startsByQuery(t *testing.T, api *service) map[string]int {
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

// command runs the program until it exits, and returns its stdout.
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

// checkDatabase checks that SQLite finds no damage in a state directory's
// database.
func checkDatabase(t *testing.T, dir string) {
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

// acknowledged is what a process had reported of a build before it was killed.
type acknowledged struct {
	query string
	done  bool // false: only a handle had been returned
}

// scriptedBuilds scripts builds of random length. Each query has its own result.
type scriptedBuilds struct {
	api  *service
	ends map[string]outcome // the results, by query
}

// add scripts one more build and returns its query.
func (o *scriptedBuilds) add() string {
	n := len(o.ends)
	query, function, cost := fmt.Sprintf("order %d", n), fmt.Sprintf("fn-%d", n), float64(n%40+1)/100
	o.ends[query] = outcome{Status: "done", FunctionID: function, TotalCostUSD: &cost}
	pause := func() sandbox.Step { return sandbox.Delay(rand.N(150 * time.Millisecond)) }
	o.api.Script(query, statusEvent("planning"), pause(),
		textDelta(strings.Repeat("a word and ", 100)), pause(),
		uploaded(function, query, nil),
		doneFor(function, cost))
	return query
}

// check checks that who reports the scripted result of a build.
func (o *scriptedBuilds) check(t *testing.T, who string, got outcome) {
	t.Helper()
	want := o.ends[got.Query]
	if got.Status != "done" || got.FunctionID != want.FunctionID || got.TotalCostUSD == nil || *got.TotalCostUSD != *want.TotalCostUSD || got.Durable != nil {
		t.Errorf("%s reports %s; want done with %s at $%.2f", who, got.text, want.FunctionID, *want.TotalCostUSD)
	}
}

// startAndKill starts n builds on a server, kills it after a random number of
// them have ended, and returns what it had acknowledged, by build ID. Half of the
// calls wait. The others return a handle, which get_build then waits for.
func (o *scriptedBuilds) startAndKill(t *testing.T, h *host, c *conn, n int) map[string]acknowledged {
	t.Helper()
	first := c.lastID + 1
	for i := range n {
		query := o.add()
		arguments := args{"query": query}
		if i%2 == 0 {
			arguments["wait_seconds"] = 0
		}
		if i == 0 { // this build never ends, so that some builds are killed at their work
			o.api.Script(query, statusEvent("planning"), sandbox.Stall())
		}
		id := c.call("build_automation", arguments)
		if i == 0 {
			c.outcome(id)
		}
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

	promised := map[string]acknowledged{}
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
		promised[out.BuildID] = acknowledged{out.Query, out.Status == "done" || promised[out.BuildID].done}
	}
	return promised
}

// verify checks that a server knows what killed processes had acknowledged.
func (o *scriptedBuilds) verify(t *testing.T, c *conn, promised map[string]acknowledged) {
	t.Helper()
	calls := map[int]string{}
	for id := range promised {
		calls[c.getNow(id)] = id
	}
	for call, id := range calls {
		got, want := c.outcome(call), promised[id]
		switch {
		case got.BuildID != id || got.Query != want.query:
			t.Errorf("%s of %q is lost: %s", id, want.query, got.text)
		case want.done || got.Status == "done" && !o.api.v2:
			o.check(t, "the next process", got)
		case got.Status == "done" && got.FunctionID == o.ends[got.Query].FunctionID:
			// In v2 it is enough that the function was told.
		case got.Status != "running" && got.Status != "interrupted":
			t.Errorf("%s, whose process was killed, is now %s", id, got.text)
		}
	}
}

// askAgain checks that a query is joined, and not started again, while its build
// is known to be done or running.
func (o *scriptedBuilds) askAgain(t *testing.T, c *conn, promised map[string]acknowledged) {
	t.Helper()
	calls := map[int]string{}
	for id, p := range promised {
		calls[c.call("build_automation", args{"query": p.query, "wait_seconds": 0})] = id
	}
	for call, id := range calls {
		if got := c.outcome(call); got.BuildID != id || !got.Joined {
			t.Errorf("%q was asked for again; its build is %s, and the next process returned %s", promised[id].query, id, got.text)
		}
	}
}

// After a SIGKILL the next process knows every result and every handle that was
// returned before, and no build is started twice. Each process but the last is
// killed at a random moment while its builds end.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		rounds, builds := 12, 36
		if testing.Short() {
			rounds = 3
		}
		dir := t.TempDir()
		o := &scriptedBuilds{api, map[string]outcome{}}
		all, last := map[string]acknowledged{}, map[string]acknowledged{}
		for round := range rounds {
			h := newHostIn(t, url, dir)
			c := h.connect(bothEras[round%2])
			o.verify(t, c, last)
			o.askAgain(t, c, last)
			checkDatabase(t, dir)
			last = o.startAndKill(t, h, c, builds)
			maps.Copy(all, last)
		}
		h := newHostIn(t, url, dir)
		o.verify(t, h.connect(modern), all)
		h.stop()
		checkDatabase(t, dir)

		ended := 0
		for _, p := range all {
			if p.done {
				ended++
			}
		}
		t.Logf("%d processes were killed after they had started %d builds and reported the end of %d", rounds, len(all), ended)
		if ended < rounds || ended == len(all) {
			t.Errorf("the end of %d of %d builds was reported before a kill; want some but not all", ended, len(all))
		}
		checkLedger(t, api, url, dir)
	})
}

// checkLedger checks that every build was started once and recorded once, and
// that the sum that list_builds reports is that of the recorded builds.
func checkLedger(t *testing.T, api *service, url, dir string) {
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
	asked := startsByQuery(t, api)
	for _, query := range slices.Sorted(maps.Keys(asked)) {
		if asked[query] != 1 || recorded[query] != 1 {
			t.Errorf("%q was started %d times and is recorded %d times", query, asked[query], recorded[query])
		}
	}
	h := newHostIn(t, url, dir)
	c := h.connect(legacy)
	out := c.outcome(c.call("list_builds", args{"limit": 1}))
	if out.Spent == nil || math.Abs(*out.Spent-sum) > 0.001 {
		t.Errorf("the recorded builds cost $%.2f, and list_builds returned %s", sum, out.text)
	}
	h.stop()
}
