package notte_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// inSandbox runs f in a bubble for each of these languages, against a sandbox that
// speaks it over pipes.
func inSandbox(t *testing.T, f func(t *testing.T, c *notte.Client, s *sandbox.Server), apis ...sandbox.API) {
	for _, api := range apis {
		t.Run(string(api), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := sandbox.New(sandbox.WithAPI(api), sandbox.WithBaseURL("http://127.0.0.1:8809"))
				defer s.Close()
				f(t, newClient(t, notte.Config{Key: "sandbox-key", HTTPClient: s.Client()}), s)
			})
		})
	}
}

// build is what a stream of the sandbox tells.
type build struct {
	thread, threadURL, viewer, answer string
	tools                             int
	uploaded, end                     notte.Event
}

// readBuild reads a stream to its end.
func readBuild(t *testing.T, s *notte.Stream, err error) (b build) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	complete := false
	for ev, err := range s.Events() {
		if err != nil {
			t.Fatal(err)
		}
		switch ev.Type {
		case notte.EventThread:
			b.thread, b.threadURL = ev.ThreadID, ev.ThreadURL
		case notte.EventSessionData:
			b.viewer = ev.ViewerURL
		case notte.EventToolStart:
			b.tools++
		case notte.EventFunctionUploaded:
			b.uploaded = ev
		case notte.EventMessageComplete:
			complete = true
		case notte.EventTextDelta:
			if complete {
				b.answer, complete = "", false
			}
			b.answer += ev.Delta
		}
		if ev.Terminal() {
			b.end = ev
		}
	}
	return b
}

// TestBuildAndRun builds a function, looks it up and runs it both ways.
func TestBuildAndRun(t *testing.T) {
	inSandbox(t, func(t *testing.T, c *notte.Client, _ *sandbox.Server) {
		ctx := t.Context()
		stream, err := c.StartBuild(ctx, notte.BuildRequest{Query: "fetch the top 3 posts of https://news.example.test"})
		b := readBuild(t, stream, err)
		if b.end.Type != notte.EventDone || b.end.TotalCostUSD == nil || b.end.ThreadID == "" || b.end.Warning != "" {
			t.Errorf("ended with %+v", b.end)
		}
		if b.tools < 3 || !strings.HasPrefix(b.viewer, "http://127.0.0.1:8809/viewer/") || !strings.Contains(b.answer, b.uploaded.FunctionName) {
			t.Errorf("%d tools, viewer %s, answer %s", b.tools, b.viewer, b.answer)
		}
		if isV2 := b.uploaded.FunctionFrom == notte.FunctionFromData; isV2 != (b.thread != "") || !isV2 && b.end.FunctionID != b.uploaded.FunctionID {
			t.Errorf("thread %q, uploaded %+v, ended with %+v", b.thread, b.uploaded, b.end)
		}
		f, err := c.GetFunction(ctx, b.uploaded.FunctionID)
		if err != nil || f.ID != b.uploaded.FunctionID || f.Name != b.uploaded.FunctionName || f.Source != "anything" || len(f.Variables) == 0 {
			t.Errorf("%+v, %v", f, err)
		}
		if list, err := c.ListFunctions(ctx, 1, 10); err != nil || len(list.Items) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		run, err := c.CreateRun(ctx, f.ID)
		if err != nil {
			t.Fatal(err)
		}
		result := outcome(t, c, f.ID, run.ID)
		if result.RunID != run.ID || result.Status != notte.RunClosed || result.Failure() != "" || !json.Valid(result.Result) {
			t.Errorf("%+v", result)
		}
		if got, err := c.GetRun(ctx, f.ID, run.ID); err != nil || got.Status != notte.RunClosed || got.SessionID != result.SessionID || len(got.Logs) == 0 {
			t.Errorf("%+v, %v", got, err)
		}
		if again := outcome(t, c, f.ID, ""); again.RunID == "" || again.RunID == run.ID {
			t.Errorf("%+v", again)
		}
	}, sandbox.V1, sandbox.V2)
}

