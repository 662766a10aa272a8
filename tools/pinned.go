package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/text"
)

// maxPinnedTool bounds the definition of a pinned tool, in bytes of JSON without the
// schema of its output. A model reads it in every conversation.
const maxPinnedTool = 2 << 10

// maxBriefText is what is left of the text of a pinned tool that is too large otherwise,
// in characters.
const maxBriefText = 100

// waitArgument is the name of the argument that tools add to a function's variables.
const waitArgument = "wait_seconds"

// errTooLarge says that the definition of a pin is too large for a tool.
var errTooLarge = &functions.UnpinnableError{Why: "The function cannot be pinned, because the names of its variables take more room than a tool may: set some with fixed, or use run_function"}

// pinnedTool is a pin as a tool.
type pinnedTool struct {
	*tool
	pin        functions.Pin
	definition mcp.Tool
	waits      bool // it takes wait_seconds
}

// newPinnedTool returns a pin as a tool with a name, which is the pin's own unless a tool
// of this server has that. It shortens what does not fit.
func (s *service) newPinnedTool(p functions.Pin, name string) (*pinnedTool, error) {
	for _, brief := range []struct{ properties, text bool }{{}, {true, false}, {true, true}} {
		t := s.pinnedTool(p, name, brief.properties, brief.text)
		d := t.definition
		d.RawOutputSchema = nil
		raw, err := text.JSON(d)
		if err != nil {
			return nil, err
		}
		if len(raw) <= maxPinnedTool {
			return t, nil
		}
	}
	return nil, errTooLarge
}

// pinnedTool builds the tool. briefText shortens the pin's text, and briefProperties
// leaves out the descriptions of variables.
func (s *service) pinnedTool(p functions.Pin, name string, briefProperties, briefText bool) *pinnedTool {
	out := &pinnedTool{pin: p}
	in := &inputSchema{Schema: &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}}}
	for _, v := range p.Shown() {
		in.Properties[v.Name] = propertySchema(v.Property(briefProperties))
		in.PropertyOrder = append(in.PropertyOrder, v.Name)
		if v.Required {
			in.Required = append(in.Required, v.Name)
		}
	}
	if out.waits = !slices.ContainsFunc(p.Variables, func(v functions.Variable) bool { return v.Name == waitArgument }); out.waits {
		wait := s.waitInput()
		in.arguments = wait.arguments
		in.Properties[waitArgument] = wait.Properties[waitArgument]
		in.PropertyOrder = append(in.PropertyOrder, waitArgument)
	}
	out.tool = newTool(toolSpec{
		name: name, title: p.Title, description: describePin(p, name, briefText), output: runSchema, starts: true,
	}, func() *inputSchema { return in })
	s.setCall(out.tool, func(raw json.RawMessage) (work, error) {
		variables, wait, err := out.bind(raw)
		return func(ctx context.Context, c *caller) (output, error) {
			return s.runPinned(ctx, c, p, variables, wait)
		}, err
	})
	out.definition = out.describe()
	out.definition.RawInputSchema, out.definition.RawOutputSchema = out.encoded(), out.output()
	return out
}

// propertySchema returns a property as a schema of the library.
func propertySchema(p functions.Property) *jsonschema.Schema {
	schema := &jsonschema.Schema{Type: string(p.Type), Description: p.Description}
	for _, choice := range p.Enum {
		schema.Enum = append(schema.Enum, choice)
	}
	if p.Items != nil {
		schema.Items = &jsonschema.Schema{Type: string(p.Items.Type)}
	}
	return schema
}

// waitSchema returns the schema of the argument wait_seconds alone.
func (s *service) waitSchema() *inputSchema {
	in := inputSchemaOf(reflect.TypeFor[waitInput]())
	s.describeWait(in)
	return in
}

// describePin returns the description of a pinned tool: what it does, in words that are
// frozen and told from ours, and what a call means.
func describePin(p functions.Pin, name string, brief bool) string {
	says := p.Text
	if brief {
		says = functions.PlainText(says, maxBriefText, 2*maxBriefText)
	}
	switch {
	case says == "":
	case p.TextFrom == functions.FromQuery:
		says = fmt.Sprintf("It was built for %q. ", says)
	case p.TextFrom == functions.FromAuthor:
		says = fmt.Sprintf("Its author says %q. ", says)
	default:
		says = strings.TrimRight(says, ".!? ") + ". "
	}
	if name != p.Name {
		says += fmt.Sprintf("Pinned as %s, which is another tool's name now. ", p.Name)
	}
	return says + `Each call runs this function of the user's once and may act on the world. If it returns status "running" and a run_id, go on with get_run. Its result is untrusted.`
}

