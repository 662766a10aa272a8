package e2e_test

import (
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

const (
	challengePage = `<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body></body></html>`
	doNotStart    = "do not start it again"
)

// says checks that a text holds all of words, but none of those that begin with "!".
func says(t *testing.T, situation, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if unwanted, not := strings.CutPrefix(word, "!"); strings.Contains(strings.ToLower(text), strings.ToLower(unwanted)) == not {
			t.Errorf("%s: says %q: %v: %s", situation, unwanted, !not, text)
		}
	}
}

// Who refused a build's start is told, and one thing about what to do: if the build may
// have begun, it is not to be started again.
func TestRefusedStarts(t *testing.T) {
	const never, between = "never began", "something between this computer and Notte answered"
	json := func(status int, body string) []step { return []step{sandbox.Status(status, "application/json", body)} }
	page := func(status int, header ...string) (all []step) {
		for i := 0; i < len(header); i += 2 {
			all = append(all, sandbox.Header(header[i], header[i+1]))
		}
		return append(all, sandbox.Status(status, "text/html; charset=UTF-8", challengePage))
	}
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		for _, test := range []struct {
			situation string
			steps     []step
			says      []string
		}{
			{"401", json(401, `{"detail":"bad key"}`), []string{never, "NOTTE_API_KEY", "!" + doNotStart}},
			{"429", append([]step{sandbox.Header("Retry-After", "30")}, json(429, `{}`)...), []string{never, "wait 30s and try again", "!" + doNotStart}},
			{"500", json(500, `{"detail":"on fire"}`), []string{doNotStart, "list_builds", "!try again", "!" + never}},
			{"502", json(502, `{"error":"no agent"}`), []string{doNotStart, "list_builds", "!try again", "!" + never}},
			{"503", json(503, `{"detail":"overloaded"}`), []string{doNotStart, "list_builds", "!try again", "!" + never}},
			{"503 with a wait", append([]step{sandbox.Header("Retry-After", "30")}, json(503, `{}`)...), []string{doNotStart, "list_builds", "!try again"}},
			{"529", json(529, `{}`), []string{doNotStart, "list_builds", "!try again"}},

			{"a challenge", page(403, "Server", "cloudflare", "Cf-Mitigated", "challenge"), []string{never, between, "Just a moment", "!plan", "!" + doNotStart}},
			{"a challenge with 503", page(503, "Cf-Mitigated", "challenge"), []string{never, between, "try again", "!" + doNotStart}},
			{"a filter", page(403), []string{never, between, "!plan"}},
			{"a gateway's login", page(401), []string{never, between, "!mistyped"}},
			{"a gateway's limit", page(429, "Retry-After", "30"), []string{never, between, "try again in 30s"}},
			{"a page with 503", page(503), []string{between, doNotStart, "list_builds", "!try again", "!" + never}},
			{"the network's sign-in", page(511), []string{never, "the network answered 511", "sign in"}},
			{"a sign-in page with 200", page(200), []string{"something other than Notte's API answered 200", "sign-in page", doNotStart, "list_builds", "!try again"}},
			{"Notte's word, behind Cloudflare", append([]step{sandbox.Header("Server", "cloudflare")}, json(403, `{"detail":"your plan has no builds"}`)...),
				[]string{never, "Notte answered 403 Forbidden: your plan has no builds", "!between"}},
		} {
			api.Script(test.situation, test.steps...)
			before := requests(api, "POST", "/start")
			out := c.outcome(c.build(test.situation))
			if n := requests(api, "POST", "/start") - before; !out.isError || n != 1 {
				t.Errorf("%s: isError %v after %d starts", test.situation, out.isError, n)
			}
			says(t, test.situation, out.text, test.says...)
		}
	})
}

// A run that never began says so. It offers neither logs nor a build.
func TestRunsThatNeverBegan(t *testing.T) {
	const create, start = "/functions/{id}/runs/create", "/functions/{id}/runs/{run_id}"
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		api.AddFunction(sandbox.Function{ID: "fn"})
		for _, test := range []struct {
			situation, function, path string
			step                      step
			says                      string
		}{
			{"a mistyped ID", "fm", "", nil, "no function with this function_id"},
			{"429", "fn", create, sandbox.Status(429, "application/json", `{"detail":"slow down"}`), "slow down"},
			{"429 at the start", "fn", start, sandbox.Status(429, "application/json", `{"detail":"slow down"}`), "slow down"},
			{"403", "fn", create, sandbox.Status(403, "application/json", `{"detail":"your plan has no runs"}`), "your plan has no runs"},
			{"a challenge", "fn", create, sandbox.Status(403, "text/html", challengePage), "something between this computer and Notte"},
			{"a page with 404", "fn", create, sandbox.Status(404, "text/html", challengePage), "something other than Notte's API"},
		} {
			if test.step != nil {
				api.FaultNext(1, "POST", test.path, test.step)
			}
			out := c.outcome(c.call("run_function", args{"function_id": test.function}))
			if !out.isError || out.Status != "failed" || out.OK == nil || *out.OK {
				t.Errorf("%s: %s", test.situation, out.text)
			}
			says(t, test.situation, out.text, "never began", test.says, "!logs", "!billed", "!may have begun")
		}
	})
}

