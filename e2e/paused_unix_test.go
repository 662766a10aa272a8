//go:build unix

package e2e_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// A process is stopped for longer than a lease, and another process ends its
// builds as interrupted. When the first one goes on and hears how they ended,
// both tell it within 20 seconds, and the costs count.
func TestStoppedProcessGoesOn(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		if testing.Short() {
			t.Skip("a lease has to run out, which takes up to 20 seconds")
		}
		dir, a, b := twoServers(t, url)
		stopped := a.wire.(*host)
		// One build ends at Notte while the process is stopped, one later.
		queries := []string{"ends meanwhile", "ends later"}
		functions := []string{"fn-meanwhile", "fn-later"}
		var builds []outcome
		var opens []func()
		for i, query := range queries {
			wait, open := gate(t)
			api.Script(query, statusEvent("planning"), wait,
				textDelta("All done."), done(functions[i]))
			builds, opens = append(builds, a.startBuild(query)), append(opens, open)
			b.progress(b.call("get_build", args{"build_id": builds[i].BuildID}), 2) // all that it has told is stored
		}

		stopped.signal(syscall.SIGSTOP)
		defer stopped.cmd.Process.Signal(syscall.SIGCONT) // fails if it has exited
		for _, build := range builds {
			if out := b.outcome(b.call("get_build", args{"build_id": build.BuildID, "wait_seconds": 60})); out.Status != "interrupted" || out.TotalCostUSD != nil {
				t.Fatalf("the build of a process that is stopped is %s", out.text)
			}
		}
		opens[0]()
		stopped.signal(syscall.SIGCONT)
		opens[1]()
		woken := time.Now()
		for _, c := range []*conn{b, a} {
			for i, build := range builds {
				out := c.until(20*time.Second-time.Since(woken), "the known end of a build",
					func() outcome { return c.outcome(c.getNow(build.BuildID)) },
					func(out outcome) bool { return out.Status == "done" })
				if out.FunctionID != functions[i] || out.TotalCostUSD == nil || *out.TotalCostUSD != 0.43 || out.Answer != "All done." || out.inMemory() {
					t.Errorf("the build returned %s", out.text)
				}
			}
			if out := c.outcome(c.call("list_builds", nil)); out.Spent == nil || *out.Spent != 0.86 || len(out.Builds) != 2 {
				t.Errorf("list_builds says %s; want two builds for 0.86", out.text)
			}
		}
		for query, n := range startsByQuery(t, api) {
			if n != 1 {
				t.Errorf("%q was started %d times", query, n)
			}
		}
		checkDatabase(t, dir)
	})
}

// The cancellation of a build whose process is stopped is answered within 20
// seconds, with the build as it is then.
func TestCancelInAStoppedProcess(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		if testing.Short() {
			t.Skip("the cancellation waits for 15 seconds")
		}
		_, a, b := twoServers(t, url)
		api.Script("hangs", statusEvent("planning"), sandbox.Stall())
		build := a.startBuild("hangs")
		b.progress(b.call("get_build", args{"build_id": build.BuildID}), 2) // all that it has told is stored
		stopped := a.wire.(*host)
		stopped.signal(syscall.SIGSTOP)
		defer stopped.cmd.Process.Signal(syscall.SIGCONT) // fails if it has exited
		begun := time.Now()
		out := b.outcome(b.call("cancel_build", args{"build_id": build.BuildID}))
		if out.BuildID != build.BuildID || out.Status != "running" && out.Status != "cancelled" {
			t.Errorf("cancel_build returned %s", out.text)
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
		t.Logf("after %s it is %s", time.Since(begun).Round(time.Second), out.Status)
	})
}
