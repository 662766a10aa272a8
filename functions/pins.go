package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/notte"
)

// PinRequest says what to pin, and how.
type PinRequest struct {
	FunctionID  string
	Name        string          // empty: that of its pin, or one like the function's name
	Description string          // what the tool says that it does; empty: see [Pin].TextFrom
	Fixed       json.RawMessage // variables that are hidden and set, an object; nil: those of its pin
	Query       string          // of the build that made the function, if that is known
	MadeBy      string
	Reserved    func(name string) bool // names that no pin may have
	Fits        func(Pin) error        // refuses a pin that cannot be listed as a tool
	Most        int                    // pins that the account may have
	DryRun      bool                   // store nothing
}

// Pinned is a pin that was just made.
type Pinned struct {
	Pin      Pin
	Function Function
	Stale    bool   // Notte could not be asked: the pin is made from what was stored
	Accepted string // what has changed since the earlier pin of that name, or ""
}

// UnpinnableError says why a function cannot be pinned. Nothing was changed.
type UnpinnableError struct{ Why string }

func (e *UnpinnableError) Error() string { return e.Why }

// Pin makes a function of the client's account a tool of its own, and stores that. Its
// errors are those of [CheckPlace] and of Fits, an [*UnpinnableError], Notte's or the
// store's.
func (c *Catalogue) Pin(ctx context.Context, client *notte.Client, r PinRequest) (Pinned, error) {
	f, err := c.own(ctx, client, r.FunctionID)
	if err != nil {
		return Pinned{}, err
	}
	if why := pinnable(f); why != "" {
		return Pinned{}, &UnpinnableError{fmt.Sprintf("The function %q cannot be pinned, because %s; run_function runs it", f.Name, why)}
	}
	a := AccountOf(client)
	pins, err := c.store.Pins(ctx, a)
	if err != nil {
		return Pinned{}, err
	}
	p, before, err := r.plan(f, pins)
	if err != nil {
		return Pinned{}, err
	}
	out := Pinned{Pin: p, Function: f, Stale: !isFresh(f.ReadAt)}
	if before != nil {
		out.Accepted = before.Changes(f)
	}
	if err := errors.Join(r.Fits(p), CheckPlace(pins, p, r.Most)); err != nil || r.DryRun {
		return out, err
	}
	return out, c.store.PutPin(ctx, a, p, r.Most)
}

// own returns a function of the client's account, and not one that another account
// shares with it.
func (c *Catalogue) own(ctx context.Context, client *notte.Client, id string) (Function, error) {
	f, err := c.Get(ctx, client, id)
	if err != nil || !f.Shared || f.Listed {
		return f, err
	}
	// An own function may be shared too. The list has only own ones.
	if _, _, err := c.update(ctx, client, f.ReadAt); err != nil {
		return f, err
	}
	if stored, err := c.store.GetFunction(ctx, AccountOf(client), id); err == nil && stored.Listed {
		return stored, nil
	}
	return f, &UnpinnableError{fmt.Sprintf("The function %q cannot be pinned, because it is another account's; run_function runs it", f.Name)}
}

// plan returns the pin that a request asks for, and the one in whose place it comes or
// nil.
func (r PinRequest) plan(f Function, pins []Pin) (p Pin, before *Pin, err error) {
	now := time.Now().Truncate(time.Millisecond)
	p = Pin{
		Name: r.Name, FunctionID: f.ID, Variables: f.Variables, Version: f.Version,
		Query: PlainText(r.Query, maxPinText, maxPinTextBytes), MadeBy: r.MadeBy, State: PinOK, CreatedAt: now, UsedAt: now,
	}
	if before = earlier(pins, f.ID, r.Name); before != nil {
		p.Name, p.CreatedAt, p.UsedAt = before.Name, before.CreatedAt, before.UsedAt
		if r.Description == "" && before.TextFrom == FromCaller {
			r.Description = before.Text
		}
	}
	taken := func(name string) bool {
		return r.Reserved(name) || slices.ContainsFunc(pins, func(other Pin) bool { return other.Name == name && other.FunctionID != f.ID })
	}
	switch {
	case p.Name == "":
		p.Name = defaultPinName(f, taken)
	case !IsPinName(p.Name):
		why := fmt.Sprintf("The name of a pin has 3 to 40 lower-case letters, digits and _, and begins with a letter: %.60q has not", p.Name)
		if better := SuggestPinName(p.Name); better != "" {
			why += "; take " + FreePinName(better, taken)
		}
		return p, before, &UnpinnableError{why}
	case before == nil && r.Reserved(p.Name):
		return p, before, &UnpinnableError{p.Name + " is the name of another tool of this server: take another name"}
	}
	p.Title = PlainText(f.Name, maxPinTitle, maxPinTitleSize)
	if p.Title == "" {
		p.Title = p.Name
	}
	p.Text, p.TextFrom = pinText(r.Description, r.Query, f)
	p.Fixed, err = r.fixed(f, before)
	return p, before, err
}

