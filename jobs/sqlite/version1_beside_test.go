package sqlite_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/sqlite"
	"github.com/anything-mcp/anything-mcp/notte"
)

// A process of version 1 that opened the database before goes on with its build.
// What it adds, and the end, are read by this version, which can cancel it.
func TestVersion1Beside(t *testing.T) {
	old := openVersion1(t)
	dir := filepath.Dir(old.path)
	prepared, err := old.Prepare("INSERT INTO entries (job_id, seq, at, type, text, function_id, final) VALUES (?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	store := sqlite.New(dir)
	defer store.Close()
	before, _ := eventsOf(t, store, runningBuild)

	seq, at := int64(len(before)), int64(1795625768000)
	add := func(kind, text, functionID string, final bool) {
		t.Helper()
		seq++
		old.exec("UPDATE leases SET log_entries = log_entries + 1, log_bytes = log_bytes + ? WHERE job_id = ? AND fence = 1", 80+len(text), runningBuild)
		if _, err := prepared.Exec(runningBuild, seq, at+seq, kind, text, functionID, final); err != nil {
			t.Fatal(err)
		}
	}
	add("status", "uploading", "", false)
	add("thinking_delta", "NUL \x00 \"and\" 'more'\n", "", false)
	add("text_delta", "Done.", "", false)
	add("tool_start", "write_function", "", false)
	add("notte_session_data", "", "", false)
	old.exec("INSERT INTO links (job_id, seq, text) VALUES (?, ?, CAST(zeroblob(4096) || 'token=vt-late' AS BLOB))", runningBuild, seq)
	add("log", "20 rows", "", false)
	add("message_complete", "assistant", "", false)
	add("function_uploaded", "posts", "fn-late", false)
	old.exec("UPDATE jobs SET function_id = 'fn-late', body = CAST(? AS BLOB) WHERE id = ?", `{"query":"still runs","started":true,"function_name":"posts","step_count":2}`, runningBuild)
	old.exec(`INSERT INTO details (job_id, answer, thinking, steps, variables, result, logs) VALUES (?, 'Done.', '', CAST('["write_function"]' AS BLOB), NULL, NULL, NULL)
		ON CONFLICT DO UPDATE SET answer = excluded.answer, thinking = excluded.thinking, steps = excluded.steps,
		variables = excluded.variables, result = excluded.result, logs = excluded.logs`, runningBuild)
	want := append(slices.Clone(before),
		notte.Event{Type: "status", Status: "uploading"}, notte.Event{Type: "thinking_delta", Delta: "NUL \x00 \"and\" 'more'\n"},
		notte.Event{Type: "text_delta", Delta: "Done."}, notte.Event{Type: "tool_start", Name: "write_function"},
		notte.Event{Type: "notte_session_data"}, notte.Event{Type: "log", Message: "20 rows"},
		notte.Event{Type: "message_complete", Role: "assistant"}, notte.Event{Type: "function_uploaded", FunctionID: "fn-late", FunctionName: "posts"})
	if events, final := eventsOf(t, store, runningBuild); !slices.Equal(events, want) || final != 0 {
		t.Errorf("while it runs the log is\n%+v\nwant\n%+v", events, want)
	}
	if p, err := store.Positions(t.Context(), []string{runningBuild}); err != nil || len(p) != 1 || p[0].Seq != seq || p[0].State != jobs.StateRunning {
		t.Errorf("the position is %+v, %v", p, err)
	}
	if err := store.Cancel(t.Context(), runningBuild); err != nil {
		t.Error(err)
	}
	var cancelled bool
	if err := old.QueryRow("UPDATE leases SET expires_at = ? WHERE job_id = ? AND fence = 1 RETURNING cancelled", at, runningBuild).Scan(&cancelled); err != nil || !cancelled {
		t.Errorf("the process of version 1 hears of no cancellation: %t, %v", cancelled, err)
	}

	add("done", "", "", true)
	old.exec("UPDATE jobs SET state = 'done', function_id = 'fn-late', ended_at = ?, succeeded = 1, body = CAST(? AS BLOB) WHERE id = ?",
		at+100, `{"query":"still runs","started":true,"function_name":"posts","total_cost_usd":0.5}`, runningBuild)
	old.exec("DELETE FROM links WHERE job_id = ?", runningBuild)
	old.exec("DELETE FROM leases WHERE job_id = ?", runningBuild)
	old.exec("INSERT INTO ledger (job_id, owner, ended_at, cost) VALUES (?, ?, ?, 0.5)", runningBuild, owner1, at+100)
	if events, final := eventsOf(t, store, runningBuild); final != seq || !slices.Equal(events, append(want, notte.Event{Type: "done"})) {
		t.Errorf("in the end the log is %+v with the final entry %d", events, final)
	}
	state, functionID, content := stateOf(t, store, runningBuild)
	if state != jobs.StateDone || functionID != "fn-late" || content != `[{"query":"still runs","started":true,"function_name":"posts","total_cost_usd":0.5},`+
		`{"Answer":"Done.","Thinking":"","Steps":["write_function"],"Logs":null,"Variables":null,"Result":null}]` {
		t.Errorf("in the end it is %s with %s and %s", state, functionID, content)
	}
	if got, want := spentSince(t, store, 1795624000000), (jobs.Spending{USD: 0.93, Builds: 7, Unknown: 5}); got != want {
		t.Errorf("spent are %+v, want %+v", got, want)
	}
}

// A process of version 1 dies that wrote a link after the database was brought to
// this version. The link is deleted when its build is ended here.
func TestVersion1DiesBeside(t *testing.T) {
	old := openVersion1(t)
	store := sqlite.New(filepath.Dir(old.path))
	defer store.Close()
	if err := store.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	old.exec("INSERT INTO links (job_id, seq, text) VALUES (?, 0, CAST(zeroblob(4096) || 'token=vt-late' AS BLOB))", runningBuild)
	now := time.UnixMilli(1795625779992)
	adopted, err := store.Adopt(t.Context(), owner1, "heir", now.Add(time.Minute), now)
	if err != nil || len(adopted) != 2 {
		t.Fatalf("adopted %+v, %v", adopted, err)
	}
	job := adopted[0].Job
	job.State, job.EndedAt = jobs.StateInterrupted, now
	if err := finish(t.Context(), store, adopted[0].Lease, job, nil); err != nil {
		t.Fatal(err)
	}
	var links int
	if err := old.QueryRow("SELECT count(*) FROM links").Scan(&links); err != nil || links != 0 {
		t.Errorf("%d links are left, %v", links, err)
	}
	old.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	for _, secret := range []string{"vt-late", token1} {
		if holds(t, filepath.Dir(old.path), secret) {
			t.Errorf("%s is in a file", secret)
		}
	}
}
