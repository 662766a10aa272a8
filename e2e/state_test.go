package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// The state directory is removed while a server runs. What follows is stored in
// a new one, the end of a build that ran meanwhile included.
func TestStateDirectoryIsRemoved(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		if runtime.GOOS == "windows" {
			t.Skip("files that are open cannot be removed there")
		}
		dir := filepath.Join(t.TempDir(), "state", "anything-mcp")
		wait, open := gate(t)
		api.Script("runs meanwhile", statusEvent("planning"), wait, done("fn-meanwhile"))
		h := newHostIn(t, url, dir)
		c := h.connect(modern)
		if out := c.outcome(c.build("before")); out.Status != "done" || out.inMemory() {
			t.Fatalf("a build returned %s", out.text)
		}
		meanwhile := c.startBuild("runs meanwhile")
		if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
			t.Fatal(err)
		}
		after := c.outcome(c.build("after"))
		if after.Status != "done" || after.inMemory() {
			t.Errorf("after the directory was removed a build returned %s", after.text)
		}
		open()
		if out := c.outcome(c.call("get_build", args{"build_id": meanwhile.BuildID})); out.Status != "done" || out.FunctionID != "fn-meanwhile" {
			t.Errorf("the build that ran meanwhile returned %s", out.text)
		}
		h.stderr.await(t, "the build that is stored after all", hasAll("stored after all", meanwhile.BuildID))
		if out := c.outcome(c.getNow(meanwhile.BuildID)); out.inMemory() {
			t.Errorf("a build that was stored is described as %s", out.text)
		}
		h.kill()

		var listed []outcome
		if err := json.Unmarshal([]byte(command(t, url, "builds", "--state-dir", dir, "--json")), &listed); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, b := range listed {
			got = append(got, b.Query+" "+b.Status)
		}
		slices.Sort(got)
		if want := []string{"after done", "runs meanwhile done"}; !slices.Equal(got, want) {
			t.Errorf("the new directory has %q, want %q", got, want)
		}
		checkDatabase(t, dir)
	})
}

// A process dies while a build runs whose viewer it has told. Its token is in no
// file in readable form: not then, not when a process with another key works
// there, and not when the build was taken over.
func TestViewerTokenOfADeadProcess(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		if testing.Short() {
			t.Skip("a lease has to run out, which takes up to 20 seconds")
		}
		dir := t.TempDir()
		link := "https://viewer.notte.cc/session?a=1&token=" + viewerToken
		api.Script("show me", viewer(link), statusEvent("planning"), sandbox.Stall())
		h := newHostIn(t, url, dir)
		build := h.connect(modern).startBuild("show me")
		heir := newHostIn(t, url, dir)
		c := heir.connect(legacy)
		c.until(awaitTimeout, "the link, in another process with the same key",
			func() outcome { return c.outcome(c.getNow(build.BuildID)) },
			func(out outcome) bool { return out.ViewerURL == link })
		h.kill()
		checkFiles(t, dir, viewerToken, apiKey)

		stranger := newHostWith(t, url, []string{"NOTTE_API_KEY=nk-e2e-another-0d24"}, "--state-dir", dir)
		s := stranger.connect(modern)
		if out := s.outcome(s.getNow(build.BuildID)); !out.isError || strings.Contains(out.text, viewerToken) {
			t.Errorf("a process with another key says of the build %s", out.text)
		}
		s.outcome(s.build("with another key")) // is refused by Notte, and stored
		checkFiles(t, dir, viewerToken, apiKey)
		stranger.stop()
		checkFiles(t, dir, viewerToken, apiKey)

		if out := c.outcome(c.call("get_build", args{"build_id": build.BuildID})); out.Status != "interrupted" || strings.Contains(out.text, viewerToken) {
			t.Errorf("the build that was taken over is %s", out.text)
		}
		checkFiles(t, dir, viewerToken, apiKey)
		heir.stop()
		checkFiles(t, dir, viewerToken, apiKey)
	})
}

// A build that runs in one process shows in another which steps it has taken, and its
// task says what it does now.
func TestStepsInAnotherProcess(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		_, a, b := twoServers(t, url)
		var script []step
		var gates []func()
		stages := []struct {
			tells step
			steps string // taken by then
			now   string // in the task
		}{
			{statusEvent("planning"), "", "planning"},
			{toolStart("browser_goto"), "browser_goto", "browser_goto"},
			{toolStart("browser_observe"), "browser_goto browser_observe", "browser_observe"},
			{statusEvent("testing"), "browser_goto browser_observe", "testing"},
			{uploaded("fn-made", "posts", nil), "browser_goto browser_observe", "fn-made"},
			{toolStart("run_function"), "browser_goto browser_observe run_function", "run_function"},
		}
		for _, stage := range stages {
			wait, open := gate(t)
			script, gates = append(script, stage.tells, wait), append(gates, open)
		}
		api.Script("step by step", append(script, done("fn-made"))...)
		build := a.startBuild("step by step")
		for i, stage := range stages {
			b.until(awaitTimeout, "the task that says "+stage.now,
				func() outcome { return outcome{text: b.task(build.BuildID)} },
				func(out outcome) bool { return strings.Contains(out.text, stage.now) })
			out := b.outcome(b.getNow(build.BuildID))
			if out.Status != "running" || strings.Join(out.Steps, " ") != stage.steps {
				t.Errorf("in the other process the build that says %s is %s", stage.now, out.text)
			}
			gates[i]()
		}
		if out := b.outcome(b.call("get_build", args{"build_id": build.BuildID})); out.Status != "done" || len(out.Steps) != 3 {
			t.Errorf("at its end the other process says %s", out.text)
		}
	})
}

// task returns the message of a build's task.
func (c *conn) task(id string) string {
	c.t.Helper()
	m := c.answer(c.request("tasks/get", map[string]any{"taskId": id, "_meta": map[string]any{
		"io.modelcontextprotocol/protocolVersion":    modern,
		"io.modelcontextprotocol/clientCapabilities": map[string]any{"extensions": map[string]any{"io.modelcontextprotocol/tasks": map[string]any{}}},
	}}))
	var task struct{ StatusMessage string }
	if err := json.Unmarshal(m.Result, &task); err != nil || m.Error != nil {
		c.t.Fatalf("tasks/get was answered with %s %+v, %v", m.Result, m.Error, err)
	}
	return task.StatusMessage
}
