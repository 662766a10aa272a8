package tools_test

import (
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

const (
	webPage = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
	neverOK = "never began, so"
	doNot   = "do not start it again"
)

// says checks that a result's text holds all of words but none of those that begin
// with "!".
func (f *fixture) says(r result, words ...string) {
	f.t.Helper()
	for _, word := range words {
		if unwanted, not := strings.CutPrefix(word, "!"); strings.Contains(strings.ToLower(r.text), strings.ToLower(unwanted)) == not {
			f.t.Errorf("says %q: %v, want otherwise: %s", unwanted, not, r.text)
		}
	}
}

// TestBuildThatDidNotStart checks that a refused start says one thing: whether the
// build may have begun decides between "try again" and "do not start it again".
func TestBuildThatDidNotStart(t *testing.T) {
	for _, c := range []struct {
		situation string
		steps     []sandbox.Step
		says      []string
	}{
		{"400", []sandbox.Step{sandbox.Status(400, "application/json", `{"error":"no query"}`)}, []string{neverOK, "no query", "!" + doNot}},
		{"401", []sandbox.Step{sandbox.Status(401, "application/json", `{"detail":"bad key"}`)}, []string{neverOK, "!" + doNot}},
		{"402", []sandbox.Step{sandbox.Status(402, "application/json", `{}`)}, []string{neverOK, "credit", "!" + doNot}},
		{"429 with a wait", []sandbox.Step{sandbox.Header("Retry-After", "30"), sandbox.Status(429, "application/json", `{}`)},
			[]string{neverOK, "wait 30s and try again", "!" + doNot}},
		{"a block page", []sandbox.Step{sandbox.Status(403, "text/html", webPage)}, []string{neverOK, "between this computer and Notte", "!plan", "!" + doNot}},
		{"a challenge with 503", []sandbox.Step{sandbox.Header("Cf-Mitigated", "challenge"), sandbox.Status(503, "text/html", webPage)},
			[]string{neverOK, "try again", "!" + doNot}},
		{"the network's sign-in", []sandbox.Step{sandbox.Status(511, "text/html", webPage)}, []string{neverOK, "sign in", "!" + doNot}},

		{"500", []sandbox.Step{sandbox.Status(500, "application/json", `{"detail":"on fire"}`)}, []string{doNot, "list_builds", "on fire", "!try again", "!never began"}},
		{"502", []sandbox.Step{sandbox.Status(502, "application/json", `{"error":"no agent"}`)}, []string{doNot, "list_builds", "!try again", "!never began"}},
		{"503", []sandbox.Step{sandbox.Status(503, "application/json", `{}`)}, []string{doNot, "list_builds", "overloaded", "!try again", "!never began"}},
		{"503 with a wait", []sandbox.Step{sandbox.Header("Retry-After", "30"), sandbox.Status(503, "application/json", `{}`)},
			[]string{doNot, "list_builds", "!try again", "!never began"}},
		{"a page with 503", []sandbox.Step{sandbox.Status(503, "text/html", webPage)},
			[]string{doNot, "list_builds", "between this computer and Notte", "!try again", "!never began"}},
		{"504", []sandbox.Step{sandbox.Status(504, "text/html", webPage)}, []string{doNot, "list_builds", "!try again"}},
		{"529", []sandbox.Step{sandbox.Status(529, "application/json", `{}`)}, []string{doNot, "list_builds", "!try again"}},
		{"a page with 200", []sandbox.Step{sandbox.Status(200, "text/html", webPage)},
			[]string{doNot, "list_builds", "something other than Notte's API", "sign-in", "!try again", "!never began"}},
	} {
		t.Run(c.situation, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.notte.Script("q", c.steps...)
				r := f.call("build_automation", object{"query": "q"})
				f.wants(r, true, object{"status": "error", "total_cost_usd": nil})
				f.says(r, c.says...)
				if n := len(f.notte.Requests()); n != 1 {
					t.Errorf("Notte got %d requests, want 1", n)
				}
			})
		})
	}
}

// A build whose start failed with 503 may have made a function all the same:
// get_build lists it.
func TestFunctionOfABuildWhoseStartFailed(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Status(503, "application/json", `{}`))
		id := f.call("build_automation", object{"query": "q"}).str("build_id")
		f.says(f.call("get_build", object{"build_id": id}), "No function that it may have made was found so far", "!try again")
		time.Sleep(time.Minute)
		made := f.notte.AddFunction(sandbox.Function{Name: "late", Source: "anything"})
		f.says(f.call("get_build", object{"build_id": id}), made, "candidates", "!try again")
	})
}

