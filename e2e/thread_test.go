package e2e_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// detached answers the start of a build that Notte goes on with by itself.
func detached(url string) sandbox.Step {
	const thread = "5f0c3a52-0d5b-4a8e-9a40-3f1c2b7d9e11"
	return sandbox.Status(http.StatusAccepted, "application/json", fmt.Sprintf(`{"thread_id":%q,"url":"%s/threads/%s","status":"started"}`, thread, url, thread))
}

// awaitMade checks that a server finds the function that a build has made at Notte.
func (c *conn) awaitMade(buildID, functionID string) {
	c.t.Helper()
	out := c.until(takeoverTimeout, "the function of a build that went on without its process",
		func() outcome { return c.outcome(c.getNow(buildID)) },
		func(out outcome) bool { return out.Status != "running" })
	if out.isError || out.Status != "done" || out.FunctionID != functionID || out.FunctionFrom != "catalogue" || !strings.Contains(out.text, `"total_cost_usd":null`) {
		c.t.Errorf("the build is %s; want it done with %s", out.text, functionID)
	}
}

// The process of a detached build ends, in each way, and the next one finds the
// function. Nothing is started again.
func TestDetachedBuildOutlivesItsProcess(t *testing.T) {
	for _, test := range []struct {
		name string
		long bool // a lease has to run out
		end  func(*testing.T, *host)
	}{
		{"killed", true, func(_ *testing.T, h *host) { h.kill() }},
		{"input ends", false, func(_ *testing.T, h *host) { h.stop() }},
		{"terminated", false, func(t *testing.T, h *host) {
			skipWithoutSignals(t)
			h.signal(syscall.SIGTERM)
			h.exits(0)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.long && testing.Short() {
				t.Skip("a lease has to run out, which takes up to 20 seconds")
			}
			t.Parallel()
			api, url := newSandbox(t)
			dir := t.TempDir()
			api.Script("on your own", detached(url))
			h := newHostIn(t, url, dir, "--detach", "--detached-timeout=5m")
			c := h.connect(modern)
			id := c.build("on your own")
			if line := c.progress(id, 2).Params.Message; !strings.HasPrefix(line, "Thread: "+url+"/threads/") && !strings.Contains(line, "detached") {
				t.Errorf("the second update is %q", line)
			}
			build := c.startBuild("on your own")
			if build.Status != "running" || !build.Joined || !strings.Contains(build.text, `"detached":true`) || !strings.HasPrefix(build.ThreadURL, url+"/threads/") {
				t.Fatalf("the detached build is %s", build.text)
			}
			test.end(t, h)

			c = newHostIn(t, url, dir, "--detached-timeout=5m").connect(legacy)
			if out := c.outcome(c.getNow(build.BuildID)); out.Status != "running" {
				t.Errorf("before it has made anything the build is %s", out.text)
			}
			made := api.AddFunction(sandbox.Function{Name: "made alone", Source: "anything"})
			c.awaitMade(build.BuildID, made)
			if n := requests(api, "POST", "/start"); n != 1 {
				t.Errorf("Notte was asked for %d builds", n)
			}
		})
	}
}

// A server is terminated amid the stream of a v2 build. The waiting call is
// answered with the handle, and the next process finds the function.
func TestTerminatedAmidAStream(t *testing.T) {
	skipWithoutSignals(t)
	t.Parallel()
	api, url := newSandbox(t)
	dir := t.TempDir()
	api.Script("amid", statusEvent("planning"), sandbox.Stall())
	h := newHostIn(t, url, dir, "--detached-timeout=5m")
	c := h.connect(legacy)
	id := c.build("amid")
	c.progress(id, 2)
	h.signal(syscall.SIGTERM)
	build := c.outcome(id)
	if build.isError || build.Status != "running" || build.BuildID == "" {
		t.Errorf("the waiting call returned %s", build.text)
	}
	h.exits(0)
	made := api.AddFunction(sandbox.Function{Name: "made alone", Source: "anything"})
	newHostIn(t, url, dir, "--detached-timeout=5m").connect(modern).awaitMade(build.BuildID, made)
}

