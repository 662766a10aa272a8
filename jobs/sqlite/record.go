package sqlite

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
)

// Columns of a job: of the job alone, or with its details.
const (
	summaryColumns = `jobs.id, owner, kind, state, function_id, started_at, ended_at, body, ` + tally
	jobColumns     = summaryColumns + `, answer, thinking, ifnull(steps, 'null'), variables, result, ifnull(logs, 'null')`
	jobTables      = `jobs LEFT JOIN details ON details.job_id = jobs.id`
	entryColumns   = `seq, at, type, final, event`
)

// encodeBody returns what has no column of its own, as JSON.
func encodeBody(job jobs.Job) ([]byte, error) {
	switch {
	case job.Build != nil:
		return json.Marshal(job.Build)
	case job.Batch != nil:
		return json.Marshal(job.Batch)
	}
	return json.Marshal(job.Run)
}

// putDetails stores what makes a job large.
func putDetails(job jobs.Job) statement {
	var answer, thinking string
	var variables, result []byte
	if b := job.Build; b != nil {
		answer, thinking = b.Answer, b.Thinking
	}
	if r := job.Run; r != nil {
		variables, result = r.Variables, r.Result
	}
	steps, logs := lists(job)
	return do(`INSERT INTO details (job_id, answer, thinking, steps, variables, result, logs) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET answer = excluded.answer, thinking = excluded.thinking, steps = excluded.steps,
		variables = excluded.variables, result = excluded.result, logs = excluded.logs`,
		job.ID, answer, thinking, steps, variables, result, logs)
}

// lists returns a build's steps and a run's logs as JSON, which strings always have.
func lists(job jobs.Job) (steps, logs []byte) {
	if job.Build != nil {
		steps, _ = json.Marshal(job.Build.Steps)
	}
	if job.Run != nil {
		logs, _ = json.Marshal(job.Run.Logs)
	}
	return steps, logs
}

// scanJob reads a job from a row of summaryColumns, and of more columns into
// more.
func scanJob(rows *sql.Rows, more ...any) (jobs.Job, error) {
	var (
		job        jobs.Job
		functionID string
		started    int64
		ended      sql.NullInt64
		body       []byte
		tally      []byte
	)
	columns := []any{&job.ID, &job.Owner, &job.Kind, &job.State, &functionID, &started, &ended, &body, &tally}
	if err := rows.Scan(append(columns, more...)...); err != nil {
		return jobs.Job{}, err
	}
	job.StartedAt = time.UnixMilli(started)
	if ended.Valid {
		job.EndedAt = time.UnixMilli(ended.Int64)
	}
	switch job.Kind {
	case jobs.KindRun:
		job.Run = &jobs.Run{FunctionID: functionID}
		return job, json.Unmarshal(body, job.Run)
	case jobs.KindBatch:
		job.Batch = &jobs.Batch{FunctionID: functionID}
		return job, errors.Join(json.Unmarshal(body, job.Batch), json.Unmarshal(tally, &job.Batch.Tally))
	}
	job.Build = &jobs.Build{FunctionID: functionID}
	return job, json.Unmarshal(body, job.Build)
}

// scanSummary reads a job from a row of summaryColumns.
func scanSummary(rows *sql.Rows) (jobs.Job, error) { return scanJob(rows) }

// scanWholeJob reads a job from a row of jobColumns.
func scanWholeJob(rows *sql.Rows) (jobs.Job, error) {
	var (
		answer, thinking               sql.NullString
		steps, variables, result, logs []byte
	)
	job, err := scanJob(rows, &answer, &thinking, &steps, &variables, &result, &logs)
	if err != nil {
		return job, err
	}
	if job.Run != nil {
		job.Run.Variables, job.Run.Result = variables, result
		return job, json.Unmarshal(logs, &job.Run.Logs)
	}
	if job.Batch != nil {
		return job, nil
	}
	job.Build.Answer, job.Build.Thinking = answer.String, thinking.String
	return job, json.Unmarshal(steps, &job.Build.Steps)
}

// keptEvent is the column event of an entry.
type keptEvent struct {
	*notte.Event
	Tally jobs.Tally `json:"tally,omitzero"`
}

// scanEntry reads an entry from a row of entryColumns.
func scanEntry(rows *sql.Rows) (jobs.Entry, error) {
	var (
		e     jobs.Entry
		at    int64
		event []byte
	)
	if err := rows.Scan(&e.Seq, &at, &e.Type, &e.Final, &event); err != nil {
		return jobs.Entry{}, err
	}
	e.At = time.UnixMilli(at)
	kept := keptEvent{Event: &e.Event}
	err := json.Unmarshal(event, &kept)
	e.Tally = kept.Tally
	return e, err
}

// scanAll reads all of rows and closes them.
func scanAll[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var list []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, rows.Err()
}

// millis returns a time as the file holds it.
func millis(t time.Time) int64 { return t.UnixMilli() }
