package sqlite_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
)

// What testdata/version1.sql has.
const (
	owner1       = "3cc3ddff5d5951045d013c5385c433fc"
	topPosts     = "build_caxgnp4lajkvphwwmegrpaho2y"
	runningBuild = "build_djksojb4zrovwd2oyvmuq57k3q"
	runningRun   = "run_3dz52zp3nvw2r5co5azm4axj5z"
	token1       = "vt-version-1" // in the viewer's link of the build that runs
)

// version1 is a process of version 1 that has opened the database at path. It has
// one connection, with the settings of that version.
type version1 struct {
	*sql.DB
	t    *testing.T
	path string
}

// openVersion1 makes the database of testdata/version1.sql.
func openVersion1(t *testing.T) *version1 {
	t.Helper()
	script, err := os.ReadFile("testdata/version1.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "jobs.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	v := &version1{db, t, path}
	v.exec("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = 1; PRAGMA secure_delete = 1; PRAGMA busy_timeout = 3000;" + string(script))
	return v
}

func (v *version1) exec(statement string, args ...any) {
	v.t.Helper()
	if _, err := v.Exec(statement, args...); err != nil {
		v.t.Fatalf("%s: %v", statement, err)
	}
}

// killed copies the files of the process as they would be if it were killed now,
// and returns the directory.
func (v *version1) killed() string {
	v.t.Helper()
	dir := v.t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(v.path + suffix)
		if err != nil {
			v.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "jobs.db"+suffix), data, 0o600); err != nil {
			v.t.Fatal(err)
		}
	}
	return dir
}

// holds reports whether a file in a directory has these bytes.
func holds(t *testing.T, dir, secret string) bool {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(secret)) {
			return true
		}
	}
	return false
}

