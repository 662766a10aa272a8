package notte_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// inSandbox runs f in a bubble, against a sandbox that serves over pipes.
func inSandbox(t *testing.T, f func(t *testing.T, c *notte.Client, s *sandbox.Server)) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New()
		defer s.Close()
		f(t, newClient(t, notte.Config{Key: "sandbox-key", HTTPClient: s.Client()}), s)
	})
}

// TestBuildAndRun builds a function, looks it up and runs it both ways.
func TestBuildAndRun(t *testing.T) {
	inSandbox(t, func(t *testing.T, c *notte.Client, _ *sandbox.Server) {
		ctx := t.Context()
		var uploaded, done notte.Event
		s, err := c.StartBuild(ctx, "fetch the top 3 posts of https://news.example.test")
		if err != nil {
			t.Fatal(err)
		}
		for ev, err := range s.Events() {
			if err != nil {
				t.Fatal(err)
			}
			switch ev.Type {
			case notte.EventFunctionUploaded:
				uploaded = ev
			case notte.EventDone:
				done = ev
			}
		}
		if done.FunctionID == "" || done.FunctionID != uploaded.FunctionID || done.TotalCostUSD == nil {
			t.Fatalf("uploaded %+v, done %+v", uploaded, done)
		}
		f, err := c.GetFunction(ctx, done.FunctionID)
		if err != nil || f.ID != done.FunctionID || f.Name != uploaded.FunctionName || len(f.Variables) == 0 {
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
		if runs, err := c.ListRuns(ctx, f.ID, 1, 10); err != nil || len(runs.Items) != 2 {
			t.Errorf("%+v, %v", runs, err)
		}
	})
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
			stream, err := c.StartBuild(t.Context(), query)
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
	})
}