// TestThreads continues a build, detaches one, and meets a thread that is busy.
func TestThreads(t *testing.T) {
	inSandbox(t, func(t *testing.T, c *notte.Client, _ *sandbox.Server) {
		ctx := t.Context()
		start := func(req notte.BuildRequest) build {
			stream, err := c.StartBuild(ctx, req)
			return readBuild(t, stream, err)
		}
		first := start(notte.BuildRequest{Query: "fetch the top 3 posts of https://news.example.test"})
		second := start(notte.BuildRequest{Query: "fetch 20 of them", ThreadID: first.thread})
		if second.thread != first.thread || second.uploaded.FunctionID != first.uploaded.FunctionID || second.uploaded.FunctionVersion != "2" {
			t.Errorf("first %+v, second %+v", first.uploaded, second.uploaded)
		}
		third := start(notte.BuildRequest{Query: "and their scores", ThreadID: first.thread, Detach: true})
		if third.end.Type != notte.EventDetached || third.thread != first.thread || third.threadURL != "http://127.0.0.1:8809/threads/"+first.thread || third.tools > 0 {
			t.Errorf("detached: %+v", third)
		}
		_, err := c.StartBuild(ctx, notte.BuildRequest{Query: "and more", ThreadID: first.thread})
		if failed, ok := errors.AsType[*notte.Error](err); !ok || failed.StatusCode != 409 || !strings.Contains(err.Error(), "A turn of this thread still runs") {
			t.Errorf("a busy thread: %v", err)
		}
		time.Sleep(time.Hour) // of the bubble's time
		if f, err := c.GetFunction(ctx, first.uploaded.FunctionID); err != nil || f.LatestVersion != "3" || len(f.Versions) != 3 {
			t.Errorf("%+v, %v", f, err)
		}
		if _, err = c.StartBuild(ctx, notte.BuildRequest{Query: "q", ThreadID: "no-such-thread"}); err == nil || !strings.Contains(err.Error(), "no such thread") {
			t.Errorf("an unknown thread: %v", err)
		}
	}, sandbox.V2)
}

// TestEndings asks the sandbox for each ending, in both languages.
func TestEndings(t *testing.T) {
	inSandbox(t, func(t *testing.T, c *notte.Client, _ *sandbox.Server) {
		for word, want := range map[string]string{
			"error": "error function=false", "timeout": "timeout function=true", "cancelled": "cancelled function=true",
			"nofunction": "done function=false", "cut": "lost function=true", "midchunk": "lost function=true",
		} {
			stream, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "list books [sandbox:" + word + "]"})
			if err != nil {
				t.Fatal(err)
			}
			end, function := "lost", false
			for ev, err := range stream.Events() {
				if ev.Terminal() {
					end = string(ev.Type)
				}
				if function = function || ev.FunctionID != ""; err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Error(err)
				}
			}
			if got := fmt.Sprintf("%s function=%v", end, function); got != want {
				t.Errorf("%s: %s, want %s", word, got, want)
			}
		}
	}, sandbox.V1, sandbox.V2)
}

// TestEndingsOfV2 asks for the endings that only v2 has.
func TestEndingsOfV2(t *testing.T) {
	inSandbox(t, func(t *testing.T, c *notte.Client, _ *sandbox.Server) {
		for word, want := range map[string]notte.EventType{"lateerror": notte.EventError, "nodone": notte.EventDone, "noheaders": notte.EventDone} {
			stream, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: "list books [sandbox:" + word + "]"})
			b := readBuild(t, stream, err)
			if b.end.Type != want || b.uploaded.FunctionID == "" || b.end.TotalCostUSD == nil || (b.thread == "") != (word == "noheaders") {
				t.Errorf("%s: %+v", word, b)
			}
		}
	}, sandbox.V2)
}

// outcome starts a run and returns its result.
func outcome(t *testing.T, c *notte.Client, functionID, runID string) (result notte.RunResult) {
	t.Helper()
	s, err := c.StartRun(t.Context(), functionID, runID, json.RawMessage(`{"count":"2"}`))
	if err != nil {
		t.Fatal(err)
	}
	for ev, err := range s.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Terminal() {
			result = *ev.Result
		}
	}
	return result
}

// TestFaults ends builds in the sandbox in every way except done.
func TestFaults(t *testing.T) {
	inSandbox(t, func(t *testing.T, c *notte.Client, s *sandbox.Server) {
		event := sandbox.Event(map[string]any{"type": "function_uploaded", "function_id": "f1"})
		done := sandbox.Event(map[string]any{"type": "done"})
		s.Script("cut", event, sandbox.Cut())
		s.Script("reset", event, sandbox.Reset())
		s.Script("stall", event, sandbox.Stall())
		s.Script("endless", event, done, sandbox.Stall())
		s.Script("page", sandbox.ContentType("text/html"), sandbox.Raw("<title>Sign in</title>"))
		for query, check := range map[string]func(error) bool{
			"cut":     func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) },
			"reset":   func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) },
			"stall":   func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) && errors.Is(err, notte.ErrIdle) },
			"endless": func(err error) bool { return err == nil },
			"page":    func(err error) bool { return err != nil && strings.Contains(err.Error(), "Sign in") },
		} {
			stream, err := c.StartBuild(t.Context(), notte.BuildRequest{Query: query})
			kept := ""
			if err == nil {
				for ev, e := range stream.Events() {
					if err = e; ev.FunctionID != "" {
						kept = ev.FunctionID
					}
				}
			}
			if !check(err) || kept != "f1" && query != "page" {
				t.Errorf("%s: kept %q, ended with %v", query, kept, err)
			}
		}
		if n := len(s.Requests()); n != 5 {
			t.Errorf("%d requests for 5 builds", n)
		}
	}, sandbox.V1, sandbox.V2)
}
