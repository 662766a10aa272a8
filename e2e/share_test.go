package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// twoServers starts two servers that share a state directory, as two hosts do.
func twoServers(t *testing.T, url string, flags ...string) (dir string, a, b *conn) {
	t.Helper()
	dir = t.TempDir()
	a, b = newHostIn(t, url, dir, flags...).connect(legacy), newHostIn(t, url, dir, flags...).connect(modern)
	return dir, a, b
}

// Two hosts send the same query at once: it is built once, and both get its
// progress and its result.
func TestTwoProcessesOneBuild(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		dir, a, b := twoServers(t, url)
		wait, open := gate(t)
		const builds = 10
		var ids [builds][2]int
		for n := range ids {
			query := fmt.Sprintf("both want %d", n)
			spaced := strings.ReplaceAll(query, " ", "\n ")
			for _, spelling := range []string{query, spaced} { // the one that comes first is sent to Notte
				api.Script(spelling, statusEvent("planning"), wait, statusEvent("uploading"), done(fmt.Sprintf("fn-%d", n)))
			}
			ids[n] = [2]int{a.build(query), b.build("  " + spaced + " ")}
		}
		for _, pair := range ids {
			a.progress(pair[0], 1)
			b.progress(pair[1], 1)
		}
		open()
		for n, pair := range ids {
			one, other := a.outcome(pair[0]), b.outcome(pair[1])
			function := fmt.Sprintf("fn-%d", n)
			if one.BuildID != other.BuildID || one.Joined == other.Joined {
				t.Errorf("two processes asked for one thing and got\n%s\n%s", one.text, other.text)
			}
			if one.Status != "done" || other.Status != "done" || one.FunctionID != function || other.FunctionID != function {
				t.Errorf("the build returned\n%s\n%s", one.text, other.text)
			}
		}
		if n := requests(api, "POST", "/start"); n != builds {
			t.Errorf("Notte was asked for %d builds, want %d", n, builds)
		}
		checkDatabase(t, dir)
	})
}

// A process can list, follow and cancel the builds and runs of another.
func TestTwoProcessesFollowAndCancel(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		_, a, b := twoServers(t, url)
		wait, open := gate(t)
		api.Script("follow me", statusEvent("planning"), wait, statusEvent("uploading"), done("fn"))
		handle := a.startBuild("follow me")
		follow := b.call("get_build", args{"build_id": handle.BuildID})
		b.progress(follow, 1)
		open()
		if out := b.outcome(follow); out.Status != "done" || out.FunctionID != "fn" || out.BuildID != handle.BuildID {
			t.Errorf("followed from the other process the build returned %s", out.text)
		}

		api.Script("stop me", statusEvent("planning"), sandbox.Stall())
		waiting := a.build("stop me")
		a.progress(waiting, 1)
		list := b.outcome(b.call("list_builds", args{"status": "running"}))
		if len(list.Builds) != 1 {
			t.Fatalf("the other process lists as running %s", list.text)
		}
		id := list.Builds[0].BuildID
		if out := b.outcome(b.call("cancel_build", args{"build_id": id})); out.Status != "cancelled" || out.isError {
			t.Errorf("cancelled from the other process the build is %s", out.text)
		}
		if out := a.outcome(waiting); out.Status != "cancelled" || out.BuildID != id {
			t.Errorf("cancelled elsewhere the build returned %s", out.text)
		}
		awaitRequest(t, api, func(r sandbox.Request) bool {
			return strings.Contains(string(r.Body), "stop me") && !r.ClientLeft.IsZero()
		})

		fn := api.AddFunction(sandbox.Function{Run: &sandbox.Outcome{After: -1}})
		running := a.call("run_function", args{"function_id": fn})
		a.progress(running, 1)
		runs := b.outcome(b.call("list_runs", args{"function_id": fn}))
		if len(runs.Runs) != 1 || runs.Runs[0].Status != "running" {
			t.Fatalf("the other process lists the runs %s", runs.text)
		}
		run := b.outcome(b.call("cancel_run", args{"run_id": runs.Runs[0].RunID}))
		if run.Status != "cancelled" || run.isError || requests(api, "DELETE", "/runs/") != 1 {
			t.Errorf("cancelled from the other process the run is %s", run.text)
		}
		if out := a.outcome(running); out.Status != "cancelled" {
			t.Errorf("cancelled elsewhere the run returned %s", out.text)
		}
	})
}

