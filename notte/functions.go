package notte

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidwall/gjson"
)

// Function is a deployed automation. The download link of its source is not
// read, because it is a secret.
type Function struct {
	ID            string
	Name          string
	Description   string
	Variables     []Variable
	LatestVersion string
	Status        string
	CreatedAt     time.Time // zero if Notte did not say
	UpdatedAt     time.Time
}

// Variable is an input of a [Function].
type Variable struct {
	Name    string
	Type    string          // empty if Notte did not say
	Default json.RawMessage // nil if there is none
}

// GetFunction returns a function. Its error is an [*Error] with status 404 if the
// key's owner has none with this ID.
func (c *Client) GetFunction(ctx context.Context, id string) (Function, error) {
	if err := checkID("function", id); err != nil {
		return Function{}, fmt.Errorf("could not look up the function: %w", err)
	}
	answer, err := c.get(ctx, "look up function "+id, nil, "functions", id)
	if err != nil {
		return Function{}, err
	}
	f := parseFunction(answer)
	f.ID = cmp.Or(f.ID, id)
	return f, nil
}

// ListFunctions returns a page of the functions of the key's owner. Pages count
// from 1. If page or pageSize is less, Notte chooses.
func (c *Client) ListFunctions(ctx context.Context, page, pageSize int) (Page[Function], error) {
	answer, err := c.get(ctx, "list the functions", pageQuery(page, pageSize), "functions")
	if err != nil {
		return Page[Function]{}, err
	}
	return parsePage(answer, parseFunction), nil
}

func parseFunction(v gjson.Result) Function {
	f := fieldsOf(v)
	return Function{
		ID:            f.text("function_id", "workflow_id"),
		Name:          f.text("name"),
		Description:   f.text("description"),
		LatestVersion: f.text("latest_version"),
		Status:        f.text("status"),
		CreatedAt:     f.time("created_at"),
		UpdatedAt:     f.time("updated_at"),
		Variables:     parseVariables(f["variables"]),
	}
}

// parseVariables reads at most maxItems variables: a list of objects, a list of
// names, or an object of variables by name.
func parseVariables(v gjson.Result) (all []Variable) {
	v.ForEach(func(key, item gjson.Result) bool {
		f := fieldsOf(item)
		if name := cmp.Or(f.text("name"), key.Str, item.Str); name != "" {
			all = append(all, Variable{Name: name, Type: f.text("type"), Default: rawJSON(f["default"])})
		}
		return len(all) < maxItems
	})
	return all
}
