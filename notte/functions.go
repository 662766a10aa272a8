package notte

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/tidwall/gjson"
)

// GetFunction looks a function up.
func (c *Client) GetFunction(ctx context.Context, id string) (Function, error) {
	if err := checkID("function", id); err != nil {
		return Function{}, fmt.Errorf("could not look up the function: %w", err)
	}
	answer, err := c.getJSON(ctx, call{
		op:       "look up function " + id,
		method:   http.MethodGet,
		endpoint: c.api,
		path:     []string{"functions", id},
	})
	if err != nil {
		return Function{}, err
	}
	f := parseFunction(answer)
	if f.ID == "" {
		f.ID = id
	}
	return f, nil
}

// ListFunctions lists the key's functions. Pages count from 1; page and
// pageSize are left to Notte where they are less.
func (c *Client) ListFunctions(ctx context.Context, page, pageSize int) (FunctionPage, error) {
	answer, err := c.getJSON(ctx, call{
		op:       "list the functions",
		method:   http.MethodGet,
		endpoint: c.api,
		path:     []string{"functions"},
		query:    pageQuery(page, pageSize),
	})
	if err != nil {
		return FunctionPage{}, err
	}
	return parsePage(answer, parseFunction), nil
}

func parseFunction(v gjson.Result) Function {
	return Function{
		ID:            firstText(v, "function_id", "workflow_id"),
		Name:          firstText(v, "name"),
		Description:   firstText(v, "description"),
		LatestVersion: firstText(v, "latest_version"),
		Status:        firstText(v, "status"),
		CreatedAt:     timestamp(v.Get("created_at")),
		UpdatedAt:     timestamp(v.Get("updated_at")),
		Variables:     parseVariables(v.Get("variables")),
	}
}

// parseVariables reads a list of variables, of objects or of mere names, or an
// object of them by name.
func parseVariables(v gjson.Result) (all []Variable) {
	v.ForEach(func(key, item gjson.Result) bool {
		name := cmp.Or(firstText(item, "name"), key.Str, item.Str)
		if name == "" {
			return true
		}
		variable := Variable{Name: name, Type: firstText(item, "type")}
		if item.IsObject() {
			variable.Default = rawJSON(item.Get("default"))
		}
		all = append(all, variable)
		return true
	})
	return all
}
