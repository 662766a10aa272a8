package notte

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/tidwall/gjson"
)

// Function is a deployed automation. Its texts are as Notte sent them, untrusted
// and as long as an answer may be. The download link of its source is not read,
// because it is a secret.
type Function struct {
	ID            string
	Name          string
	Description   string
	Domain        string // host of the site that it works on
	Source        string // what made it: "anything", "console", "cli" and more; empty if Notte did not say
	Variables     []Variable
	LatestVersion string
	Versions      []string // as Notte orders them, at most 1,000
	Shared        bool
	ScheduleCron  string // in UTC; empty if it has no schedule
	ScheduleState string
	CreatedAt     time.Time // zero if Notte did not say
	UpdatedAt     time.Time

	// RequiredSecrets are the names of the secrets that a run needs, at most
	// 1,000.
	RequiredSecrets []string

	// These are not in a list: only [Client.GetFunction] returns them.
	Instructions   string          // notes of its builder
	ResponseFormat json.RawMessage // JSON Schema of its result, compact; nil if there is none, or one of more than 64 KiB
}

// Variable is an input of a [Function], as its Python source declares it.
type Variable struct {
	Name    string
	Type    string          // the annotation, such as "int" or "str | None"; empty if Notte did not say
	Default json.RawMessage // as Notte sends it, source text in a JSON string; nil if the variable is required
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

// Page is one page of a list of functions.
type Page struct {
	Items   []Function // at most 1,000
	HasNext bool
}

const (
	maxPageSize = 100  // the largest page of functions that Notte gives
	maxItems    = 1000 // bounds how many items of a list are read
)

// ListFunctions returns a page of the functions of the key's owner. Pages count
// from 1. A pageSize of more than 100, which Notte refuses, is taken for 100. A page
// with fewer functions than that is the last one, whatever its HasNext says.
func (c *Client) ListFunctions(ctx context.Context, page, pageSize int) (Page, error) {
	answer, err := c.get(ctx, "list the functions", url.Values{
		"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(min(pageSize, maxPageSize))},
	}, "functions")
	if err != nil {
		return Page{}, err
	}
	return parsePage(answer), nil
}

func parsePage(v gjson.Result) Page {
	f := fieldsOf(v)
	page := Page{HasNext: f["has_next"].Bool()}
	for item := range items(f["items"]) {
		if len(page.Items) == maxItems {
			break
		}
		page.Items = append(page.Items, parseFunction(item))
	}
	return page
}

// maxResponseFormat bounds a [Function]'s ResponseFormat in bytes.
const maxResponseFormat = 64 << 10

func parseFunction(v gjson.Result) Function {
	f := fieldsOf(v)
	format := rawJSON(f["response_format"])
	if len(format) > maxResponseFormat {
		format = nil
	}
	return Function{
		ID:              f.text("function_id", "workflow_id"),
		Name:            f.text("name"),
		Description:     f.text("description"),
		Domain:          f.text("domain"),
		Source:          f.text("source"),
		Variables:       parseVariables(f["variables"]),
		LatestVersion:   f.text("latest_version"),
		Versions:        parseNames(f["versions"], "version", "version_id", "id"),
		Shared:          f["shared"].Bool(),
		ScheduleCron:    f.text("schedule_cron"),
		ScheduleState:   f.text("schedule_state"),
		CreatedAt:       f.time("created_at"),
		UpdatedAt:       f.time("updated_at"),
		RequiredSecrets: parseNames(f["required_secrets"], "name", "key"),
		Instructions:    f.text("instructions"),
		ResponseFormat:  format,
	}
}

// parseNames reads the first maxItems of a list of texts, or of objects that have
// one under one of keys.
func parseNames(v gjson.Result, keys ...string) (names []string) {
	if !v.IsArray() {
		return nil
	}
	for item := range items(v) {
		if name := cmp.Or(scalarText(item), fieldsOf(item).text(keys...)); name != "" {
			names = append(names, name)
		}
		if len(names) == maxItems {
			break
		}
	}
	return names
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

// ListSecretNames returns the names of the secrets that functions of the key's owner
// can use, at most 1,000. It does not read their values.
func (c *Client) ListSecretNames(ctx context.Context) ([]string, error) {
	query := url.Values{"namespace": {"function_env"}}
	answer, err := c.get(ctx, "list the names of the secrets", query, "secrets")
	if err != nil {
		return nil, err
	}
	return parseNames(fieldsOf(answer)["items"], "name"), nil
}