// build --detach ends with 0 as soon as the build has begun. A server finds its
// function.
func TestDetachedCommand(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	dir := t.TempDir()
	api.Script("on your own", detached(url))
	out := command(t, url, "build", "--detach", "--state-dir", dir, "on your own")
	id := ""
	for word := range strings.FieldsSeq(out) {
		if strings.HasPrefix(word, "build_") {
			id = word
		}
	}
	if !strings.Contains(out, "running after") || !strings.Contains(out, url+"/threads/") || id == "" {
		t.Fatalf("build --detach says\n%s", out)
	}
	made := api.AddFunction(sandbox.Function{Name: "made alone", Source: "anything"})
	newHostIn(t, url, dir, "--detached-timeout=5m").connect(modern).awaitMade(id, made)
}

// Two processes send follow-ups to one build at once: one is made, and the other
// is refused in words, by us or by Notte.
func TestFollowUpsAtOnce(t *testing.T) {
	t.Parallel()
	api, url := newSandbox(t)
	_, a, b := twoServers(t, url)
	parent := a.outcome(a.build("fetch the top 3 posts"))
	if parent.Status != "done" || parent.FunctionVersion != "1" {
		t.Fatalf("the first build is %s", parent.text)
	}
	wait, open := gate(t)
	conns := []*conn{a, b}
	var calls []int
	for i, c := range conns {
		query := fmt.Sprint("follow-up ", i)
		api.Script(query, wait, sandbox.Demo())
		calls = append(calls, c.call("build_automation", args{"query": query, "continue_build": parent.BuildID, "wait_seconds": 0}))
	}
	var refused, running []outcome
	for i, c := range conns {
		out := c.outcome(calls[i])
		if out.isError {
			refused = append(refused, out)
		} else {
			running = append(running, out)
		}
	}
	if len(running) == 2 { // both were sent
		refused = append(refused, a.until(awaitTimeout, "a refusal by Notte", func() outcome {
			one := a.outcome(a.getNow(running[0].BuildID))
			if !one.isError {
				running[0], running[1] = running[1], running[0]
			}
			return one
		}, func(out outcome) bool { return out.isError }))
		running = running[1:]
	}
	open()
	if text := refused[0].text; len(refused) != 1 || !strings.Contains(text, "another turn of this build's thread is still running") && !strings.Contains(text, "409") {
		t.Errorf("refused were %+v", refused)
	}
	out := a.outcome(a.call("get_build", args{"build_id": running[0].BuildID}))
	if out.Status != "done" || out.FunctionID != parent.FunctionID || out.FunctionVersion != "2" || out.Continues != parent.BuildID {
		t.Errorf("the follow-up is %s", out.text)
	}
}

// Notte refuses a follow-up because it has the thread at work for someone else: the
// build ends with an error that says so.
func TestBusyThread(t *testing.T) {
	forEachTransport(t, []era{modern}, func(t *testing.T, api *service, c *conn, _ *process) {
		if !api.v2 {
			t.Skip("v1 has no threads that take another turn")
		}
		parent := c.outcome(c.build("fetch the top 3 posts"))
		api.Script("busy", sandbox.Status(http.StatusConflict, "application/json", `{"error":"thread_busy","message":"The thread is busy with another turn"}`))
		out := c.outcome(c.call("build_automation", args{"query": "busy", "continue_build": parent.BuildID}))
		if !out.isError || out.Status != "error" || !strings.Contains(out.Error, "busy with another turn") {
			t.Errorf("the follow-up is %s", out.text)
		}
	})
}

// What is built in the sandbox in one process is listed and run in the next.
func TestSandboxIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(arguments ...string) string {
		t.Helper()
		cmd := exec.Command(binary, append(arguments, "--sandbox", "--sandbox-speed=0", "--state-dir="+dir)...)
		cmd.Env = environ(t, "http://127.0.0.1:1")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", arguments, err)
		}
		return string(out)
	}
	built := run("build", "fetch the top 3 posts")
	if !strings.Contains(run("builds"), "fetch the top 3 posts") {
		t.Error("the build is not listed")
	}
	_, line, _ := strings.Cut(built, "Run it ")
	id := strings.Fields(line)[4] // after anything-mcp run --sandbox --state-dir=…
	if out := run("run", id, "count=5"); !strings.Contains(out, `"count": 5`) {
		t.Errorf("the run returned %s", out)
	}
}
