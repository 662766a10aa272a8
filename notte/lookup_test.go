package notte_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte"
)

func TestLookUps(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]string{
			"/base/functions/f1":         `{"workflow_id":"f1","name":"Top","variables":[{"name":"count","type":"number","default":3},"url",{"x":1}],"created_at":"2026-01-02T03:04:05.6","url":"https://s3.test/?sig=1"}`,
			"/base/functions/f2":         `{"variables":{"count":{"type":"number"},"url":"string"},"updated_at":"2026-01-02T03:04:05+01:00"}`,
			"/base/functions":            `{"items":[{"function_id":"f1"},{"function_id":"f2"}],"page":1,"page_size":2,"has_next":true,"has_previous":false}`,
			"/base/functions/f1/runs/r1": `{"function_run_id":"r1","status":"CLOSED","result":"{'a': 1}","logs":["one",{"m":"two"},3],"session_id":null}`,
			"/base/functions/f1/runs/r2": `{"status":"active","result":null,"logs":"only"}`,
			"/base/functions/f1/runs":    `{"items":[{"function_run_id":"r1"}]}`,
		}
		io.WriteString(w, answers[r.URL.Path])
	})
	ctx := t.Context()
	f1, err1 := c.GetFunction(ctx, "f1")
	f2, err2 := c.GetFunction(ctx, "f2")
	list, err3 := c.ListFunctions(ctx, 1, 2)
	r1, err4 := c.GetRun(ctx, "f1", "r1")
	r2, err5 := c.GetRun(ctx, "f1", "r2")
	runs, err6 := c.ListRuns(ctx, "f1", 0, 0)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s %s %s %v | %s %s %v | %d %v | %s %s %s %q | %s %s %q | %d",
		f1.ID, f1.Name, fmt.Sprint(len(f1.Variables)), f1.Variables[0].Default, f1.CreatedAt.Format(time.RFC3339),
		f2.ID, f2.Variables, f2.UpdatedAt.Format(time.RFC3339), len(list.Items), list.HasNext,
		r1.ID, r1.Status, r1.Result, r1.Logs, r2.ID, r2.Status, r2.Logs, len(runs.Items))
	want := `f1 Top 2 3 2026-01-02T03:04:05Z | f2 [{count number } {url  }] 2026-01-02T02:04:05Z | 2 true | r1 closed {'a': 1} ["one" "{\"m\":\"two\"}" "3"] | r2 active ["only"] | 1`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if strings.Contains(fmt.Sprintf("%+v", f1), "sig=1") {
		t.Error("the download link was kept")
	}
	var e *notte.Error
	if _, err := c.GetFunction(ctx, "empty"); !errors.As(err, &e) || !strings.Contains(err.Error(), "not JSON") {
		t.Errorf("an empty answer: %v", err)
	}
}