// stateOf returns a job's state, function and whole content as JSON.
func stateOf(t *testing.T, store jobs.Store, id string) (state jobs.State, functionID, content string) {
	t.Helper()
	job, err := store.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	type large struct {
		Answer, Thinking  string
		Steps, Logs       []string
		Variables, Result json.RawMessage
	}
	var all any
	if b := job.Build; b != nil {
		all = []any{b, large{Answer: b.Answer, Thinking: b.Thinking, Steps: b.Steps}}
	} else {
		r := job.Run
		all = []any{r, large{Logs: r.Logs, Variables: r.Variables, Result: r.Result}}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return job.State, job.FunctionID(), string(text)
}

// Every job of a database of version 1 is there, with all that was known of it.
func TestVersion1Jobs(t *testing.T) {
	store := sqlite.New(openVersion1(t).killed())
	defer store.Close()
	for _, want := range []struct {
		id         string
		state      jobs.State
		functionID string
		content    string
	}{
		{topPosts, "done", "fn-posts", `[{"query":"top posts","started":true,"status":"planning","function_name":"top-posts","total_cost_usd":0.43,"step_count":1},` +
			`{"Answer":"Here “it” is:\n1. a","Thinking":"The page has a list.","Steps":["browser_goto"],"Logs":null,"Variables":null,"Result":null}]`},
		{"build_z2mg2nhtiicun3ylv3qpv2uycn", "error", "", `[{"query":"refused","started":true,"error":"no such page","detail":"404"},` + nothing},
		{"build_rxxtqhmaqxskrjsgrd2vjiiwjm", "timeout", "fn-late", `[{"query":"too long","started":true,"function_name":"late","reason":"ten minutes"},` + nothing},
		{"build_mvr363kv2nf5sqxquweftw4v7n", "interrupted", "", `[{"query":"cut","started":true,"error":"could not follow the build to its end: the connection to anything.notte.cc broke (unexpected EOF) before the outcome was told. What was told until then holds; the rest may go on at Notte."},` +
			`{"Answer":"Nearly","Thinking":"","Steps":null,"Logs":null,"Variables":null,"Result":null}]`},
		{"build_2j463ttwvjdogk62htskmdqkjt", "done", "fn-free", `[{"query":"free","started":true},` + nothing},
		{"build_zdryxhlmrh6ba2pmrnvgaviyeb", "cancelled", "", `[{"query":"stop me","started":true,"status":"planning","reason":"cancelled here, by closing the stream; Notte may finish the build and bill it all the same"},` + nothing},
		{runningBuild, "running", "fn-kept", `[{"query":"still runs","started":true,"status":"planning","function_name":"kept","step_count":1},` +
			`{"Answer":"I look","Thinking":"","Steps":["browser_observe"],"Logs":null,"Variables":null,"Result":null}]`},
		{"run_zq4idua7t3rmignrphgsxpk4on", "closed", "fn-posts", `[{"run_id":"6ae6783f-4fbd-491b-aeb8-8b73a48ed247","session_id":"dbe5882e-2579-4834-b2c1-bfc525454add","ok":true},` +
			`{"Answer":"","Thinking":"","Steps":null,"Logs":["opened","read"],"Variables":{"count":"2"},"Result":{"posts":["a","b"]}}]`},
		{"run_z6hneb65cbrojtuxkfck3bgtd5", "closed", "fn-broken", `[{"run_id":"0cd87274-d670-44ca-af0e-0d36c8496db7","session_id":"fef55fe0-e125-450a-a608-d5e20ffc2d12","error":"Traceback (most recent call last): boom"},` +
			`{"Answer":"","Thinking":"","Steps":null,"Logs":null,"Variables":null,"Result":"Traceback (most recent call last): boom"}]`},
		{"run_xgi5txsgutatxqkef5c6qqf3n5", "failed", "fn-failed", `[{"run_id":"12f4a465-4efa-4bd1-9e3a-9e97e2e230e1","session_id":"ee635acc-a8a1-42d7-a766-63f3d4157247","error":"no button"},` +
			`{"Answer":"","Thinking":"","Steps":null,"Logs":null,"Variables":null,"Result":"no button"}]`},
		{"run_zoy4fzed2r6d7xddcgqg5u6ymv", "failed", "fn-none", `[{"error":"could not create a run of function fn-none: Notte answered 404 Not Found: Function not found. Notte has nothing under this ID for this API key: check the ID, and that NOTTE_API_KEY is of the account that owns it."},` + nothing},
		{"run_qvy5epsr3r2xa7l66twgf2q44i", "cancelled", "fn-slow", `[{"run_id":"3a311de8-5bcd-4320-bb7c-831d1c902015","session_id":"740489ea-1554-4638-9fb6-78d710f367fb","error":"cancelled, and stopped at Notte"},` +
			`{"Answer":"","Thinking":"","Steps":null,"Logs":["begun"],"Variables":null,"Result":null}]`},
		{runningRun, "running", "fn-slow", `[{"run_id":"289d04f4-2919-41fe-b743-03f2209ea453","session_id":"3c7518db-b499-4558-9451-71bb9af2b298"},` +
			`{"Answer":"","Thinking":"","Steps":null,"Logs":null,"Variables":{"n":"1"},"Result":null}]`},
	} {
		if state, functionID, content := stateOf(t, store, want.id); state != want.state || functionID != want.functionID || content != want.content {
			t.Errorf("%s is %s with the function %q and\n%s\nwant %s with %q and\n%s", want.id, state, functionID, content, want.state, want.functionID, want.content)
		}
	}
	for kind, want := range map[jobs.Kind]int{jobs.KindBuild: 7, jobs.KindRun: 6} {
		if list, err := store.List(t.Context(), jobs.Query{Owner: owner1, Kind: kind, Limit: 100}); err != nil || len(list) != want {
			t.Errorf("the list has %d of kind %s, %v; want %d", len(list), kind, err, want)
		}
	}
}

// nothing is the end of what stateOf returns for a job without texts and lists.
const nothing = `{"Answer":"","Thinking":"","Steps":null,"Logs":null,"Variables":null,"Result":null}]`

// eventsOf returns the events of a job's log, and the sequence number of the
// final one, or 0.
func eventsOf(t *testing.T, store jobs.Store, id string) (events []notte.Event, final int64) {
	t.Helper()
	entries, err := store.Entries(t.Context(), id, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		if e.Seq != int64(i+1) || e.At.IsZero() {
			t.Errorf("entry %d of %s is %+v", i+1, id, e)
		}
		if e.Final {
			final = e.Seq
		}
		events = append(events, e.Event)
	}
	return events, final
}

// Each event of a log of version 1 has its field.
func TestVersion1Logs(t *testing.T) {
	store := sqlite.New(openVersion1(t).killed())
	defer store.Close()
	for id, want := range map[string][]notte.Event{
		topPosts: {
			{Type: "status", Status: "planning"}, {Type: "notte_session_data"}, {Type: "thinking_delta", Delta: "The page has a list."},
			{Type: "tool_start", Name: "browser_goto"}, {Type: "log", Message: "20 rows"}, {Type: "text_delta", Delta: "Here “it” is:\n1. a"},
			{Type: "message_complete", Role: "assistant"}, {Type: "function_uploaded", FunctionID: "fn-posts", FunctionName: "top-posts"}, {Type: "done"},
		},
		"build_mvr363kv2nf5sqxquweftw4v7n": {{Type: "text_delta", Delta: "Nearly"}, {Type: "interrupted"}},
		runningBuild: {
			{Type: "status", Status: "planning"}, {Type: "notte_session_data"}, {Type: "tool_start", Name: "browser_observe"},
			{Type: "text_delta", Delta: "I look"}, {Type: "function_uploaded", FunctionID: "fn-kept", FunctionName: "kept"},
		},
		"run_zq4idua7t3rmignrphgsxpk4on": {
			{Type: "session_start", Message: "dbe5882e-2579-4834-b2c1-bfc525454add"}, {Type: "log", Message: "opened"}, {Type: "log", Message: "read"}, {Type: "result"},
		},
	} {
		events, final := eventsOf(t, store, id)
		if !slices.Equal(events, want) {
			t.Errorf("the log of %s is\n%+v\nwant\n%+v", id, events, want)
		}
		if ended := id != runningBuild; ended != (final == int64(len(want))) {
			t.Errorf("the final entry of %s is %d of %d", id, final, len(want))
		}
	}
}

// The sums of the ledger are the same from whatever time on.
func TestVersion1Ledger(t *testing.T) {
	store := sqlite.New(openVersion1(t).killed())
	defer store.Close()
	for since, want := range map[int64]jobs.Spending{
		0:             {USD: 2.18, Builds: 9, Unknown: 6},
		1795618799999: {USD: 2.18, Builds: 9, Unknown: 6}, // the last moment of an hour
		1795618800000: {USD: 0.68, Builds: 8, Unknown: 6}, // the first of the next
		1795618800001: {USD: 0.43, Builds: 7, Unknown: 6},
		1795622399001: {USD: 0.43, Builds: 6, Unknown: 5},
		1795625764052: {USD: 0, Builds: 5, Unknown: 5},
		1795625765079: {},
	} {
		if got := spentSince(t, store, since); got != want {
			t.Errorf("since %d were spent %+v, want %+v", since, got, want)
		}
	}
}

// spentSince returns the sums since a time in milliseconds, to the cent.
func spentSince(t *testing.T, store jobs.Store, since int64) jobs.Spending {
	t.Helper()
	sum, err := store.Spending(t.Context(), owner1, time.UnixMilli(since))
	if err != nil {
		t.Fatal(err)
	}
	sum.USD = math.Round(sum.USD*100) / 100
	return sum
}

// The jobs of a killed process of version 1 are adopted with a higher fence, and
// the token of a viewer's link is in no file from the first call on.
func TestVersion1Killed(t *testing.T) {
	dir := openVersion1(t).killed()
	if !holds(t, dir, token1) {
		t.Fatal("the token is not in the files of version 1, so this test proves nothing")
	}
	store := sqlite.New(dir)
	defer store.Close()
	now := time.UnixMilli(1795625779992)
	adopted, err := store.Adopt(t.Context(), owner1, "heir", now.Add(time.Minute), now)
	if err != nil || len(adopted) != 2 {
		t.Fatalf("adopted %+v, %v; want a build and a run", adopted, err)
	}
	for i, id := range []string{runningBuild, runningRun} {
		if a := adopted[i]; a.Job.ID != id || a.Lease != (jobs.Lease{JobID: id, Fence: 2}) {
			t.Errorf("adopted %s with %+v; want %s with the fence 2", a.Job.ID, a.Lease, id)
		}
	}
	if holds(t, dir, token1) {
		t.Error("the token is in a file after the database was opened")
	}
	job := adopted[0].Job
	job.State, job.EndedAt = jobs.StateInterrupted, now
	last := jobs.Entry{Seq: 6, At: now, Event: notte.Event{Type: jobs.EventInterrupted}, Final: true}
	if err := finish(t.Context(), store, adopted[0].Lease, job, []jobs.Entry{last}); err != nil {
		t.Fatal(err)
	}
	if events, final := eventsOf(t, store, job.ID); final != 6 || events[4].FunctionID != "fn-kept" {
		t.Errorf("the log is %+v", events)
	}
	if holds(t, dir, token1) {
		t.Error("the token is in a file after the build has ended")
	}
}