func TestRunThatNeverBegan(t *testing.T) {
	const create, start = "/functions/{id}/runs/create", "/functions/{id}/runs/{run_id}"
	for _, c := range []struct {
		situation, path string
		steps           []sandbox.Step
		says            string
	}{
		{"404 for a mistyped ID", create, []sandbox.Step{sandbox.Status(404, "application/json", `{"detail":"none"}`)}, "no function with this function_id"},
		{"401", create, []sandbox.Step{sandbox.Status(401, "application/json", `{}`)}, "API key"},
		{"429", create, []sandbox.Step{sandbox.Header("Retry-After", "30"), sandbox.Status(429, "application/json", `{}`)}, "wait 30s and try again"},
		{"429 at the start", start, []sandbox.Step{sandbox.Status(429, "application/json", `{}`)}, "wait 1m and try again"},
		{"422 at the start", start, []sandbox.Step{sandbox.Status(422, "application/json", `{"detail":"count: not a number"}`)}, "count: not a number"},
		{"503 before the start", create, []sandbox.Step{sandbox.Status(503, "application/json", `{}`)}, "try again in a minute"},
		{"503 at the start, and Notte's record says that it never began", start, []sandbox.Step{sandbox.Status(503, "application/json", `{}`)}, "try again in a minute"},
		{"a page that is not Notte's", create, []sandbox.Step{sandbox.Status(404, "text/html", webPage)}, "something other than Notte's API"},
	} {
		t.Run(c.situation, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				id := f.notte.AddFunction(sandbox.Function{Name: "f"})
				f.notte.Fault("POST", c.path, c.steps...)
				r := f.call("run_function", object{"function_id": id})
				f.wants(r, true, object{"status": "failed", "ok": false, "logs": absent})
				f.says(r, "never began", c.says, "!logs", "!build_automation can build", "!may have begun", "!billed")
			})
		})
	}
}

func TestRunOfUnknownOutcome(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.notte.AddFunction(sandbox.Function{Name: "f"})
		f.notte.Fault("POST", "/functions/{id}/runs/create", sandbox.Status(405, "application/json", `{}`))
		f.notte.Fault("POST", "/functions/{id}/runs/start", sandbox.Status(503, "application/json", `{}`))
		r := f.call("run_function", object{"function_id": id})
		f.wants(r, true, object{"status": "interrupted"})
		f.says(r, "may have begun", doNot, "!never began", "!try again")
	})
}

func TestCancelSaysWhatItDid(t *testing.T) {
	for _, c := range []struct {
		situation string
		steps     []sandbox.Step
		status    string
		says      []string
	}{
		{"it runs", []sandbox.Step{event("status", "status", "a"), sandbox.Stall()}, "cancelled",
			[]string{"Notte may still finish and bill it", "!made no function", "!nothing was cancelled"}},
		{"it runs, and its function is known", []sandbox.Step{event("function_uploaded", "function_id", "f-1"), sandbox.Stall()}, "cancelled",
			[]string{"run_function can run this function_id", "!nothing was cancelled"}},
		{"it is done", []sandbox.Step{event("done", "function_id", "f-1")}, "done", []string{"Nothing was cancelled, because this build had already ended"}},
		{"it has failed", []sandbox.Step{event("error", "error", "E")}, "error", []string{"Nothing was cancelled, because this build had already ended"}},
		{"Notte has cancelled it", []sandbox.Step{event("cancelled", "reason", "R")}, "cancelled",
			[]string{"Nothing was cancelled", "no function of it is known", "!made no function", "!still finish"}},
	} {
		t.Run(c.situation, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.notte.Script("q", c.steps...)
				id := f.call("build_automation", object{"query": "q", "wait_seconds": 1}).str("build_id")
				r := f.call("cancel_build", object{"build_id": id})
				f.wants(r, c.status == "error", object{"status": c.status})
				f.says(r, c.says...)
				again := f.call("cancel_build", object{"build_id": id})
				f.wants(again, c.status == "error", object{"status": c.status})
				f.says(again, "Nothing was cancelled, because this build had already ended")
			})
		})
	}
}

// A function that a cancelled build made all the same is found.
func TestCancelledBuildThatNotteFinishes(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.notte.Script("q", sandbox.Stall())
		id := f.call("build_automation", object{"query": "q", "wait_seconds": 1}).str("build_id")
		f.call("cancel_build", object{"build_id": id})
		made := f.notte.AddFunction(sandbox.Function{Name: "late", Source: "anything"})
		f.says(f.call("get_build", object{"build_id": id}), made, "candidates")
	})
}

func TestCancelRunThatHasEnded(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		r := f.runOf(sandbox.Outcome{Result: 1}, object{})
		r = f.call("cancel_run", object{"run_id": r.str("run_id")})
		f.wants(r, false, object{"status": "closed", "ok": true})
		f.says(r, "Nothing was cancelled, because this run had already ended")
	})
}