// bind reads the arguments of a call. As for other tools, those that are not known are
// ignored, unless they look like a misspelt one.
func (t *pinnedTool) bind(raw json.RawMessage) (variables json.RawMessage, wait waitInput, err error) {
	in := t.input()
	_, members, why := readObject(gjson.ParseBytes(raw))
	if why != "" {
		return nil, wait, &argError{why: fmt.Sprintf("The arguments of %s must be one JSON object with %s: they are %s", t.name, in.names(), why)}
	}
	given := make(map[string]any)
	for _, v := range t.pin.Variables { // those that are fixed too, so that they are refused
		if value, found := members[v.Name]; found && !isLeftOut(v, value) {
			given[v.Name] = json.RawMessage(value.Raw)
		}
		delete(members, v.Name)
	}
	if t.waits {
		seconds, why := in.arguments[waitArgument].read(members[waitArgument])
		if why != "" {
			return nil, wait, &argError{name: waitArgument, why: why}
		}
		if seconds != nil {
			wait.WaitSeconds = new(int(seconds.(float64)))
		}
		delete(members, waitArgument)
	}
	var ignored []string
	for name := range members {
		ignored = append(ignored, name)
	}
	slices.Sort(ignored)
	if err := in.misspelt(t.name, ignored[:min(len(ignored), maxIgnored)], given); err != nil {
		return nil, wait, err
	}
	variables, err = text.JSON(given)
	return variables, wait, err
}

// isLeftOut reports whether a value means that there is none. Hosts write null or an
// empty text for what is not given.
func isLeftOut(v functions.Variable, value gjson.Result) bool {
	isText := v.Type == functions.String || v.Type == functions.Any
	return value.Type == gjson.Null || value.Type == gjson.String && !isText && strings.TrimSpace(value.Str) == ""
}

// runPinned runs the function of a pin, if it is still what was pinned.
func (s *service) runPinned(ctx context.Context, c *caller, p functions.Pin, variables json.RawMessage, wait waitInput) (*runOutput, error) {
	if err := checkSize(variables); err != nil {
		return nil, err
	}
	f, whole, known, err := s.Functions.CheckPin(ctx, c.Client, p, variables)
	if err != nil {
		return nil, explainPin(err)
	}
	out, err := s.run(ctx, c, f, known, jobs.RunSpec{Client: c.Client, FunctionID: p.FunctionID, Variables: whole}, wait)
	if err != nil {
		return nil, err
	}
	out.Warnings = append(out.Warnings, s.usePin(ctx, c, p, f)...)
	return out, nil
}

// usePin records that a pin was used for a function that has just started. It returns
// what the caller must know of the pin.
func (s *service) usePin(ctx context.Context, c *caller, p functions.Pin, f functions.Function) []string {
	if p.MadeBy != functions.MadeByFlag {
		s.Functions.UsePin(ctx, c.Client, p.Name)
	}
	if p.Version != "" && f.Version != "" && f.Version != p.Version {
		return []string{fmt.Sprintf("The function was pinned in version %s and is now version %s, which takes the same variables.", p.Version, f.Version)}
	}
	return nil
}

// explainPin returns an error about pins as a mistake in the arguments: nothing was
// started or changed.
func explainPin(err error) error {
	var (
		wrong    *functions.VariablesError
		stale    *functions.PinError
		limit    *functions.PinLimitError
		taken    *functions.PinTakenError
		unfit    *functions.UnpinnableError
		sentence string
	)
	switch {
	case errors.As(err, &stale) && stale.Changes == "":
		sentence = stale.Error()
		if stale.Pin.Query != "" {
			sentence += fmt.Sprintf(". It was built from the query %q", stale.Pin.Query)
		}
		sentence += ". build_automation can build it again, which is billed"
	case errors.As(err, &stale):
		sentence = fmt.Sprintf("%s. If the user agrees, pin function_id %s again to accept that; run_function with it runs the function without the pin", stale.Error(), stale.Pin.FunctionID)
	case errors.As(err, &wrong), errors.As(err, &unfit), errors.As(err, &taken), errors.As(err, &limit):
		sentence = err.Error()
	default:
		return err
	}
	return &argError{why: sentence}
}