// raceBuilds asks both servers for n builds each at once. It returns the builds
// that were started and the texts of the refusals.
func raceBuilds(t *testing.T, a, b *conn, name string, n int) (started []outcome, refusals []string) {
	t.Helper()
	conns := []*conn{a, b}
	ids := make([][2]int, n)
	for i := range ids {
		for side, c := range conns {
			ids[i][side] = c.call("build_automation", args{"query": fmt.Sprintf("%s %d of %d", name, i, side), "wait_seconds": 0})
		}
	}
	for _, pair := range ids {
		for side, c := range conns {
			if out := c.outcome(pair[side]); out.isError {
				refusals = append(refusals, out.text)
			} else {
				started = append(started, out)
			}
		}
	}
	return started, refusals
}

// scriptRace scripts the builds of raceBuilds: they wait, and cost 0.43 dollars.
func scriptRace(api *service, name string, n int, wait sandbox.Step) {
	for i := range n {
		for side := range 2 {
			api.Script(fmt.Sprintf("%s %d of %d", name, i, side), statusEvent("planning"), wait, done(""))
		}
	}
}

// The daily budget holds exactly under concurrent calls. A running build counts
// as one dollar, and as the usual cost once five builds are done.
func TestBudgetRaced(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		dir, a, b := twoServers(t, url, "--daily-budget", "5")
		const n = 20
		total := 0
		for _, round := range []struct {
			name string
			want int // builds that fit
		}{
			{"blind", 5},    // 5 x 1.00 reserved
			{"wise", 6},     // 2.15 spent, and 6 x 0.43 reserved
			{"too late", 0}, // 4.73 spent
		} {
			wait, open := gate(t)
			scriptRace(api, round.name, n, wait)
			started, refusals := raceBuilds(t, a, b, round.name, n)
			total += round.want
			if got := requests(api, "POST", "/start"); len(started) != round.want || len(refusals) != 2*n-round.want || got > total {
				t.Errorf("%s: %d builds were started, %d refused, and Notte was asked for %d in all; want %d started", round.name, len(started), len(refusals), got, round.want)
			}
			for _, text := range refusals {
				if !strings.Contains(text, "the daily budget of $5.00") {
					t.Errorf("%s: a build was refused with %s", round.name, text)
				}
			}
			open()
			for _, build := range started {
				if out := a.outcome(a.call("get_build", args{"build_id": build.BuildID})); out.Status != "done" {
					t.Errorf("%s: a build returned %s", round.name, out.text)
				}
			}
		}
		if got := requests(api, "POST", "/start"); got != 11 {
			t.Errorf("Notte was asked for %d builds, want 11", got)
		}
		if out := b.outcome(b.call("list_builds", nil)); out.Spent == nil || *out.Spent != 4.73 || len(out.Builds) != 11 {
			t.Errorf("list_builds says %s; want 11 builds for 4.73", out.text)
		}
		checkDatabase(t, dir)
	})
}

// All processes together run no more builds at once than allowed. When these have
// ended, others can start.
func TestConcurrencyRaced(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		_, a, b := twoServers(t, url, "--max-concurrent-builds", "3")
		const n = 15
		for round := range 3 {
			name := fmt.Sprintf("round %d", round)
			wait, open := gate(t)
			scriptRace(api, name, n, wait)
			started, refusals := raceBuilds(t, a, b, name, n)
			if len(started) != 3 || len(refusals) != 2*n-3 {
				t.Errorf("%s: %d builds were started and %d refused; want 3 started", name, len(started), len(refusals))
			}
			for _, text := range refusals {
				if !strings.Contains(text, "--max-concurrent-builds") {
					t.Errorf("%s: a build was refused with %s", name, text)
				}
			}
			open()
			for _, build := range started {
				if out := b.outcome(b.call("get_build", args{"build_id": build.BuildID})); out.Status != "done" {
					t.Errorf("%s: a build returned %s", name, out.text)
				}
			}
		}
		if got := requests(api, "POST", "/start"); got != 9 {
			t.Errorf("Notte was asked for %d builds, want 9", got)
		}
	})
}
