package notte

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tidwall/gjson"
)

// errVariables is what StartRun refuses variables with before any request.
var errVariables = errors.New("the variables are not a JSON object: give names with their values, or nothing")

// maxLogs bounds the log lines kept of a run: the last ones.
const maxLogs = 1000

// CreateRun makes a run of a function without starting it, so that its ID is
// known whatever becomes of the start. Where Notte does not offer this,
// errors.Is(err, errors.ErrUnsupported) holds. It is never repeated.
func (c *Client) CreateRun(ctx context.Context, functionID string) (Run, error) {
	if err := checkID("function", functionID); err != nil {
		return Run{}, fmt.Errorf("could not create a run: %w", err)
	}
	answer, err := c.getJSON(ctx, call{
		op:       "create a run of function " + functionID,
		method:   http.MethodPost,
		endpoint: c.api,
		path:     []string{"functions", functionID, "runs", "create"},
		body:     map[string]bool{"local": false},
	})
	if err != nil {
		return Run{}, err
	}
	run := parseRun(answer, functionID)
	if err := checkID("run", run.ID); err != nil {
		return Run{}, fmt.Errorf("could not create a run of function %s: Notte's answer holds no usable run ID; check %s", functionID, c.names.APIURL)
	}
	return run, nil
}

// startRun is the body of a run's start. Notte's documentation and its OpenAPI
// spell the IDs differently; both spellings are sent.
type startRun struct {
	FunctionID    string          `json:"function_id"`
	WorkflowID    string          `json:"workflow_id"`
	FunctionRunID string          `json:"function_run_id,omitempty"`
	WorkflowRunID string          `json:"workflow_run_id,omitempty"`
	Variables     json.RawMessage `json:"variables"`
	Stream        bool            `json:"stream"`
}

// StartRun starts the run that [Client.CreateRun] made, or, where runID is
// empty, makes and starts one. variables is a JSON object; nil means none. The
// run is returned as a stream, of one event where Notte answers with the result
// itself.
//
// A start is never repeated. Ending ctx ends the stream, not the run.
func (c *Client) StartRun(ctx context.Context, functionID, runID string, variables json.RawMessage) (*Stream, error) {
	element := runID
	err := checkID("function", functionID)
	if err == nil && runID != "" {
		err = checkID("run", runID)
	}
	if runID == "" {
		element = "start"
	}
	if variables == nil {
		variables = json.RawMessage("{}")
	}
	if err == nil && (!json.Valid(variables) || !gjson.ParseBytes(variables).IsObject()) {
		err = errVariables
	}
	if err != nil {
		return nil, fmt.Errorf("could not start the run: %w", err)
	}
	return c.stream(ctx, call{
		op:       "start the run of function " + functionID,
		method:   http.MethodPost,
		endpoint: c.api,
		path:     []string{"functions", functionID, "runs", element},
		body:     startRun{functionID, functionID, runID, runID, variables, true},
		accept:   eventStream + ", " + jsonAnswer,
		billable: startsRun,
	})
}

// GetRun looks a run up.
func (c *Client) GetRun(ctx context.Context, functionID, runID string) (Run, error) {
	k, err := c.runCall(http.MethodGet, "look up", functionID, runID)
	if err != nil {
		return Run{}, err
	}
	answer, err := c.getJSON(ctx, k)
	if err != nil {
		return Run{}, err
	}
	run := parseRun(answer, functionID)
	if run.ID == "" {
		run.ID = runID
	}
	return run, nil
}

// StopRun has Notte stop a run. It is never repeated.
func (c *Client) StopRun(ctx context.Context, functionID, runID string) error {
	k, err := c.runCall(http.MethodDelete, "stop", functionID, runID)
	if err != nil {
		return err
	}
	return c.do(ctx, k)
}

// runCall is a call about one run.
func (c *Client) runCall(method, verb, functionID, runID string) (call, error) {
	err := checkID("function", functionID)
	if err == nil {
		err = checkID("run", runID)
	}
	if err != nil {
		return call{}, fmt.Errorf("could not %s the run: %w", verb, err)
	}
	return call{
		op:       fmt.Sprintf("%s run %s of function %s", verb, runID, functionID),
		method:   method,
		endpoint: c.api,
		path:     []string{"functions", functionID, "runs", runID},
	}, nil
}

// ListRuns lists a function's runs, those that ended included, newest first.
// Pages count from 1; page and pageSize are left to Notte where they are less.
func (c *Client) ListRuns(ctx context.Context, functionID string, page, pageSize int) (RunPage, error) {
	if err := checkID("function", functionID); err != nil {
		return RunPage{}, fmt.Errorf("could not list runs: %w", err)
	}
	query := pageQuery(page, pageSize)
	query.Set("only_active", "false")
	answer, err := c.getJSON(ctx, call{
		op:       "list the runs of function " + functionID,
		method:   http.MethodGet,
		endpoint: c.api,
		path:     []string{"functions", functionID, "runs"},
		query:    query,
	})
	if err != nil {
		return RunPage{}, err
	}
	return parsePage(answer, func(v gjson.Result) Run { return parseRun(v, functionID) }), nil
}

func pageQuery(page, pageSize int) url.Values {
	query := url.Values{}
	if page > 0 {
		query.Set("page", strconv.Itoa(page))
	}
	if pageSize > 0 {
		query.Set("page_size", strconv.Itoa(pageSize))
	}
	return query
}

func parsePage[T any](v gjson.Result, parse func(gjson.Result) T) Page[T] {
	page := Page[T]{
		Page:        int(v.Get("page").Int()),
		PageSize:    int(v.Get("page_size").Int()),
		HasNext:     v.Get("has_next").Bool(),
		HasPrevious: v.Get("has_previous").Bool(),
	}
	for _, item := range v.Get("items").Array() {
		page.Items = append(page.Items, parse(item))
	}
	return page
}

func parseRun(v gjson.Result, functionID string) Run {
	run := Run{
		FunctionID: firstText(v, "function_id", "workflow_id"),
		ID:         firstText(v, "function_run_id", "workflow_run_id", "run_id"),
		SessionID:  firstText(v, "session_id"),
		Status:     runStatus(v),
		Result:     textOrJSON(v.Get("result")),
		Logs:       parseLogs(v.Get("logs")),
		CreatedAt:  timestamp(v.Get("created_at")),
		UpdatedAt:  timestamp(v.Get("updated_at")),
	}
	if run.FunctionID == "" {
		run.FunctionID = functionID
	}
	return run
}

// parseLogs reads the last maxLogs lines of a run's log.
func parseLogs(v gjson.Result) []string {
	if v.Type == gjson.Null {
		return nil
	}
	lines := v.Array() // one element for a string
	lines = lines[max(0, len(lines)-maxLogs):]
	var logs []string
	for _, line := range lines {
		logs = append(logs, textOrJSON(line))
	}
	return logs
}

// textOrJSON is a string as it is and anything else as JSON; null is empty.
func textOrJSON(v gjson.Result) string {
	if v.Type == gjson.String {
		return v.Str
	}
	return string(rawJSON(v))
}
