package functionstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/anything-mcp/anything-mcp/functions"
)

func pin(name, id string) functions.Pin {
	return functions.Pin{
		Name: name, FunctionID: id, Title: "t", Text: "does it", TextFrom: functions.FromAuthor, Query: "q", Version: "2",
		Variables: []functions.Variable{{Name: "a", Type: functions.String, Required: true}, {Name: "b", Type: functions.Integer, Default: []byte("3")}},
		Fixed:     map[string]json.RawMessage{"b": json.RawMessage("4")}, MadeBy: functions.MadeByCLI, State: functions.PinOK, CreatedAt: epoch, UsedAt: epoch,
	}
}

func put(t *testing.T, s functions.Store, a functions.Account, p functions.Pin) {
	t.Helper()
	if err := s.PutPin(t.Context(), a, p, 20); err != nil {
		t.Fatal(err)
	}
}

func pins(t *testing.T, s functions.Store, a functions.Account) []functions.Pin {
	t.Helper()
	all, err := s.Pins(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].CreatedAt, all[i].UsedAt = all[i].CreatedAt.UTC(), all[i].UsedAt.UTC()
	}
	return all
}

func testPins(t *testing.T, s functions.Store) {
	if got := pins(t, s, mine); len(got) != 0 {
		t.Errorf("an empty store has %+v", got)
	}
	a, b := pin("alpha", "f1"), pin("beta", "f2")
	put(t, s, mine, b)
	put(t, s, mine, a)
	if got := pins(t, s, mine); !reflect.DeepEqual(got, []functions.Pin{a, b}) {
		t.Errorf("got %+v\nwant %+v, %+v", got, a, b)
	}
	a.Text, a.Version = "does more", "3"
	put(t, s, mine, a)
	if err := s.UsePin(t.Context(), mine, "beta", after(5)); err != nil {
		t.Error(err)
	}
	if err := s.SetPinState(t.Context(), mine, "beta", functions.PinChanged); err != nil {
		t.Error(err)
	}
	b.UsedAt, b.State = after(5), functions.PinChanged
	if got := pins(t, s, mine); !reflect.DeepEqual(got, []functions.Pin{a, b}) {
		t.Errorf("after changes: %+v\nwant %+v, %+v", got, a, b)
	}
	for i, other := range []functions.Account{{Owner: "you", APIURL: mine.APIURL}, {Owner: mine.Owner, APIURL: "https://other.test"}} {
		if got := pins(t, s, other); len(got) != 0 {
			t.Errorf("another account has %+v", got)
		}
		put(t, s, other, pin("alpha", fmt.Sprint("other", i)))
		if was, err := s.DeletePin(t.Context(), other, "beta"); was || err != nil {
			t.Errorf("another account's pin was deleted: %v, %v", was, err)
		}
	}
	for _, want := range []bool{true, false} {
		if was, err := s.DeletePin(t.Context(), mine, "alpha"); was != want || err != nil {
			t.Errorf("deleting: %v, %v; want %v", was, err, want)
		}
	}
	if got := pins(t, s, mine); !reflect.DeepEqual(got, []functions.Pin{b}) {
		t.Errorf("after deleting: %+v", got)
	}
}

func testPinPlaces(t *testing.T, s functions.Store) {
	for i := range 3 {
		p := pin(fmt.Sprint("pin", i), fmt.Sprint("f", i))
		p.UsedAt = after([]int{7, 3, 5}[i])
		put(t, s, mine, p)
	}
	limit, ok := errors.AsType[*functions.PinLimitError](s.PutPin(t.Context(), mine, pin("more", "f9"), 3))
	if !ok || limit.Most != 3 || limit.Least.Name != "pin1" {
		t.Errorf("beyond the limit: %+v", limit)
	}
	taken, ok := errors.AsType[*functions.PinTakenError](s.PutPin(t.Context(), mine, pin("pin2", "f9"), 9))
	if !ok || taken.Pin.FunctionID != "f2" {
		t.Errorf("a name in use: %+v", taken)
	}
	if err := s.PutPin(t.Context(), mine, pin("pin2", "f2"), 3); err != nil {
		t.Errorf("the same pin again: %v", err)
	}
	if err := s.SetPinState(t.Context(), mine, "pin0", functions.PinGone); err != nil {
		t.Error(err)
	}
	if err := s.PutPin(t.Context(), mine, pin("more", "f9"), 3); err != nil {
		t.Errorf("beside one that is gone: %v", err)
	}
	var names []string
	for _, p := range pins(t, s, mine) {
		names = append(names, p.Name)
	}
	if want := []string{"more", "pin0", "pin1", "pin2"}; !slices.Equal(names, want) {
		t.Errorf("the pins are %q, want %q", names, want)
	}
}

func testPinGeneration(t *testing.T, s functions.Store) {
	last := int64(0)
	step := func(what string, rises bool, err error) {
		t.Helper()
		now, genErr := s.PinGeneration(t.Context())
		if err != nil || genErr != nil || (now > last) != rises || now < last {
			t.Errorf("%s: generation %d after %d (%v, %v)", what, now, last, err, genErr)
		}
		last = now
	}
	ctx := t.Context()
	step("empty", false, nil)
	step("put", true, s.PutPin(ctx, mine, pin("one", "f1"), 9))
	step("put again", false, s.PutPin(ctx, mine, pin("one", "f1"), 9))
	p := pin("one", "f1")
	p.Text = "other"
	step("another text", true, s.PutPin(ctx, mine, p, 9))
	step("used", false, s.UsePin(ctx, mine, "one", after(9)))
	step("changed", false, s.SetPinState(ctx, mine, "one", functions.PinChanged))
	step("gone", true, s.SetPinState(ctx, mine, "one", functions.PinGone))
	step("back", true, s.SetPinState(ctx, mine, "one", functions.PinOK))
	step("none of that name", false, s.SetPinState(ctx, mine, "two", functions.PinGone))
	step("another account's", true, s.PutPin(ctx, functions.Account{Owner: "you"}, pin("one", "f1"), 9))
	_, err := s.DeletePin(ctx, mine, "one")
	step("deleted", true, err)
	_, err = s.DeletePin(ctx, mine, "one")
	step("deleted again", false, err)
	if last == 0 {
		t.Error("the generation is 0 although there was a pin")
	}
}
