package notte

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tidwall/gjson"
)

// errVariables is the error of StartRun for variables that it refuses. No request
// is made.
var errVariables = errors.New("the variables are not a JSON object: give names with their values, or nothing")

// CreateRun creates a run of a function without starting it, so that the run can
// be looked up by its ID even if its start fails. Its error matches
// errors.ErrUnsupported if Notte does not offer this. The request is never
// repeated.
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
	run := parseRun(answer)
	if !ValidID(run.ID) {
		return Run{}, fmt.Errorf("could not create a run of function %s: Notte's answer holds no usable run ID; check %s", functionID, c.names.APIURL)
	}
	return run, nil
}

// startRun is the body of a run's start. It has the IDs under two names, because
// Notte's documentation and its OpenAPI description disagree.
type startRun struct {
	FunctionID    string          `json:"function_id"`
	WorkflowID    string          `json:"workflow_id"`
	FunctionRunID string          `json:"function_run_id,omitempty"`
	WorkflowRunID string          `json:"workflow_run_id,omitempty"`
	Variables     json.RawMessage `json:"variables"`
	Stream        bool            `json:"stream"`
}

// StartRun starts the run that [Client.CreateRun] created, or creates and starts
// one if runID is empty. variables is a JSON object; nil means none. The run is
// returned as a stream. If Notte answers with the result itself, that is the
// stream's only event.
//
// The request is never repeated. Ending ctx ends the stream, not the run.
func (c *Client) StartRun(ctx context.Context, functionID, runID string, variables json.RawMessage) (*Stream, error) {
	element := cmp.Or(runID, "start")
	err := cmp.Or(checkID("function", functionID), checkID("run", element))
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

// GetRun returns what Notte keeps of a run.
func (c *Client) GetRun(ctx context.Context, functionID, runID string) (Run, error) {
	k, err := c.runCall(http.MethodGet, "look up", functionID, runID)
	if err != nil {
		return Run{}, err
	}
	answer, err := c.getJSON(ctx, k)
	if err != nil {
		return Run{}, err
	}
	run := parseRun(answer)
	run.ID = cmp.Or(run.ID, runID)
	return run, nil
}

// StopRun makes Notte stop a run. The request is never repeated.
func (c *Client) StopRun(ctx context.Context, functionID, runID string) error {
	k, err := c.runCall(http.MethodDelete, "stop", functionID, runID)
	if err != nil {
		return err
	}
	return c.do(ctx, k)
}

// runCall returns a call about one run. verb says what it does.
func (c *Client) runCall(method, verb, functionID, runID string) (call, error) {
	err := cmp.Or(checkID("function", functionID), checkID("run", runID))
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
