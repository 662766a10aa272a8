package sqlite

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
)

// buildBody is what body holds of a build. Its names are the file's, not Go's:
// renaming a field of [jobs.Build] must not lose what is stored.
type buildBody struct {
	Query        string   `json:"query"`
	Started      bool     `json:"started,omitempty"`
	Status       string   `json:"status,omitempty"`
	FunctionName string   `json:"function_name,omitempty"`
	ThreadID     string   `json:"thread_id,omitempty"`
	TotalCostUSD *float64 `json:"total_cost_usd,omitempty"`
	StepCount    int      `json:"step_count,omitempty"`
	Dropped      int64    `json:"dropped,omitempty"`
	Error        string   `json:"error,omitempty"`
	Detail       string   `json:"detail,omitempty"`
	Reason       string   `json:"reason,omitempty"`
}

// runBody is what body holds of a run.
type runBody struct {
	RunID     string `json:"run_id,omitempty"`
	SessionID string `json:"session_id,omitempty"`
	OK        bool   `json:"ok,omitempty"`
	Error     string `json:"error,omitempty"`
}

// details are the columns of the table of that name.
type details struct {
	answer, thinking               string
	steps, variables, result, logs []byte // nil: NULL
}

// encode returns what body and the details hold of a job, and its function.
func encode(job jobs.Job) (body []byte, d details, functionID string, err error) {
	if b := job.Build; b != nil {
		body, err = json.Marshal(buildBody{
			Query: b.Query, Started: b.Started, Status: b.Status, FunctionName: b.FunctionName,
			ThreadID: b.ThreadID, TotalCostUSD: b.TotalCostUSD, StepCount: b.StepCount, Dropped: b.Dropped,
			Error: b.Error, Detail: b.Detail, Reason: b.Reason,
		})
		d = details{answer: b.Answer, thinking: b.Thinking, steps: list(b.Steps)}
		return body, d, b.FunctionID, err
	}
	r := cmp.Or(job.Run, &jobs.Run{})
	body, err = json.Marshal(runBody{RunID: r.RunID, SessionID: r.SessionID, OK: r.OK, Error: r.Error})
	d = details{variables: r.Variables, result: r.Result, logs: list(r.Logs)}
	return body, d, r.FunctionID, err
}

// list is a list of strings as JSON, and nil as nil.
func list(items []string) []byte {
	if items == nil {
		return nil
	}
	text, err := json.Marshal(items)
	if err != nil {
		panic(err) // strings can always be marshalled
	}
	return text
}

// Columns of a job for [scan]: of the job alone, or with its details.
const (
	summaryColumns = `jobs.id, owner, kind, state, function_id, started_at, ended_at, body,
		(SELECT text FROM links WHERE links.job_id = jobs.id AND seq = 0)`
	jobColumns = summaryColumns + `, answer, thinking, steps, variables, result, logs`
	jobTables  = `jobs LEFT JOIN details ON details.job_id = jobs.id`
)

// scan reads a job from a row of summaryColumns, or of jobColumns if whole.
func scan(row scanner, whole bool) (jobs.Job, error) {
	var (
		job              jobs.Job
		functionID       string
		started          int64
		ended            sql.NullInt64
		body, link       []byte
		answer, thinking sql.NullString
		d                details
	)
	columns := []any{&job.ID, &job.Owner, &job.Kind, &job.State, &functionID, &started, &ended, &body, &link}
	if whole {
		columns = append(columns, &answer, &thinking, &d.steps, &d.variables, &d.result, &d.logs)
	}
	if err := row.Scan(columns...); err != nil {
		return jobs.Job{}, err
	}
	job.StartedAt = time.UnixMilli(started)
	if ended.Valid {
		job.EndedAt = time.UnixMilli(ended.Int64)
	}
	d.answer, d.thinking = answer.String, thinking.String
	if job.Kind == jobs.KindRun {
		run, err := decodeRun(functionID, body, d)
		job.Run = run
		return job, err
	}
	build, err := decodeBuild(functionID, body, d)
	if err != nil {
		return job, err
	}
	build.ViewerURL = unpad(link)
	job.Build = build
	return job, nil
}

func decodeBuild(functionID string, body []byte, d details) (*jobs.Build, error) {
	var b buildBody
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, err
	}
	build := &jobs.Build{
		Query: b.Query, Started: b.Started, Status: b.Status, FunctionID: functionID, FunctionName: b.FunctionName,
		ThreadID: b.ThreadID, TotalCostUSD: b.TotalCostUSD, StepCount: b.StepCount, Answer: d.answer, Thinking: d.thinking, Dropped: b.Dropped,
		Error: b.Error, Detail: b.Detail, Reason: b.Reason,
	}
	return build, unlist(d.steps, &build.Steps)
}

func decodeRun(functionID string, body []byte, d details) (*jobs.Run, error) {
	var b runBody
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, err
	}
	run := &jobs.Run{
		FunctionID: functionID, Variables: d.variables, RunID: b.RunID, SessionID: b.SessionID,
		OK: b.OK, Result: d.result, Error: b.Error,
	}
	return run, unlist(d.logs, &run.Logs)
}

// unlist is the reverse of [list].
func unlist(text []byte, items *[]string) error {
	if text == nil {
		return nil
	}
	return json.Unmarshal(text, items)
}

// millis is a time as the file holds it.
func millis(t time.Time) int64 { return t.UnixMilli() }