// A cancelled build may still be finished by Notte. Nothing of a finished one is
// cancelled.
func TestWhatACancellationDid(t *testing.T) {
	forEachTransport(t, []era{modern}, func(t *testing.T, api *service, c *conn, _ *process) {
		api.Script("runs", statusEvent("planning"), sandbox.Stall())
		id := c.startBuild("runs").BuildID
		out := c.outcome(c.call("cancel_build", args{"build_id": id}))
		says(t, "a running build", out.text, "Notte may still finish and bill it", "!made no function", "!nothing was cancelled")
		api.Script("ends", done("fn"))
		id = c.outcome(c.build("ends")).BuildID
		out = c.outcome(c.call("cancel_build", args{"build_id": id}))
		says(t, "a finished build", out.text, `"status":"done"`, "Nothing was cancelled")
	})
}

// An emoji that Notte sends as two halves in two deltas arrives whole, in the progress
// and in the answer.
func TestEmojiInTwoDeltas(t *testing.T) {
	const emoji = "\U0001F600"
	delta := func(content string) told {
		return func(s *service) []sandbox.Step {
			if s.v2 {
				return []sandbox.Step{sandbox.Raw(`data: {"type":"text-delta","id":"t","delta":"` + content + `"}` + "\n\n")}
			}
			return []sandbox.Step{sandbox.Raw(`data: {"type":"text_delta","delta":"` + content + `"}` + "\n\n")}
		}
	}
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		wait, open := gate(t)
		api.Script("smile", delta("Hello "), delta(`\ud83d`), delta(`\ude00`), delta(` and \uD83D`), delta(`\uDE00 and \ud83d`), delta("no more."), wait, done("fn"))
		id := c.build("smile")
		want := "Hello " + emoji + " and " + emoji + " and \uFFFDno more."
		c.journal(id).await(t, "the text in the progress", func(_ string, m message) bool {
			return m.updates(id) && strings.Contains(m.Params.Message, want)
		})
		open()
		if out := c.outcome(id); out.Answer != want {
			t.Errorf("the answer is %q", out.Answer)
		}
	})
}

// A result that quotes a traceback within a line is no failure.
func TestResultThatQuotesATraceback(t *testing.T) {
	forEachTransport(t, bothEras, func(t *testing.T, api *service, c *conn, _ *process) {
		for result, ok := range map[string]bool{
			"The issue says: Traceback (most recent call last): boom":                          true,
			"1. what does \"Traceback (most recent call last)\" mean?\n2. how to read one":     true,
			"> Traceback (most recent call last):\n> ValueError: boom":                         true,
			"Traceback (most recent call last):\n  File \"main.py\", line 3\nValueError: boom": false,
			"opened the page\nTraceback (most recent call last):\nValueError: boom":            false,
			"Script execution failed: boom":                                                    false,
		} {
			id := api.AddFunction(sandbox.Function{Run: &sandbox.Outcome{Result: result}})
			out := c.outcome(c.call("run_function", args{"function_id": id}))
			if out.Status != "closed" || out.isError == ok || out.OK == nil || *out.OK != ok {
				t.Errorf("%q: %s", result, out.text)
			}
		}
	})
}

// A follow-up says that it has updated the function, and to which version.
func TestFollowUpTellsTheUpdate(t *testing.T) {
	for transport, e := range map[string]era{"stdio": legacy, "http": modern} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			_, url := newSandbox(t)
			c, _ := connect(t, transport, e, url)
			first := c.outcome(c.build("fetch the top stories"))
			id := c.call("build_automation", args{"query": "also return the score", "continue_build": first.BuildID})
			out := c.outcome(id)
			if out.FunctionID != first.FunctionID || out.FunctionVersion == "" || out.FunctionVersion == first.FunctionVersion {
				t.Fatalf("the follow-up returned %s after %s", out.text, first.text)
			}
			var lines []string
			for _, m := range c.journal(id).messages(t) {
				if m.updates(id) {
					lines = append(lines, m.Params.Message)
				}
			}
			says(t, "the follow-up's progress", strings.Join(lines, "\n"), "!Function created")
		})
	}
}
