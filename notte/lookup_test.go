package notte_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
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
		}
		io.WriteString(w, answers[r.URL.Path])
	})
	ctx := t.Context()
	f1, err1 := c.GetFunction(ctx, "f1")
	f2, err2 := c.GetFunction(ctx, "f2")
	list, err3 := c.ListFunctions(ctx, 1, 2)
	r1, err4 := c.GetRun(ctx, "f1", "r1")
	r2, err5 := c.GetRun(ctx, "f1", "r2")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s %s %s %v | %s %s %v | %d %v | %s %s %s %q | %s %s %q",
		f1.ID, f1.Name, fmt.Sprint(len(f1.Variables)), f1.Variables[0].Default, f1.CreatedAt.Format(time.RFC3339),
		f2.ID, f2.Variables, f2.UpdatedAt.Format(time.RFC3339), len(list.Items), list.HasNext,
		r1.ID, r1.Status, r1.Result, r1.Logs, r2.ID, r2.Status, r2.Logs)
	want := `f1 Top 2 3 2026-01-02T03:04:05Z | f2 [{count number } {url  }] 2026-01-02T02:04:05Z | 2 true | r1 closed {'a': 1} ["one" "{\"m\":\"two\"}" "3"] | r2 active ["only"]`
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

// TestFunctionFields reads a function as Notte sends it, and one whose fields are
// of other types.
func TestFunctionFields(t *testing.T) {
	const schema = `{"type":"object","properties":{"posts":{"type":"array"}}}`
	answers := map[string]string{
		"/base/functions/f1": `{"function_id":"f1","workflow_id":"f1","name":"Top","description":"D","domain":"news.example.test","source":"anything",
			"variables":[{"name":"count","type":"int","default":"10"},{"name":"lang","type":"str | None","default":"None"},{"name":"url","type":"str","default":null}],
			"latest_version":"2","versions":["1","2"],"status":"active","self_healing":true,"published":true,"shared":true,"required_secrets":["TOKEN"],
			"schedule_cron":"0 9 * * *","schedule_state":"active","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06Z",
			"instructions":"Uses the API.","response_format":` + strings.ReplaceAll(schema, ":", ": ") + `,"url":"https://s3.test/?sig=1"}`,
		"/base/functions/f2": `{"source":null,"versions":3,"self_healing":"yes","published":null,"required_secrets":[{"name":"A","set":true},{"x":1},null],
			"latest_version":7,"response_format":null,"domain":null,"instructions":null,"schedule_cron":null}`,
		"/base/functions/f3": `{"versions":[{"version":"1"},{"version_id":2}],"response_format":"` + strings.Repeat("x", 64<<10) + `"}`,
	}
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, answers[r.URL.Path]) })
	for id, want := range map[string]string{
		"f1": `{ID:f1 Name:Top Description:D Domain:news.example.test Source:anything Variables:[{count int "10"} {lang str | None "None"} {url str }] ` +
			`LatestVersion:2 Versions:[1 2] Shared:true ScheduleCron:0 9 * * * ScheduleState:active ` +
			`CreatedAt:2026-01-02T03:04:05Z UpdatedAt:2026-02-03T04:05:06Z RequiredSecrets:[TOKEN] Instructions:Uses the API. ResponseFormat:` + schema + `}`,
		"f2": `{ID:f2 LatestVersion:7 RequiredSecrets:[A]}`,
		"f3": `{ID:f3 Versions:[1 2]}`,
	} {
		f, err := c.GetFunction(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got := set(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// set formats the fields of a struct that are not zero.
func set(v any) string {
	var fields []string
	for i := range reflect.ValueOf(v).NumField() {
		value := reflect.ValueOf(v).Field(i)
		if value.IsZero() {
			continue
		}
		text := fmt.Sprintf("%s", value)
		switch value := value.Interface().(type) {
		case time.Time:
			text = value.Format(time.RFC3339)
		case bool:
			text = fmt.Sprint(value)
		}
		fields = append(fields, reflect.TypeOf(v).Field(i).Name+":"+text)
	}
	return "{" + strings.Join(fields, " ") + "}"
}

// TestPageSizeIsBounded checks that no page is asked for that Notte refuses.
func TestPageSizeIsBounded(t *testing.T) {
	var asked string
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.RawQuery
		io.WriteString(w, `{"items":[]}`)
	})
	for size, want := range map[int]string{1: "page=2&page_size=1", 100: "page=2&page_size=100", 500: "page=2&page_size=100"} {
		if _, err := c.ListFunctions(t.Context(), 2, size); err != nil || asked != want {
			t.Errorf("%d: asked for %s, %v", size, asked, err)
		}
	}
}