// earlier returns the pin that a request for a function means: that of the name or, if
// that is empty, the function's first one.
func earlier(pins []Pin, id, name string) *Pin {
	for i, p := range pins {
		if p.FunctionID == id && (name == "" || name == p.Name) {
			return &pins[i]
		}
	}
	return nil
}

// fixed returns the variables that a pin sets.
func (r PinRequest) fixed(f Function, before *Pin) (map[string]json.RawMessage, error) {
	fixed, why := make(map[string]json.RawMessage), "fixed does not fit"
	if r.Fixed == nil && before != nil {
		why = "The values that the pin fixes do not fit any more: give all of them again in fixed"
		maps.Copy(fixed, before.Fixed)
		maps.DeleteFunc(fixed, func(name string, _ json.RawMessage) bool { return !f.takes(name) })
	}
	gjson.ParseBytes(r.Fixed).ForEach(func(name, value gjson.Result) bool {
		fixed[name.Str] = json.RawMessage(value.Raw)
		return true
	})
	given, err := json.Marshal(fixed)
	if err == nil {
		err = f.check(given, false)
	}
	if err != nil {
		return nil, &UnpinnableError{why + ". " + err.Error()}
	}
	return fixed, nil
}

func (f Function) takes(name string) bool {
	return slices.ContainsFunc(f.Variables, func(v Variable) bool { return v.Name == name })
}

// Unpin deletes pins: the one of this name, or those of the function with this ID. It
// returns their names, none if there is no such pin.
func (c *Catalogue) Unpin(ctx context.Context, client *notte.Client, nameOrID string) (names []string, err error) {
	a := AccountOf(client)
	pins, err := c.store.Pins(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, p := range pins {
		if p.Name != nameOrID && p.FunctionID != nameOrID {
			continue
		}
		was, err := c.store.DeletePin(ctx, a, p.Name)
		if err != nil {
			return names, err
		}
		if was {
			names = append(names, p.Name)
		}
	}
	return names, nil
}

// Pins returns the stored pins of the client's account in the order of their names.
func (c *Catalogue) Pins(ctx context.Context, client *notte.Client) ([]Pin, error) {
	return c.store.Pins(ctx, AccountOf(client))
}

// PinGeneration returns a number that changes with the stored pins: see [PinStore].
func (c *Catalogue) PinGeneration(ctx context.Context) (int64, error) {
	return c.store.PinGeneration(ctx)
}

// CheckPin checks a call of a pin with variables, a JSON object or nil. It returns the
// function and the variables of the run. If the variables do not fit, the error is a
// [*VariablesError]. If the function is gone or has changed, it is a [*PinError]. known
// is as for [Catalogue.Check].
func (c *Catalogue) CheckPin(ctx context.Context, client *notte.Client, p Pin, variables json.RawMessage) (f Function, whole json.RawMessage, known bool, err error) {
	if err := p.Check(variables); err != nil {
		return f, nil, false, err
	}
	if whole, err = p.Complete(variables); err != nil {
		return f, nil, false, err
	}
	changed := func(f Function) error {
		if changes := p.Changes(f); changes != "" {
			return &PinError{p, f, changes}
		}
		return nil
	}
	f, err = c.current(ctx, client, p.FunctionID, func(f Function) error { return errors.Join(changed(f), f.Check(whole)) })
	switch {
	case notte.IsNotFound(err), err != nil && p.State == PinGone:
		return f, nil, false, &PinError{Pin: p}
	case err != nil && f.ID == "":
		return f, whole, false, nil // nothing is known of it, and the run tells what is wrong
	}
	known = err == nil
	if err := changed(f); err != nil {
		return f, nil, known, err
	}
	if known {
		err = f.Check(whole)
	} else {
		err = nil
	}
	return f, whole, known, err
}

// UsePin records that a pin was used. A failure is only logged.
func (c *Catalogue) UsePin(ctx context.Context, client *notte.Client, name string) {
	if err := c.store.UsePin(ctx, AccountOf(client), name, time.Now()); err != nil {
		c.log.Debug("the use of a pin could not be stored", "pin", name, "err", err)
	}
}

// settlePins stores the states of an account's pins that have changed.
func (c *Catalogue) settlePins(ctx context.Context, a Account, state func(Pin) PinState) error {
	pins, err := c.store.Pins(ctx, a)
	for _, p := range pins {
		if now := state(p); now != p.State {
			err = errors.Join(err, c.store.SetPinState(ctx, a, p.Name, now))
		}
	}
	return err
}

// PinNames returns the names of the pins of a function, separated by commas, or "".
func PinNames(pins []Pin, functionID string) string {
	var names []string
	for _, p := range pins {
		if p.FunctionID == functionID {
			names = append(names, p.Name)
		}
	}
	return strings.Join(names, ", ")
}
