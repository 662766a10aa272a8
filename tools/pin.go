package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/notte"
)

var pinFunction = toolSpec{
	name:        "pin_function",
	title:       "Pin a function",
	description: `Makes a function of the account a tool of its own, or takes it away. Call it only if the user asks for that, and show the user the tool.`,
	output:      outputSchema[PinOutput](),
	hints:       hints{idempotent: true},
	changesList: true,
}

// PinInput is what to pin.
type PinInput struct {
	FunctionID  string          `json:"function_id" jsonschema:"An ID or a pin's name" must:"a function's ID or the name of a pin"`
	Name        string          `json:"name,omitempty" jsonschema:"Of the tool, e.g. top_posts"`
	Description string          `json:"description,omitempty" jsonschema:"What the tool does" max:"300" must:"a text of at most 300 characters"`
	Fixed       json.RawMessage `json:"fixed,omitempty" jsonschema:"Variables to hide and set, as a JSON object" must:"a JSON object with a value for each variable that is set"`
	Pinned      *bool           `json:"pinned,omitempty" jsonschema:"false: unpin"`
}

// PinOutput is what pin_function returns.
type PinOutput struct {
	PinnedAs string    `json:"pinned_as,omitempty"`
	Tool     *mcp.Tool `json:"tool,omitempty"` // as hosts list it
	Warnings []string  `json:"warnings,omitempty"`
	NextStep string    `json:"next_step,omitempty"`

	listOutput
	functionID string
}

func (o *PinOutput) attrs() []slog.Attr {
	outcome := "pinned"
	if o.PinnedAs == "" {
		outcome = "unpinned"
	}
	return []slog.Attr{slog.String("outcome", outcome), slog.String("pin", o.PinnedAs), slog.String("function", o.functionID)}
}

func (s *service) pinFunction(ctx context.Context, c *caller, in *PinInput) (*PinOutput, error) {
	if in.Pinned != nil && !*in.Pinned {
		return s.unpin(ctx, c, in)
	}
	return s.pin(ctx, c, in, functions.MadeByTool, false)
}

// pin pins a function. dryRun only says what would be pinned.
func (s *service) pin(ctx context.Context, c *caller, in *PinInput, madeBy string, dryRun bool) (*PinOutput, error) {
	id, name := in.FunctionID, in.Name
	if p, found := s.pinNamed(ctx, c, id); found {
		id, name = p.FunctionID, cmp.Or(name, p.Name)
	} else if err := s.checkFunctionID(ctx, c, id); err != nil {
		return nil, err
	}
	made, err := s.Functions.Pin(ctx, c.Client, s.pinRequest(functions.PinRequest{
		FunctionID: id, Name: name, Description: in.Description, Fixed: in.Fixed,
		Query: s.queryOf(ctx, c.owner, id), MadeBy: madeBy, DryRun: dryRun,
	}))
	if notte.IsNotFound(err) {
		return nil, noFunction(id)
	} else if err != nil {
		return nil, explainPin(err)
	}
	t, err := s.newPinnedTool(made.Pin, functions.FreePinName(made.Pin.Name, s.reserved))
	if err != nil {
		return nil, err
	}
	out := &PinOutput{PinnedAs: made.Pin.Name, Tool: &t.definition, functionID: id, Warnings: pinWarnings(made)}
	if dryRun {
		out.NextStep = "Nothing was pinned: this is what the tool would be."
		return out, nil
	}
	s.pinsChanged(ctx)
	out.NextStep = fmt.Sprintf("Show the user the tool. run_function takes %s as its function_id now. Some hosts list the tool only after a restart.", made.Pin.Name)
	return out, nil
}

// pinWarnings returns what a user must know of a new pin.
func pinWarnings(made functions.Pinned) (all []string) {
	if made.Accepted != "" {
		all = append(all, "Since it was pinned before, the function has changed: "+made.Accepted+".")
	}
	if made.Stale {
		all = append(all, "Notte could not be asked just now. This is what it told of the function at "+formatTime(made.Function.ReadAt)+".")
	}
	if len(made.Function.Secrets) > 0 {
		all = append(all, "A run needs secrets at Notte: "+strings.Join(made.Function.Secrets, ", ")+".")
	}
	return all
}

// unpin takes pins away: the one that is named, or those of the function.
func (s *service) unpin(ctx context.Context, c *caller, in *PinInput) (*PinOutput, error) {
	which := cmp.Or(in.Name, in.FunctionID)
	list, err := s.pinsOf(ctx, always(c.Client))
	if err != nil {
		return nil, err
	}
	for _, p := range list.set {
		if p.Name == which || p.FunctionID == which {
			return nil, &argError{why: fmt.Sprintf("%s cannot be unpinned, because the settings of this server pin it", p.Name)}
		}
	}
	names, err := s.Functions.Unpin(ctx, c.Client, which)
	if err != nil {
		return nil, err
	}
	if names == nil {
		return nil, &argError{why: fmt.Sprintf("Nothing is pinned as %.*q. %s", maxQuoted, which, listPins(list.pins))}
	}
	s.pinsChanged(ctx)
	return &PinOutput{functionID: in.FunctionID, NextStep: "Unpinned: " + strings.Join(names, ", ") + ". Some hosts still show it until a restart."}, nil
}

// listPins says which pins there are.
func listPins(pins []functions.Pin) string {
	if len(pins) == 0 {
		return "There are no pins"
	}
	names := make([]string, len(pins))
	for i, p := range pins {
		names[i] = p.Name
	}
	return "The pins are " + strings.Join(names, ", ")
}

// pinRequest completes a request with what is so for all.
func (s *service) pinRequest(r functions.PinRequest) functions.PinRequest {
	r.Reserved, r.Most = s.reserved, s.mostPins()
	if r.MadeBy == functions.MadeByFlag {
		r.Most = len(s.Pins.Set) + r.Most // the user has chosen them
	}
	r.Fits = func(p functions.Pin) error {
		_, err := s.newPinnedTool(p, p.Name)
		return err
	}
	return r
}

func (s *service) mostPins() int { return cmp.Or(s.Pins.Most, functions.DefaultMaxPins) }

// reserved reports whether a tool of this server has a name, whether it is listed or not.
func (s *service) reserved(name string) bool { return s.names[name] }

// pinNamed returns the caller's pin of a name. A failure means that there is none.
func (s *service) pinNamed(ctx context.Context, c *caller, name string) (functions.Pin, bool) {
	if !functions.IsPinName(name) {
		return functions.Pin{}, false
	}
	for _, p := range s.pinsNow(ctx, c).pins {
		if p.Name == name {
			return p, true
		}
	}
	return functions.Pin{}, false
}

// pinsNow returns the caller's pins. If they cannot be read it logs that and returns none.
func (s *service) pinsNow(ctx context.Context, c *caller) *pinList {
	list, err := s.pinsOf(ctx, always(c.Client))
	if err != nil {
		s.Logger.Debug("the pins could not be read", "err", logLine(err.Error()))
		return noPins
	}
	return list
}

func always(client *notte.Client) func(context.Context) (*notte.Client, error) {
	return func(context.Context) (*notte.Client, error) { return client, nil }
}

// queryOf returns the query of the newest known build that made a function, or "".
func (s *service) queryOf(ctx context.Context, owner, id string) string {
	build, byName := s.buildOfFunction(ctx, &caller{owner: owner}, id)
	if build == nil || byName {
		return ""
	}
	return build.Build.Query
}
